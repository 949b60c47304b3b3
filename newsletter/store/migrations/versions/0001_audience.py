"""The audience: subscribers, tags, consent, suppressions, confirmations, audit.

Triggers make `consent` and `audit` append-only, whoever writes. An erasure may set
`ip` and `page` of a consent to NULL; nothing else of it may change.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.BigInteger  # microseconds since 1970, UTC


def upgrade() -> None:
    _tables()
    if op.get_context().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()
    op.execute(
        sa.insert(sa.table("setting", sa.column("name"), sa.column("value"))).values(
            name="identity_key", value=secrets.token_hex(32)
        )
    )


def _tables() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("identity", sa.Text),
        sa.Column("identity_hash", sa.LargeBinary),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("language", sa.Text, nullable=False, server_default=""),
        sa.Column("timezone", sa.Text, nullable=False, server_default=""),
        sa.Column("format", sa.Text, nullable=False, server_default="html"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'paused', 'unsubscribed', 'erased')", name="status"
        ),
        sa.CheckConstraint(
            "(status = 'erased') = (identity IS NULL)"
            " AND (identity IS NULL) = (email IS NULL)"
            " AND (identity IS NULL) = (identity_hash IS NULL)",
            name="erased",
        ),
        sa.UniqueConstraint("identity", name="uq_subscriber_identity"),
    )
    op.create_index("ix_subscriber_status", "subscriber", ["status"])
    op.create_table(
        "subscriber_tag",
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("subscriber_id", "tag", name="pk_subscriber_tag"),
        _to_subscriber("subscriber_tag"),
    )
    op.create_index("ix_subscriber_tag_tag", "subscriber_tag", ["tag", "subscriber_id"])
    op.create_table(
        "consent",
        sa.Column("id", KEY, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("wording", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("ip", sa.Text),
        sa.Column("page", sa.Text),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_consent"),
        _to_subscriber("consent"),
    )
    op.create_index("ix_consent_subscriber_id", "consent", ["subscriber_id"])
    op.create_table(
        "suppression",
        sa.Column("id", KEY, nullable=False),
        sa.Column("identity", sa.Text),
        sa.Column("identity_hash", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("lifted_at", MOMENT),
        sa.Column("lifted_by", sa.Text),
        sa.Column("lifted_reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_suppression"),
    )
    op.create_index(
        "uq_suppression_active",
        "suppression",
        ["identity_hash"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index("ix_suppression_identity", "suppression", ["identity"])
    op.create_table(
        "confirmation",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("subscriber_id", KEY, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.PrimaryKeyConstraint("token_hash", name="pk_confirmation"),
        _to_subscriber("confirmation"),
    )
    op.create_index("ix_confirmation_subscriber_id", "confirmation", ["subscriber_id"])
    op.create_table(
        "import_file",
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_import_file"),
    )
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subscriber_id", KEY),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subscriber_id", "audit", ["subscriber_id"])


def _to_subscriber(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_subscriber_id_subscriber"
    return sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=name)


def _sqlite_triggers() -> None:
    for table in ("consent", "audit"):
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent WHEN NOT ("
        "NEW.id IS OLD.id AND NEW.subscriber_id IS OLD.subscriber_id AND NEW.kind IS OLD.kind "
        "AND NEW.wording IS OLD.wording AND NEW.at IS OLD.at "
        "AND NEW.confirmed_at IS OLD.confirmed_at AND NEW.source IS OLD.source "
        "AND (NEW.ip IS NULL OR NEW.ip IS OLD.ip) "
        "AND (NEW.page IS NULL OR NEW.page IS OLD.page)) "
        "BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END"
    )


def _postgresql_triggers() -> None:
    op.execute(
        """
        CREATE FUNCTION newsletter_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION newsletter_consent_update() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (NEW.ip IS NOT NULL AND NEW.ip IS DISTINCT FROM OLD.ip)
                OR (NEW.page IS NOT NULL AND NEW.page IS DISTINCT FROM OLD.page)
            THEN
                RAISE EXCEPTION 'consent is append-only';
            END IF;
            OLD.ip := NEW.ip;
            OLD.page := NEW.page;
            IF NEW IS DISTINCT FROM OLD THEN
                RAISE EXCEPTION 'consent is append-only';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent "
        "FOR EACH ROW EXECUTE FUNCTION newsletter_consent_update()"
    )
    op.execute(
        "CREATE TRIGGER consent_no_delete BEFORE DELETE ON consent "
        "FOR EACH ROW EXECUTE FUNCTION newsletter_append_only()"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION newsletter_append_only()"
    )
    for table in ("consent", "audit"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION newsletter_append_only()"
        )
