"""The slots as anybody may see them: when issues come, and which have come. Names no draft."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.calendar.ical import Entry
from newsletter.calendar.slot_rows import SlotRow, SlotState, rows, unwritten
from newsletter.calendar.slots import Slot
from newsletter.config.schedule import ScheduleConfig

_COMING, _PAST = 13, 13  # half a year each, at one every two weeks


def public_slots(
    conn: sa.Connection, schedule: ScheduleConfig, now: datetime, *, published: Iterable[str]
) -> list[Entry]:
    """List the slots around *now*, in order; issues are named once they are *published*."""
    if not schedule.is_set:
        return []
    known = set(published)
    written = rows(conn)
    past = [row for row in written if row.starts_at <= now and row.state is SlotState.SENT]
    coming = [row for row in written if row.starts_at > now]
    coming += islice(unwritten(conn, schedule, now), _COMING)
    chosen = [*past[-_PAST:], *sorted(coming, key=lambda row: row.starts_at)[:_COMING]]
    return [_entry(row, schedule, known) for row in chosen]


def _entry(row: SlotRow, schedule: ScheduleConfig, known: set[str]) -> Entry:
    slot = Slot(
        day=row.day,
        starts_at=row.starts_at,
        local=row.starts_at.astimezone(ZoneInfo(schedule.timezone)),
        note="",
    )
    is_out = row.number in known
    return Entry(
        slot=slot,
        label=f"Vol {row.number}" if is_out else "",
        cancelled=row.state is SlotState.SKIPPED,
        sequence=1 if row.postponed_by or row.state is SlotState.SKIPPED else 0,
    )
