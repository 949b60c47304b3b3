"""The tables (SQLAlchemy Core). What a column means is said here and nowhere else.

Times are aware and UTC. `identity` is the normalised address that makes two
spellings one person; it is empty once a person is erased. `identity_hash` is its
keyed hash: suppressions are matched by it alone, because it is what an erasure
leaves. Rows of `consent` and `audit` are never changed or deleted: triggers see
to that (see the migrations). Text that a mail server said is kept without addresses.
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
# Few rows, and an import of many people does not touch it.
sa.Index(
    "ix_consent_withdrawn",
    consent.c.at,
    sqlite_where=consent.c.kind == "withdrawn",
    postgresql_where=consent.c.kind == "withdrawn",
)

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

# ── delivery ────────────────────────────────────────────────────────────────

# An edition that was frozen to be sent: its files lie in the workspace, under its hash.
edition = sa.Table(
    "edition",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),  # SHA-256 of the manifest, in hexadecimal
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("frozen_at", Moment, nullable=False),
)

campaign = sa.Table(
    "campaign",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),  # the issue's, as in "2.20"
    sa.Column("audience", sa.Text, nullable=False),  # "" is everyone, else "tag:press"
    sa.Column("edition_hash", sa.Text, sa.ForeignKey("edition.hash"), nullable=False),
    sa.Column("transport", sa.Text, nullable=False),  # outbox | smtp | sendgrid
    sa.Column("mailing", sa.Text, nullable=False),  # JSON: the headers and links, frozen
    sa.Column("state", sa.Text, nullable=False),  # sending|paused|cancelled|completed
    sa.Column(
        "reason", sa.Text, nullable=False, server_default=""
    ),  # why it is paused or cancelled
    sa.Column("intended", sa.BigInteger, nullable=False),  # deliveries at freeze time
    sa.Column("journal", sa.Text, nullable=False, server_default=""),  # id of the journal in use
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.CheckConstraint("state IN ('sending', 'paused', 'cancelled', 'completed')", name="state"),
)
# One campaign per issue and audience, whatever is pressed twice; a cancelled one makes room.
sa.Index(
    "uq_campaign_current",
    campaign.c.number,
    campaign.c.audience,
    unique=True,
    sqlite_where=sa.text("state <> 'cancelled'"),
    postgresql_where=sa.text("state <> 'cancelled'"),
)

# The ledger. `status` is what became of handing over; `report` is what was heard afterwards.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("campaign_id", Key, sa.ForeignKey("campaign.id"), primary_key=True),
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("not_before", Moment),  # of a pending one that was refused for now
    sa.Column("provider_id", sa.Text),  # as the transport's other side calls it
    sa.Column("reply", sa.Text),  # the last thing that was said about it, without addresses
    sa.Column("report", sa.Text),  # deferred|delivered|bounced|unsubscribed|complained
    sa.Column("updated_at", Moment, nullable=False),
    sa.CheckConstraint(
        "status IN ('pending', 'sending', 'accepted', 'failed', 'suppressed', 'uncertain')",
        name="status",
    ),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 50},  # each row is updated twice: in place, not elsewhere
)
sa.Index("ix_delivery_subscriber_id", delivery.c.subscriber_id)
# Those that wait for another try. Must not name `status`: PostgreSQL updates a row in place only
# where no column of an index changes.
sa.Index(
    "ix_delivery_not_before",
    delivery.c.campaign_id,
    delivery.c.not_before,
    sqlite_where=delivery.c.not_before.is_not(None),
    postgresql_where=delivery.c.not_before.is_not(None),
)

# What providers and mailboxes report; the same report twice is one row.
event = sa.Table(
    "event",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),  # as in "sendgrid"
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # delivered|deferred|bounced|complained|…
    sa.Column("at", Moment, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("campaign_id", Key),
    sa.Column("subscriber_id", Key),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),  # without addresses
    sa.Column("permanent", sa.Boolean),  # of a bounce: hard or soft; NULL: not noted
    sa.UniqueConstraint("provider", "event_id", name="uq_event_provider_event_id"),
)
sa.Index("ix_event_campaign_id", event.c.campaign_id, event.c.subscriber_id)

# How many messages were handed over in each window, whatever the campaign.
rate_window = sa.Table(
    "rate_window",
    metadata,
    sa.Column("period", sa.Text, primary_key=True),  # hour | day, of UTC
    sa.Column("starts_at", Moment, primary_key=True),
    sa.Column("used", sa.BigInteger, nullable=False),
)

# ── calendar ────────────────────────────────────────────────────────────────

# Who approved which bytes. Taken back, never deleted: `revoked_at` and what follows it.
approval = sa.Table(
    "approval",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("number", sa.Text, nullable=False),  # the issue's, as in "2.20"
    sa.Column("edition_hash", sa.Text, sa.ForeignKey("edition.hash"), nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("approved_at", Moment, nullable=False),
    sa.Column("checklist", sa.Text, nullable=False),  # JSON: what was checked, and the warnings
    sa.Column("revoked_at", Moment),
    sa.Column("revoked_by", sa.Text),
    sa.Column("revoked_reason", sa.Text),
)
sa.Index(
    "uq_approval_standing",
    approval.c.number,
    approval.c.edition_hash,
    approval.c.approved_by,
    unique=True,
    sqlite_where=approval.c.revoked_at.is_(None),
    postgresql_where=approval.c.revoked_at.is_(None),
)

# Slots that were reminded of, are due or done; the future is computed. One a day, ever.
slot = sa.Table(
    "slot",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),  # of the anchor, local: "2026-12-01"
    sa.Column("starts_at", Moment, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("number", sa.Text),  # of the issue that stands in it, once it is due
    sa.Column("edition_hash", sa.Text, sa.ForeignKey("edition.hash")),  # what was held
    sa.Column("campaign_id", Key, sa.ForeignKey("campaign.id")),
    sa.Column("hold_until", Moment),  # while it is holding
    sa.Column("reminded", sa.Integer),  # hours before it, of the last look for an approval
    sa.Column("postponed_by", sa.Text),  # who moved it; such a slot keeps its time
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("updated_at", Moment, nullable=False),
    sa.CheckConstraint(
        "state IN ('planned', 'holding', 'stopped', 'sending', 'sent', 'skipped', 'late')",
        name="state",
    ),
)

# ── the public side ─────────────────────────────────────────────────────────

# Editions that stand in the archive without a campaign: back issues, put there by hand.
publication = sa.Table(
    "publication",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),  # the issue's, as in "2.20"
    sa.Column("edition_hash", sa.Text, sa.ForeignKey("edition.hash"), nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("published_by", sa.Text, nullable=False),
)

# A reader's wish to be passed over by so many issues; goes when the pause ends.
pause = sa.Table(
    "pause",
    metadata,
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("issues", sa.SmallInteger, nullable=False),
)

# Mail to one reader about their own subscription, that waits to leave or has left.
notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("subscriber_id", Key, sa.ForeignKey("subscriber.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # confirm | welcome | known
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("not_before", Moment, nullable=False),  # moved before each attempt
    sa.Column("ended_at", Moment),
    sa.Column("outcome", sa.Text),  # accepted | failed | void, once it has ended
    sa.Column("reply", sa.Text),  # the last thing that was said about it, without addresses
    sa.CheckConstraint("kind IN ('confirm', 'welcome', 'known')", name="kind"),
    sa.CheckConstraint("outcome IN ('accepted', 'failed', 'void')", name="outcome"),
)
sa.Index("ix_notice_subscriber_id", notice.c.subscriber_id)
sa.Index(
    "ix_notice_not_before",
    notice.c.not_before,
    sqlite_where=notice.c.ended_at.is_(None),
    postgresql_where=notice.c.ended_at.is_(None),
)

# Who may use the JSON API, and for what. Only a hash of the key is kept.
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True),  # SHA-256, 32 bytes
    sa.Column("scopes", sa.Text, nullable=False),  # "metrics status subscribe", in that order
    sa.Column("origins", sa.Text, nullable=False, server_default=""),  # of pages that may use it
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("revoked_at", Moment),
)
sa.Index(
    "uq_api_key_name",
    api_key.c.name,
    unique=True,
    sqlite_where=api_key.c.revoked_at.is_(None),
    postgresql_where=api_key.c.revoked_at.is_(None),
)

# How often the pages of an issue were looked at, a row a day. Knows nobody.
view = sa.Table(
    "view",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),  # of UTC, as in "2026-12-01"
    sa.Column("number", sa.Text, primary_key=True),  # the issue's
    sa.Column("form", sa.Text, primary_key=True),  # web | pdf
    sa.Column("count", sa.BigInteger, nullable=False),
)
