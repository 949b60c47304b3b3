"""Stay on the list without mail for a while: until one says so, or for so many issues.

A pause for issues ends by itself, when the next one is frozen; so nobody who forgets
about it stays away for ever. Never wakes anybody who left or is suppressed.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.audience.model import Status
from newsletter.audience.reading import locked
from newsletter.errors import UsageError
from newsletter.store.tables import audit, campaign, subscriber
from newsletter.store.tables import pause as table

MAX_ISSUES = 26  # a year of an issue every two weeks

_NEWSLETTER = "newsletter"  # the actor of what happens by itself
_RESUME = "subscriber.resume"


def pause(conn: sa.Connection, subscriber_id: int, *, now: datetime, actor: str) -> bool:
    """Mail nothing to an active person until `resume`; False for anybody else."""
    if not _move(conn, subscriber_id, Status.ACTIVE, Status.PAUSED, now):
        return False
    end_pause(conn, subscriber_id)
    write_audit(conn, "subscriber.pause", actor=actor, now=now, subscriber_id=subscriber_id)
    return True


def pause_for(
    conn: sa.Connection, subscriber_id: int, issues: int, *, now: datetime, actor: str
) -> bool:
    """Pass a person over by the next *issues* issues, counted from *now*.

    Takes the place of any pause before it. False for one who is neither active nor paused.

    Raises:
        UsageError: not between 1 and `MAX_ISSUES` issues.
    """
    if not 1 <= issues <= MAX_ISSUES:
        raise UsageError(f"a pause is for 1 to {MAX_ISSUES} issues")
    row = locked(conn, subscriber.c.id == subscriber_id)
    if row is None or row.status not in (Status.ACTIVE, Status.PAUSED):
        return False
    _move(conn, subscriber_id, Status.ACTIVE, Status.PAUSED, now)
    end_pause(conn, subscriber_id)
    conn.execute(sa.insert(table), {"subscriber_id": subscriber_id, "since": now, "issues": issues})
    action, detail = "subscriber.pause", f"for {issues} {'issue' if issues == 1 else 'issues'}"
    write_audit(conn, action, actor=actor, now=now, subscriber_id=subscriber_id, detail=detail)
    return True


def resume(conn: sa.Connection, subscriber_id: int, *, now: datetime, actor: str) -> bool:
    """End a pause; False for a person who is not paused."""
    if not _move(conn, subscriber_id, Status.PAUSED, Status.ACTIVE, now):
        return False
    end_pause(conn, subscriber_id)
    write_audit(conn, _RESUME, actor=actor, now=now, subscriber_id=subscriber_id)
    return True


def resume_due(conn: sa.Connection, number: str, *, now: datetime) -> int:
    """Wake everybody whose pause is over before issue *number* is frozen; return how many.

    An issue has come out when a campaign of it to everyone was made after the pause began
    and is not cancelled. *number* itself never counts: it is what they wait for.
    """
    due = (
        sa.select(table.c.subscriber_id)
        .where(_passed(number).scalar_subquery() >= table.c.issues)
        .scalar_subquery()
    )
    woken = (
        sa.update(subscriber)
        .where(subscriber.c.id.in_(due), subscriber.c.status == Status.PAUSED.value)
        .values(status=Status.ACTIVE.value, updated_at=now)
        .returning(subscriber.c.id)
    )
    ids = conn.scalars(woken).all()
    # Also what an import has left of people who are not paused any more.
    paused = sa.select(subscriber.c.id).where(subscriber.c.status == Status.PAUSED.value)
    conn.execute(sa.delete(table).where(table.c.subscriber_id.not_in(paused.scalar_subquery())))
    if ids:
        row = {"at": now, "actor": _NEWSLETTER, "action": _RESUME, "detail": f"before Vol {number}"}
        conn.execute(sa.insert(audit), [{**row, "subscriber_id": each} for each in ids])
    return len(ids)


def issues_left(conn: sa.Connection, subscriber_id: int) -> int | None:
    """How many issues will still pass a paused person over; None: there is no such pause.

    0: the next one reaches them.
    """
    query = (
        sa.select(table.c.issues - _passed("").scalar_subquery())
        .join(subscriber, subscriber.c.id == table.c.subscriber_id)
        .where(subscriber.c.id == subscriber_id, subscriber.c.status == Status.PAUSED.value)
    )
    left = conn.scalar(query)
    return None if left is None else max(0, left)


def end_pause(conn: sa.Connection, *subscriber_ids: int) -> None:
    """Delete the pause for issues of each, whatever their status."""
    conn.execute(sa.delete(table).where(table.c.subscriber_id.in_(subscriber_ids)))


def _passed(number: str) -> sa.Select[int]:
    """Count the issues other than *number* that came out since the pause of the row around it."""
    return (
        sa.select(sa.func.count(campaign.c.number.distinct()))
        .where(
            campaign.c.audience == "",
            campaign.c.state != "cancelled",
            campaign.c.created_at > table.c.since,
            campaign.c.number != number,
        )
        .correlate(table)
    )


def _move(
    conn: sa.Connection, subscriber_id: int, before: Status, after: Status, now: datetime
) -> bool:
    moved = conn.execute(
        sa.update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.status == before.value)
        .values(status=after.value, updated_at=now)
    )
    return moved.rowcount == 1
