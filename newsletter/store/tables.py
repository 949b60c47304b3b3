"""The tables (SQLAlchemy Core). What a column means is said here and nowhere else.

Times are aware and UTC. `identity` is the normalised address that makes two
spellings one person; it is empty once a person is erased. `identity_hash` is its
keyed hash: suppressions are matched by it alone, because it is what an erasure
leaves. Rows of `consent` and `audit` are never changed or deleted: triggers see
to that (see the migrations).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives an INTEGER PRIMARY KEY its number; PostgreSQL wants BIGINT.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime; microseconds since 1970 as an integer, the same on every database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1_000_000, UTC)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware *moment*. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


# Values that belong to this database and must survive as long as it does.
setting = sa.Table(
    "setting",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # identity_key: hex of 32 random bytes
    sa.Column("value", sa.Text, nullable=False),
)

subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("email", sa.Text),  # as it is written to; NULL once erased
    sa.Column("identity", sa.Text, unique=True),  # normalised address; NULL once erased
    sa.Column("identity_hash", sa.LargeBinary),  # keyed BLAKE2b, 16 bytes; NULL once erased
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("language", sa.Text, nullable=False, server_default=""),  # BCP 47; "" is the default
    sa.Column("timezone", sa.Text, nullable=False, server_default=""),  # IANA; "" is the default
    sa.Column("format", sa.Text, nullable=False, server_default="html"),  # html | text
    sa.Column("status", sa.Text, nullable=False),  # pending|active|paused|unsubscribed|erased
    sa.Column("source", sa.Text, nullable=False, server_default=""),  # where they came from
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.CheckConstraint(
        "status IN ('pending', 'active', 'paused', 'unsubscribed', 'erased')", name="status"
    ),
    sa.CheckConstraint(
        "(status = 'erased') = (identity IS NULL)"
        " AND (identity IS NULL) = (email IS NULL)"
        " AND (identity IS NULL) = (identity_hash IS NULL)",
        name="erased",
    ),
)
sa.Index("ix_subscriber_status", subscriber.c.status)

subscriber_tag = sa.Table(
    "subscriber_tag",
    metadata,
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
)
sa.Index("ix_subscriber_tag_tag", subscriber_tag.c.tag, subscriber_tag.c.subscriber_id)

# Append-only. Erasure may empty `ip` and `page`, and nothing else may change.
consent = sa.Table(
    "consent",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # requested|confirmed|imported|added|withdrawn
    sa.Column("wording", sa.Text, nullable=False),  # what they agreed to, or the import's basis
    sa.Column("at", Moment, nullable=False),
    sa.Column("ip", sa.Text),
    sa.Column("page", sa.Text),
    sa.Column("confirmed_at", Moment),  # as reported by another system's export
    sa.Column("source", sa.Text, nullable=False, server_default=""),
)
sa.Index("ix_consent_subscriber_id", consent.c.subscriber_id)

# Never mail this address, whoever imports or confirms it, until a person lifts it with a reason.
suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("identity", sa.Text),  # NULL once the person is erased: the hash remains
    sa.Column("identity_hash", sa.LargeBinary, nullable=False),  # keyed BLAKE2b, 16 bytes
    sa.Column("reason", sa.Text, nullable=False),  # unsubscribed|bounced|complained|erased|manual
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_by", sa.Text),
    sa.Column("lifted_reason", sa.Text),
)
sa.Index(
    "uq_suppression_active",
    suppression.c.identity_hash,
    unique=True,
    sqlite_where=suppression.c.lifted_at.is_(None),
    postgresql_where=suppression.c.lifted_at.is_(None),
)
sa.Index("ix_suppression_identity", suppression.c.identity)

# Single-use links: only a hash of the token is kept.
confirmation = sa.Table(
    "confirmation",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),  # SHA-256, 32 bytes
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
)
sa.Index("ix_confirmation_subscriber_id", confirmation.c.subscriber_id)

# Files of subscribers/ that were taken, by content: a second look passes over them.
import_file = sa.Table(
    "import_file",
    metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

# Append-only: who did what, when. Never holds an address.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # as in "subscriber.erase"
    sa.Column("subscriber_id", Key),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
)
sa.Index("ix_audit_subscriber_id", audit.c.subscriber_id)
