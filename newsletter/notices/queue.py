"""The notices that wait: put one in, and see how many there are. Sends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.audience.reading import locked
from newsletter.notices.model import Kind
from newsletter.store.tables import notice, subscriber

# Whoever asks can ask again with the same address: these share one limit.
_BY_ANYBODY = (Kind.CONFIRM, Kind.KNOWN)


def enqueue(
    conn: sa.Connection,
    subscriber_id: int,
    kind: Kind,
    *,
    now: datetime,
    per: timedelta = timedelta(0),
) -> bool:
    """Let a notice leave soon; False where the mailbox had one, or has one waiting.

    Within *per*, an address in any letter case gets one confirmation or one reminder that
    it is known, whatever became of that. A welcome waits once.
    """
    person = locked(conn, subscriber.c.id == subscriber_id)
    if person is None or person.identity_hash is None:
        return False
    _one_mailbox_after_the_other(conn, person.identity_hash)
    alike = _BY_ANYBODY if kind in _BY_ANYBODY else (kind,)
    standing = (
        notice.c.kind.in_([each.value for each in alike]),
        sa.or_(notice.c.ended_at.is_(None), notice.c.created_at > now - per),
    )
    own = sa.select(notice.c.id).where(notice.c.subscriber_id == subscriber_id, *standing)
    if conn.execute(own.limit(1)).first() is not None:
        return False
    # A subquery for each recent notice: a join might begin with the whole list, see `reading`.
    whose = sa.select(subscriber.c.identity_hash).where(subscriber.c.id == notice.c.subscriber_id)
    same = whose.scalar_subquery() == person.identity_hash
    other = sa.select(notice.c.id).where(*standing, same)
    if conn.execute(other.limit(1)).first() is not None:
        return False
    row = {"subscriber_id": subscriber_id, "kind": kind.value, "created_at": now}
    conn.execute(sa.insert(notice), {**row, "not_before": now})
    return True


def is_due(conn: sa.Connection, now: datetime) -> bool:
    """Whether there is anything for `newsletter.notices.post.send_due`."""
    return conn.execute(due(now).limit(1)).first() is not None


def due(now: datetime) -> sa.Select[Any]:
    """Select the notices that may leave at *now*, those that have waited longest first."""
    return (
        sa.select(notice)
        .where(notice.c.ended_at.is_(None), notice.c.not_before <= now)
        .order_by(notice.c.not_before, notice.c.id)
    )


def counts(conn: sa.Connection) -> tuple[int, datetime | None]:
    """How many notices wait, and since when the oldest of them has."""
    waiting = sa.select(sa.func.count(), sa.func.min(notice.c.created_at)).where(
        notice.c.ended_at.is_(None)
    )
    number, oldest = conn.execute(waiting).one()
    return number, oldest


def _one_mailbox_after_the_other(conn: sa.Connection, identity_hash: bytes) -> None:
    """Other letter cases are other rows: locking one's own does not keep them apart."""
    if conn.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        key = int.from_bytes(identity_hash[:8], "big", signed=True)
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
