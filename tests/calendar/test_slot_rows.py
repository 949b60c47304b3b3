"""Rows follow the schedule until they matter; what people decide is kept and audited."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from simulation import DAY, HOUR, MINUTE, utc

from newsletter.calendar import decisions
from newsletter.calendar.slot_rows import (
    SlotRow,
    SlotState,
    change,
    following,
    local_time,
    row_of,
    rows,
    sync,
)
from newsletter.config.schedule import ScheduleConfig
from newsletter.errors import UsageError
from newsletter.store.engine import Store
from newsletter.store.tables import audit

SCHEDULE = ScheduleConfig(first=date(2026, 12, 1), at="09:53", timezone="America/New_York")
DAY_1, DAY_15 = date(2026, 12, 1), date(2026, 12, 15)
SLOT = utc(2026, 12, 1, 14, 53)
NEXT = SLOT + 14 * DAY


def synced(store: Store, now: datetime, schedule: ScheduleConfig = SCHEDULE) -> list[SlotRow]:
    with store.begin() as conn:
        sync(conn, schedule, now)
        return rows(conn)


def decide(store: Store, name: str, *arguments: Any, now: datetime, **values: Any) -> SlotRow:
    with store.begin() as conn:
        decision = getattr(decisions, name)
        row: SlotRow = decision(conn, SCHEDULE, *arguments, now=now, actor="kim", **values)
        return row


def put(store: Store, state: SlotState, now: datetime, **values: Any) -> None:
    """Bring the first slot into *state*."""
    with store.begin() as conn:
        sync(conn, SCHEDULE, SLOT - HOUR)
        row = row_of(conn, DAY_1)
        assert row is not None
        assert change(conn, row, now=now, state=state, number="2.25", **values)


def audited(store: Store) -> list[tuple[str, str]]:
    with store.read() as conn:
        found = conn.execute(sa.select(audit.c.action, audit.c.actor).order_by(audit.c.id))
        return [(row.action, row.actor) for row in found]


# ── following the schedule ──────────────────────────────────────────────────


def test_slot_gets_its_row_when_its_first_reminder_nears(store):
    assert synced(store, SLOT - 48 * HOUR - MINUTE) == []
    (row,) = synced(store, SLOT - 48 * HOUR)
    assert row == SlotRow(day=DAY_1, starts_at=SLOT)


def test_slots_since_the_last_look_get_rows_and_those_before_the_first_never(store):
    assert [row.day for row in synced(store, NEXT + DAY)] == []
    found = synced(store, NEXT + 29 * DAY)
    assert [row.day for row in found] == [date(2026, 12, 29), date(2027, 1, 12)]


def test_planned_row_follows_its_slot_and_one_that_is_due_does_not(store):
    synced(store, SLOT - HOUR)
    later = ScheduleConfig(first=DAY_1, at="11:00", timezone="America/New_York")
    (row,) = synced(store, SLOT - HOUR, later)
    assert row.starts_at == utc(2026, 12, 1, 16)
    with store.begin() as conn:
        assert change(conn, row, now=SLOT, state=SlotState.HOLDING, number="2.25")
    (row,) = synced(store, SLOT + 3 * HOUR, SCHEDULE)
    assert row.starts_at == utc(2026, 12, 1, 16)


def test_two_slots_that_change_places_are_both_kept(store):
    """Each moment has one slot, also in between."""
    one = ScheduleConfig(extra=("2026-12-01T09:00:00", "2026-12-02T09:00:00"))
    other = ScheduleConfig(extra=("2026-12-01T10:00:00", "2026-12-02T10:00:00"), timezone="UTC")
    synced(store, utc(2026, 12, 1, 0), one)
    found = synced(store, utc(2026, 12, 1, 0), other)
    assert [(row.day.day, row.starts_at.hour) for row in found] == [(1, 10), (2, 10)]


def test_change_is_refused_where_somebody_was_first(store):
    synced(store, SLOT - HOUR)
    with store.begin() as conn:
        row = row_of(conn, DAY_1)
        assert row is not None
        assert change(conn, row, now=SLOT, state=SlotState.HOLDING, hold_until=SLOT)
        assert not change(conn, row, now=SLOT, state=SlotState.LATE)
        assert row_of(conn, DAY_1).state is SlotState.HOLDING
    assert audited(store) == [("slot.holding", "scheduler")]


def test_following_slot_is_the_next_that_is_not_skipped_wherever_it_was_moved(store):
    def next_day(after: datetime) -> date | None:
        with store.read() as conn:
            found = following(conn, SCHEDULE, after)
        return None if found is None else found.day

    assert next_day(SLOT) == DAY_15
    decide(store, "skip", DAY_15, now=SLOT)
    assert next_day(SLOT) == date(2026, 12, 29)
    decide(store, "postpone", date(2026, 12, 29), to=SLOT + DAY, now=SLOT)
    assert next_day(SLOT) == date(2026, 12, 29)
    assert next_day(SLOT + 2 * DAY) == date(2027, 1, 12)


def test_local_time_is_in_the_words_of_the_schedules_zone():
    assert local_time(SLOT, SCHEDULE) == "Tue 1 December 2026, 09:53 America/New_York"


# ── decisions ───────────────────────────────────────────────────────────────


def test_stop_stops_what_is_held_and_is_on_record(store):
    put(store, SlotState.HOLDING, SLOT, hold_until=SLOT + 10 * MINUTE)
    row = decide(store, "stop", now=SLOT + MINUTE)
    assert row.number == "2.25"
    (row,) = synced(store, SLOT + MINUTE)
    assert (row.state, row.reason) == (SlotState.STOPPED, "stopped by kim")
    assert audited(store)[-1] == ("slot.stopped", "kim")


def test_stop_where_nothing_is_held_says_what_stops_what(store):
    with pytest.raises(UsageError, match="nothing is held at this moment") as refused:
        decide(store, "stop", now=SLOT)
    assert "newsletter skip 2026-12-15" in (refused.value.hint or "")
    put(store, SlotState.SENDING, SLOT)
    with pytest.raises(UsageError, match=r"Vol 2\.25 is being sent already") as refused:
        decide(store, "stop", now=SLOT)
    assert "newsletter pause 2.25" in (refused.value.hint or "")


def test_skipped_future_slot_stays_skipped_when_its_time_comes(store):
    decide(store, "skip", DAY_15, now=SLOT)
    found = {row.day: row.state for row in synced(store, NEXT)}
    assert found[DAY_15] is SlotState.SKIPPED
    assert ("slot.skipped", "kim") in audited(store)


def test_slot_is_found_by_its_local_day_too(store):
    decide(store, "postpone", DAY_1, to=SLOT + DAY, now=SLOT - DAY)
    assert decide(store, "skip", date(2026, 12, 2), now=SLOT).day == DAY_1


def test_day_without_a_slot_is_refused_and_the_next_ones_are_named(store):
    with pytest.raises(UsageError, match="there is no slot on 2026-12-07") as refused:
        decide(store, "skip", date(2026, 12, 7), now=SLOT)
    assert "2026-12-01, 2026-12-15, 2026-12-29" in (refused.value.hint or "")


@pytest.mark.parametrize("name", ["skip", "postpone", "send_late"])
@pytest.mark.parametrize("state", [SlotState.SENDING, SlotState.SENT])
def test_slot_whose_issue_is_on_its_way_is_not_touched(store, name, state):
    put(store, state, SLOT)
    values = {"to": NEXT - DAY} if name == "postpone" else {}
    with pytest.raises(UsageError, match=r"Vol 2\.25 (is being|was) sent"):
        decide(store, name, DAY_1, now=SLOT + HOUR, **values)


def test_postponed_slot_keeps_its_time_whatever_the_schedule_says(store):
    decide(store, "postpone", DAY_1, to=SLOT + DAY, now=SLOT - DAY)
    moved = ScheduleConfig(first=date(2026, 12, 3))
    for schedule in (SCHEDULE, moved):
        found = synced(store, SLOT - HOUR, schedule)
        assert found[0].starts_at == SLOT + DAY
    assert ("slot.postponed", "kim") in audited(store)


def test_postponing_into_the_past_or_onto_another_slots_day_is_refused(store):
    with pytest.raises(UsageError, match="is over"):
        decide(store, "postpone", DAY_1, to=SLOT - 3 * DAY, now=SLOT - 2 * DAY)
    with pytest.raises(UsageError, match="on 2026-12-15 is another slot"):
        decide(store, "postpone", DAY_1, to=NEXT + HOUR, now=SLOT - 2 * DAY)
    decide(store, "skip", DAY_15, now=SLOT - 2 * DAY)
    decide(store, "postpone", DAY_1, to=NEXT + HOUR, now=SLOT - 2 * DAY)


@pytest.mark.parametrize("has_row", [False, True])
def test_postponing_to_the_very_moment_of_a_skipped_slot_is_refused(store, has_row):
    if has_row:
        decide(store, "postpone", DAY_1, to=SLOT + HOUR, now=SLOT - 2 * DAY)
    decide(store, "skip", DAY_15, now=SLOT - 2 * DAY)
    with pytest.raises(UsageError, match="very moment of that of 2026-12-15, which is skipped"):
        decide(store, "postpone", DAY_1, to=NEXT, now=SLOT - 2 * DAY)
    moved = decide(store, "postpone", DAY_1, to=NEXT + MINUTE, now=SLOT - 2 * DAY)
    assert moved in synced(store, SLOT - HOUR)


def test_time_that_is_over_names_send_late_only_for_a_slot_that_is_over(store):
    with pytest.raises(UsageError, match="is over") as refused:
        decide(store, "postpone", DAY_1, to=SLOT - 3 * DAY, now=SLOT - 2 * DAY)
    assert refused.value.hint == "choose a time to come"
    put(store, SlotState.LATE, SLOT + DAY)
    with pytest.raises(UsageError, match="is over") as refused:
        decide(store, "postpone", DAY_1, to=SLOT, now=SLOT + DAY)
    assert "newsletter send-late 2026-12-01" in (refused.value.hint or "")


@pytest.mark.parametrize("name", ["skip", "postpone", "send_late"])
@pytest.mark.parametrize("day", [date.min, date(1969, 12, 31), date(2201, 1, 1), date.max])
def test_day_at_the_ends_of_time_has_no_slot(store, name, day):
    values = {"to": NEXT - DAY} if name == "postpone" else {}
    with pytest.raises(UsageError, match=f"there is no slot on {day}"):
        decide(store, name, day, now=SLOT, **values)


@pytest.mark.parametrize("state", [SlotState.LATE, SlotState.STOPPED, SlotState.SKIPPED])
def test_send_late_begins_the_slot_now_until_the_next_one_is_near(store, state):
    put(store, state, SLOT + DAY)
    near = NEXT - 10 * MINUTE
    with pytest.raises(UsageError, match="too long ago"):
        decide(store, "send_late", DAY_1, now=near)
    row = decide(store, "send_late", DAY_1, now=near - MINUTE)
    assert (row.state, row.starts_at) == (SlotState.PLANNED, near - MINUTE)
    assert synced(store, near)[0].starts_at == near - MINUTE


def test_send_late_of_a_slot_that_is_held_or_to_come_is_refused(store):
    with pytest.raises(UsageError, match="is not late"):
        decide(store, "send_late", DAY_15, now=SLOT)
    put(store, SlotState.HOLDING, SLOT, hold_until=SLOT + 10 * MINUTE)
    with pytest.raises(UsageError, match="goes out by itself"):
        decide(store, "send_late", DAY_1, now=SLOT + MINUTE)


def test_send_late_serves_a_slot_that_passed_before_the_scheduler_was_ever_started(store):
    assert synced(store, SLOT + HOUR) == []
    assert decide(store, "send_late", DAY_1, now=SLOT + 2 * HOUR).day == DAY_1
