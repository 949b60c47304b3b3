"""The calendar: approvals and slots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.BigInteger  # microseconds since 1970, UTC


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("edition_hash", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("approved_at", MOMENT, nullable=False),
        sa.Column("checklist", sa.Text, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Text),
        sa.Column("revoked_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
        sa.ForeignKeyConstraint(
            ["edition_hash"], ["edition.hash"], name="fk_approval_edition_hash_edition"
        ),
    )
    op.create_index(
        "uq_approval_standing",
        "approval",
        ["number", "edition_hash", "approved_by"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "slot",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("number", sa.Text),
        sa.Column("edition_hash", sa.Text),
        sa.Column("campaign_id", KEY),
        sa.Column("hold_until", MOMENT),
        sa.Column("reminded", sa.Integer),
        sa.Column("postponed_by", sa.Text),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_slot"),
        sa.CheckConstraint(
            "state IN ('planned', 'holding', 'stopped', 'sending', 'sent', 'skipped', 'late')",
            name="state",
        ),
        sa.UniqueConstraint("starts_at", name="uq_slot_starts_at"),
        sa.ForeignKeyConstraint(
            ["edition_hash"], ["edition.hash"], name="fk_slot_edition_hash_edition"
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_slot_campaign_id_campaign"
        ),
    )
