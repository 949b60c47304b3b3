"""The public side: publications, pauses, notices, API keys, views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.BigInteger  # microseconds since 1970, UTC


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("edition_hash", sa.Text, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("published_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_publication"),
        sa.ForeignKeyConstraint(
            ["edition_hash"], ["edition.hash"], name="fk_publication_edition_hash_edition"
        ),
    )
    op.create_table(
        "pause",
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("issues", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_pause"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_pause_subscriber_id_subscriber"
        ),
    )
    _notices()
    op.create_table(
        "api_key",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_hash", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("origins", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_hash", name="uq_api_key_key_hash"),
    )
    op.create_index(
        "uq_api_key_name",
        "api_key",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "view",
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "number", "form", name="pk_view"),
    )


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("not_before", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("outcome", sa.Text),
        sa.Column("reply", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.CheckConstraint("kind IN ('confirm', 'welcome', 'known')", name="kind"),
        sa.CheckConstraint("outcome IN ('accepted', 'failed', 'void')", name="outcome"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_notice_subscriber_id_subscriber"
        ),
    )
    op.create_index("ix_notice_subscriber_id", "notice", ["subscriber_id"])
    op.create_index(
        "ix_notice_not_before",
        "notice",
        ["not_before"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
