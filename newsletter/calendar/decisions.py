"""What people decide about slots: stop, skip, postpone, send late. Each is audited.

All functions want a transaction that writes. Refuses to touch a slot whose edition is on
its way: pausing or cancelling its campaign is what stops that; says what is possible.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.calendar.slot_rows import (
    SlotRow,
    SlotState,
    change,
    following,
    local_time,
    note,
    planned,
    row_of,
    rows,
)
from newsletter.calendar.slots import between, slot_on
from newsletter.config.schedule import YEARS, ScheduleConfig
from newsletter.delivery.campaign import one_after_the_other
from newsletter.errors import UsageError
from newsletter.store.insert import add_new
from newsletter.store.tables import slot

_DAY = timedelta(days=1)
_ON_ITS_WAY = (SlotState.SENDING, SlotState.SENT)
_OPEN = (SlotState.LATE, SlotState.STOPPED, SlotState.SKIPPED)  # a person may still send


def stop(conn: sa.Connection, schedule: ScheduleConfig, *, now: datetime, actor: str) -> SlotRow:
    """Stop the slot that is held, so that nothing goes out at it by itself; return it.

    Raises:
        UsageError: none is held; the hint says what else stops what.
    """
    one_after_the_other(conn)
    for row in rows(conn, SlotState.HOLDING):
        reason = f"stopped by {actor}"
        changes: dict[str, Any] = {"reason": reason, "hold_until": None}
        change(conn, row, now=now, actor=actor, state=SlotState.STOPPED, **changes)
        return row
    for row in rows(conn, SlotState.SENDING):
        raise UsageError(
            f"nothing is held: Vol {row.number} is being sent already",
            hint=f"newsletter pause {row.number} stops it, newsletter cancel {row.number} ends it",
        )
    coming = following(conn, schedule, now)
    raise UsageError(
        "nothing is held at this moment",
        hint="there is no slot to come"
        if coming is None
        else f"the next slot is {local_time(coming.starts_at, schedule)}; "
        f"newsletter skip {coming.day} leaves it out",
    )


def skip(
    conn: sa.Connection, schedule: ScheduleConfig, day: date, *, now: datetime, actor: str
) -> SlotRow:
    """Let nothing go out at the slot of *day*, by its anchor or its local day; return it.

    Raises:
        UsageError: there is none, it is over, or its edition is on its way.
    """
    row, is_stored = _find(conn, schedule, day)
    _refuse_on_its_way(row)
    if row.state is SlotState.SKIPPED:
        raise UsageError(
            f"the slot of {row.day} is skipped already: {row.reason}",
            hint=f'newsletter postpone {row.day} --to "… 10:00" brings it back',
        )
    if not is_stored and row.starts_at <= now:
        raise UsageError(f"the slot of {row.day} is over, and nothing was sent at it")
    skipped = SlotRow(
        day=row.day,
        starts_at=row.starts_at,
        state=SlotState.SKIPPED,
        postponed_by=row.postponed_by,
        reason=f"skipped by {actor}",
    )
    _write(conn, skipped, is_stored=is_stored, now=now, actor=actor)
    return skipped


def postpone(
    conn: sa.Connection,
    schedule: ScheduleConfig,
    day: date,
    *,
    to: datetime,
    now: datetime,
    actor: str,
) -> SlotRow:
    """Move the slot of *day* to the moment *to* (aware); the others stay. Return it.

    Raises:
        UsageError: there is none, its edition is on its way, *to* is over, another slot is
            on that local day, or a skipped one at that very moment.
    """
    row, is_stored = _find(conn, schedule, day)
    _refuse_on_its_way(row)
    if to <= now:
        raise UsageError(
            f"{local_time(to, schedule)} is over",
            hint="choose a time to come"
            if row.starts_at > now
            else f"newsletter send-late {row.day} sends now what is approved",
        )
    _refuse_second_slot(conn, schedule, row, to)
    moved = SlotRow(day=row.day, starts_at=to, postponed_by=actor)
    _write(conn, moved, is_stored=is_stored, now=now, actor=actor)
    return moved


def send_late(
    conn: sa.Connection, schedule: ScheduleConfig, day: date, *, now: datetime, actor: str
) -> SlotRow:
    """Let the slot of *day*, which is late, stopped or skipped, begin now; return it.

    The scheduler then holds what is approved and sends it, as at any slot.

    Raises:
        UsageError: there is none, it needs no help, or the next slot is near.
    """
    row, is_stored = _find(conn, schedule, day)
    _refuse_on_its_way(row)
    if row.state is SlotState.HOLDING:
        raise UsageError(
            f"Vol {row.number} is held, and goes out by itself: "
            f"{local_time(row.hold_until or row.starts_at, schedule)}",
            hint="newsletter stop stops it",
        )
    if row.starts_at > now or (is_stored and row.state not in _OPEN):
        raise UsageError(
            f"the slot of {row.day} is not late: it begins {local_time(row.starts_at, schedule)}",
            hint=f'newsletter postpone {row.day} --to "… 10:00" moves it',
        )
    coming = following(conn, schedule, row.starts_at)
    if coming is not None and now >= coming.starts_at - timedelta(minutes=schedule.hold):
        raise UsageError(
            f"the slot of {row.day} is too long ago: the next one is "
            f"{local_time(coming.starts_at, schedule)}",
            hint=f"what is approved goes out there, or by newsletter send-late {coming.day}",
        )
    begun = SlotRow(day=row.day, starts_at=now, postponed_by=actor, reason="sent late")
    _write(conn, begun, is_stored=is_stored, now=now, actor=actor)
    return begun


# ── finding ─────────────────────────────────────────────────────────────────


def require_known(day: date) -> None:
    """Raise UsageError for a day of a year in which no schedule has slots."""
    if day.year not in YEARS:
        raise UsageError(
            f"there is no slot on {day}: it lies outside the years {YEARS[0]} to {YEARS[-1]}",
            hint="newsletter schedule lists the slots",
        )


def _find(conn: sa.Connection, schedule: ScheduleConfig, day: date) -> tuple[SlotRow, bool]:
    """The slot that is known by *day*, else the one at that local day; and if it has a row."""
    require_known(day)
    one_after_the_other(conn)
    row = row_of(conn, day)
    if row is not None:
        return row, True
    found = slot_on(schedule, day)
    if found is not None:
        return planned(found), False
    for row, is_stored in _on_local_day(conn, schedule, day):
        return row, is_stored
    noon = datetime.combine(day, time(12), ZoneInfo(schedule.timezone))
    near = between(schedule, noon - 40 * _DAY, noon + 40 * _DAY)
    near.sort(key=lambda s: abs(s.starts_at - noon))
    names = ", ".join(str(s.day) for s in sorted(near[:3], key=lambda s: s.day))
    raise UsageError(
        f"there is no slot on {day}",
        hint=f"slots near it: {names}" if names else "newsletter schedule lists the slots",
    )


def _on_local_day(
    conn: sa.Connection, schedule: ScheduleConfig, day: date
) -> list[tuple[SlotRow, bool]]:
    """The slots that begin on the local *day*, and whether each has a row."""
    zone = ZoneInfo(schedule.timezone)
    noon = datetime.combine(day, time(12), zone)
    stored = {row.day: row for row in rows(conn)}
    computed = [planned(s) for s in between(schedule, noon - 2 * _DAY, noon + 2 * _DAY)]
    known = [(row, True) for row in stored.values()]
    known += [(row, False) for row in computed if row.day not in stored]
    return [(row, has) for row, has in known if row.starts_at.astimezone(zone).date() == day]


# ── refusing, writing ───────────────────────────────────────────────────────


def _refuse_on_its_way(row: SlotRow) -> None:
    if row.state in _ON_ITS_WAY:
        done = "was sent" if row.state is SlotState.SENT else "is being sent"
        raise UsageError(
            f"Vol {row.number} {done} at the slot of {row.day}",
            hint=None
            if row.state is SlotState.SENT
            else f"newsletter pause {row.number} stops it, newsletter cancel {row.number} ends it",
        )


def _refuse_second_slot(
    conn: sa.Connection, schedule: ScheduleConfig, row: SlotRow, to: datetime
) -> None:
    local = to.astimezone(ZoneInfo(schedule.timezone)).date()
    for other, _ in _on_local_day(conn, schedule, local):
        if other.day != row.day and other.state is not SlotState.SKIPPED:
            raise UsageError(
                f"on {local} is another slot: {local_time(other.starts_at, schedule)}",
                hint=f"choose another day, or first newsletter skip {other.day}",
            )


def _refuse_same_moment(conn: sa.Connection, after: SlotRow) -> None:
    """No two slots have one moment, whatever became of them."""
    same = sa.select(slot.c.day, slot.c.state).where(
        slot.c.starts_at == after.starts_at, slot.c.day != after.day.isoformat()
    )
    other = conn.execute(same).one_or_none()
    if other is not None:
        raise UsageError(
            f"the slot of {after.day} would begin at the very moment of that of {other.day}, "
            f"which is {other.state}",
            hint=f"newsletter postpone {after.day} to another minute",
        )


def _write(
    conn: sa.Connection,
    after: SlotRow,
    *,
    is_stored: bool,
    now: datetime,
    actor: str,
) -> None:
    _refuse_same_moment(conn, after)
    values = {
        "state": after.state.value,
        "starts_at": after.starts_at,
        "number": after.number,
        "edition_hash": after.edition_hash,
        "campaign_id": after.campaign_id,
        "hold_until": after.hold_until,
        "reminded": after.reminded,
        "postponed_by": after.postponed_by,
        "reason": after.reason,
        "updated_at": now,
    }
    if is_stored:
        ours = slot.c.day == after.day.isoformat()
        conn.execute(sa.update(slot).where(ours).values(**values))
    else:
        add_new(conn, slot, {"day": after.day.isoformat(), **values})
    what = "postponed" if after.state is SlotState.PLANNED else after.state
    note(conn, after.day, what, now=now, actor=actor, detail=after.starts_at.isoformat())
