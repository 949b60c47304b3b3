"""Who gets an issue: everyone who may be mailed when it is frozen, and nobody twice.

One INSERT … SELECT. Leaves out whom another campaign of the same number has reached, may
have reached, or is going to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience.reading import eligible
from newsletter.delivery.model import State, Status
from newsletter.store.tables import campaign, delivery, subscriber

_FREEZING = 0x6E6C667A  # of our advisory lock

_RANGE = 50_000  # ids


def one_after_the_other(conn: sa.Connection) -> None:
    """Let whoever freezes or approves meanwhile wait for the end of this transaction."""
    if conn.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_FREEZING)))


def intended_audience(conn: sa.Connection, number: str, *, tag: str | None) -> int:
    """Count whom `freeze` would take now."""
    who = _audience(number, tag).subquery()
    return conn.scalar(sa.select(sa.func.count()).select_from(who)) or 0


_TAG = "tag:"


def audience_of(tag: str | None) -> str:
    """What `campaign.audience` holds for everyone, or for those with *tag*."""
    return "" if tag is None else f"{_TAG}{tag}"


def tag_of(audience: str) -> str | None:
    """The tag of what `audience_of` gave; None for everyone."""
    return audience.removeprefix(_TAG) or None


def had_elsewhere(number: str, subscriber_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether another campaign of this number reached the subscriber, or may have, or will."""
    other, of = delivery.alias(), campaign.alias()
    may_have = [status.value for status in (Status.SENDING, Status.ACCEPTED, Status.UNCERTAIN)]
    return sa.exists().where(
        other.c.subscriber_id == subscriber_id,
        other.c.campaign_id == of.c.id,
        of.c.number == number,
        sa.or_(
            other.c.status.in_(may_have),
            sa.and_(other.c.status == Status.PENDING.value, of.c.state != State.CANCELLED.value),
        ),
    )


def _audience(number: str, tag: str | None) -> sa.Select[Any]:
    return (
        eligible(tag=tag)
        .with_only_columns(subscriber.c.id)
        .where(~had_elsewhere(number, subscriber.c.id))
    )


def freeze_audience(
    conn: sa.Connection, campaign_id: int, number: str, tag: str | None, now: datetime
) -> int:
    """Write the deliveries of a new campaign, and how many they are; return that."""
    # In order of the primary key: rows that are claimed together lie together.
    who = (
        _audience(number, tag)
        .order_by(subscriber.c.id)
        .add_columns(
            sa.literal(campaign_id),
            sa.literal(Status.PENDING.value),
            sa.literal(now, delivery.c.updated_at.type),
        )
    )
    columns = ["subscriber_id", "campaign_id", "status", "updated_at"]
    last = conn.scalar(sa.select(sa.func.max(subscriber.c.id))) or 0
    number_of = 0
    # By ranges: SQLite keeps what it selects in memory, since it also reads what it writes.
    for start in range(0, last + 1, _RANGE):
        some = who.where(subscriber.c.id.between(start, start + _RANGE - 1))
        insert = sa.insert(delivery).from_select(columns, some)
        # Else SQLAlchemy leaves an INSERT uncounted.
        number_of += conn.execute(insert, execution_options={"preserve_rowcount": True}).rowcount
    conn.execute(sa.update(campaign).where(campaign.c.id == campaign_id).values(intended=number_of))
    return number_of
