"""Delivery: editions, campaigns, the ledger, events, and what rates have used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.BigInteger  # microseconds since 1970, UTC


def upgrade() -> None:
    _campaigns()
    _ledger()
    _events()


def _campaigns() -> None:
    op.create_table(
        "edition",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("frozen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_edition"),
    )
    op.create_table(
        "campaign",
        sa.Column("id", KEY, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("edition_hash", sa.Text, nullable=False),
        sa.Column("transport", sa.Text, nullable=False),
        sa.Column("mailing", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("intended", sa.BigInteger, nullable=False),
        sa.Column("journal", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sa.CheckConstraint(
            "state IN ('sending', 'paused', 'cancelled', 'completed')", name="state"
        ),
        sa.ForeignKeyConstraint(
            ["edition_hash"], ["edition.hash"], name="fk_campaign_edition_hash_edition"
        ),
    )
    op.create_index(
        "uq_campaign_current",
        "campaign",
        ["number", "audience"],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )


def _ledger() -> None:
    op.create_table(
        "delivery",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("not_before", MOMENT),
        sa.Column("provider_id", sa.Text),
        sa.Column("reply", sa.Text),
        sa.Column("report", sa.Text),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "subscriber_id", name="pk_delivery"),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'accepted', 'failed', 'suppressed', 'uncertain')",
            name="status",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="fk_delivery_campaign_id_campaign"
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_delivery_subscriber_id_subscriber"
        ),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 50},
    )
    op.create_index("ix_delivery_subscriber_id", "delivery", ["subscriber_id"])
    op.create_index(
        "ix_delivery_not_before",
        "delivery",
        ["campaign_id", "not_before"],
        sqlite_where=sa.text("not_before IS NOT NULL"),
        postgresql_where=sa.text("not_before IS NOT NULL"),
    )
    op.create_table(
        "rate_window",
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("period", "starts_at", name="pk_rate_window"),
    )


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("campaign_id", KEY),
        sa.Column("subscriber_id", KEY),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("provider", "event_id", name="uq_event_provider_event_id"),
    )
    op.create_index("ix_event_campaign_id", "event", ["campaign_id", "subscriber_id"])
