"""What became of the slots: a row for each that matters, moved by the scheduler or by a person.

The future is computed (`newsletter.calendar.slots`); a slot gets a row when its first
reminder nears. A row that is only planned follows the schedule; one that was moved by a
person keeps its time; one that is done is never touched again. All functions want a
transaction that writes; those that change something take turns, on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.calendar.slots import Slot, between, slot_on, upcoming
from newsletter.config.schedule import ScheduleConfig
from newsletter.delivery.campaign import one_after_the_other
from newsletter.store.insert import add_new
from newsletter.store.tables import setting, slot

SCHEDULER = "scheduler"  # in the audit
WATERMARK = "scheduler_watermark"  # ISO 8601: up to when slots were looked for

# A slot whose time is further ahead than this, though it came due, shows a clock that was set back.
_CLOCK_SLACK = timedelta(minutes=1)


class SlotState(StrEnum):
    PLANNED = "planned"  # its time has not come, or the scheduler has not been there since
    HOLDING = "holding"  # an edition stands in it, and goes out unless somebody stops it
    STOPPED = "stopped"  # a person stopped it, or cancelled its campaign; a person goes on
    SENDING = "sending"  # its campaign is under way
    SENT = "sent"
    SKIPPED = "skipped"  # nothing goes out: nothing was approved, or a person said so
    LATE = "late"  # found too late to be caught up without a person


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotRow:
    """A slot as the database knows it."""

    day: date  # what it is known by: see `slots.Slot`
    starts_at: datetime  # UTC
    state: SlotState = SlotState.PLANNED
    number: str | None = None  # of the issue that stands in it
    edition_hash: str | None = None
    campaign_id: int | None = None
    hold_until: datetime | None = None
    reminded: int | None = None  # hours before it, of the last look for an approval
    postponed_by: str | None = None  # who moved it
    reason: str = ""


# ── reading ─────────────────────────────────────────────────────────────────


def rows(conn: sa.Connection, *states: SlotState) -> list[SlotRow]:
    """List the rows, all or those in *states*, in order of their times."""
    query = sa.select(slot).order_by(slot.c.starts_at)
    if states:
        query = query.where(slot.c.state.in_([state.value for state in states]))
    return [_of_row(row) for row in conn.execute(query)]


def row_of(conn: sa.Connection, day: date) -> SlotRow | None:
    """Return the row of the slot that is known by *day*, if it has one yet."""
    found = conn.execute(sa.select(slot).where(slot.c.day == day.isoformat())).one_or_none()
    return None if found is None else _of_row(found)


def planned(slot_: Slot) -> SlotRow:
    """A computed slot as the row that it will have."""
    return SlotRow(day=slot_.day, starts_at=slot_.starts_at)


def following(conn: sa.Connection, schedule: ScheduleConfig, after: datetime) -> SlotRow | None:
    """Return the first slot after *after* that is not skipped; None where there is no more."""
    return min(
        filter(None, (_next_row(conn, after), next(unwritten(conn, schedule, after), None))),
        key=lambda row: row.starts_at,
        default=None,
    )


def _next_row(conn: sa.Connection, after: datetime) -> SlotRow | None:
    query = sa.select(slot).where(slot.c.starts_at > after, slot.c.state != SlotState.SKIPPED.value)
    found = conn.execute(query.order_by(slot.c.starts_at).limit(1)).one_or_none()
    return None if found is None else _of_row(found)


def unwritten(conn: sa.Connection, schedule: ScheduleConfig, after: datetime) -> Iterator[SlotRow]:
    """Yield the slots of the schedule after *after* that have no row."""
    for found in upcoming(schedule, after):
        if row_of(conn, found.day) is None:
            yield planned(found)


def local_time(moment: datetime, schedule: ScheduleConfig) -> str:
    """ "Tue 1 December 2026, 09:53 America/New_York"."""
    local = moment.astimezone(ZoneInfo(schedule.timezone))
    return f"{local:%a} {local.day} {local:%B %Y, %H:%M} {schedule.timezone}"


def _of_row(row: sa.Row[Any]) -> SlotRow:
    return SlotRow(
        day=date.fromisoformat(row.day),
        starts_at=row.starts_at,
        state=SlotState(row.state),
        number=row.number,
        edition_hash=row.edition_hash,
        campaign_id=row.campaign_id,
        hold_until=row.hold_until,
        reminded=row.reminded,
        postponed_by=row.postponed_by,
        reason=row.reason,
    )


# ── following the schedule ──────────────────────────────────────────────────


def sync(conn: sa.Connection, schedule: ScheduleConfig, now: datetime) -> None:
    """Bring the planned rows in line with the schedule, and add those that are near.

    Near is from the last call on up to the longest reminder ahead. The first call ever
    begins at *now*: what was before is not caught up.
    """
    one_after_the_other(conn)
    near = now + timedelta(hours=max(schedule.reminders, default=0))
    _turn_back(conn, now)
    _follow(conn, schedule, near, now)
    # The clock may have been set back: then the last look lies ahead.
    since = min(_watermark(conn) or now, now) + datetime.resolution
    for found in between(schedule, since, near + datetime.resolution):
        _add(conn, planned(found), now)
    _set_watermark(conn, now)


def _turn_back(conn: sa.Connection, now: datetime) -> None:
    """What came due by a clock that ran ahead, and has not gone out, is planned again."""
    untouched = (SlotState.LATE, SlotState.HOLDING)
    conn.execute(
        sa.update(slot)
        .where(
            slot.c.state.in_([state.value for state in untouched]),
            slot.c.starts_at > now + _CLOCK_SLACK,
        )
        .values(
            state=SlotState.PLANNED.value,
            number=None,
            edition_hash=None,
            hold_until=None,
            reminded=None,
            reason="",
            updated_at=now,
        )
    )


def _follow(conn: sa.Connection, schedule: ScheduleConfig, near: datetime, now: datetime) -> None:
    """Move planned rows to where their slots are now; drop those that are gone or far away."""
    moved = []
    for row in rows(conn, SlotState.PLANNED):
        if row.postponed_by is not None:
            continue
        found = slot_on(schedule, row.day)
        if found is None or found.starts_at != row.starts_at or row.starts_at > near:
            conn.execute(sa.delete(slot).where(slot.c.day == row.day.isoformat()))
            if found is not None and found.starts_at <= near:
                moved.append(found)
    # Only now: one may go where another was.
    for found in moved:
        _add(conn, planned(found), now)


def _add(conn: sa.Connection, row: SlotRow, now: datetime) -> None:
    """Add the row unless the day has one, or another slot was moved to the same moment."""
    values = {
        "day": row.day.isoformat(),
        "starts_at": row.starts_at,
        "state": row.state.value,
        "updated_at": now,
    }
    add_new(conn, slot, values)


def _watermark(conn: sa.Connection) -> datetime | None:
    value = conn.scalar(sa.select(setting.c.value).where(setting.c.name == WATERMARK))
    return None if value is None else datetime.fromisoformat(value)


def _set_watermark(conn: sa.Connection, now: datetime) -> None:
    value = now.astimezone(UTC).isoformat()
    if not add_new(conn, setting, {"name": WATERMARK, "value": value}):
        conn.execute(sa.update(setting).where(setting.c.name == WATERMARK).values(value=value))


# ── moving on ───────────────────────────────────────────────────────────────


def change(
    conn: sa.Connection,
    row: SlotRow,
    *,
    now: datetime,
    actor: str = SCHEDULER,
    state: SlotState | None = None,
    **values: Any,
) -> bool:
    """Write *values* and the new *state* if the row is still as *row* says; whether it was.

    A new state goes into the audit.
    """
    change_ = sa.update(slot).where(
        slot.c.day == row.day.isoformat(),
        slot.c.state == row.state.value,
        slot.c.starts_at == row.starts_at,
        slot.c.hold_until.is_not_distinct_from(row.hold_until),
        slot.c.campaign_id.is_not_distinct_from(row.campaign_id),
        slot.c.reminded.is_not_distinct_from(row.reminded),
    )
    if state is not None:
        values["state"] = state.value
    if conn.execute(change_.values(**values, updated_at=now)).rowcount != 1:
        return False
    if state is not None:
        note(conn, row.day, state, now=now, actor=actor, detail=values.get("reason", ""))
    return True


def note(
    conn: sa.Connection, day: date, what: str, *, now: datetime, actor: str, detail: str = ""
) -> None:
    """Write into the audit what became of the slot of *day*."""
    text = f"{day}: {detail}" if detail else str(day)
    write_audit(conn, f"slot.{what}", actor=actor, now=now, detail=text)
