"""Slots: the anchor never moves, nothing comes twice, nothing is lost, in any zone and any year."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.calendar.slots import (
    LONGEST_SHIFT,
    Slot,
    between,
    require_schedule,
    slot_on,
    upcoming,
)
from newsletter.config.schedule import ScheduleConfig
from newsletter.errors import ConfigError

ZONES = sorted(available_timezones())
ODD_ZONES = (
    "Africa/Casablanca",  # the clock goes back for Ramadan
    "America/Sao_Paulo",  # midnights that did not exist
    "Antarctica/Troll",  # two hours at once
    "Asia/Gaza",  # dates that are decreed, to 2086
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # 30 December 2011 did not exist
)
WITHOUT_30_DECEMBER_2011 = ("Pacific/Apia", "Pacific/Fakaofo")
THIRTY_YEARS = (datetime(2008, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC))

zones = st.sampled_from(ZONES) | st.sampled_from(ODD_ZONES)
days = st.dates(date(2008, 1, 1), date(2037, 12, 31))
times = st.times().map(lambda at: at.strftime("%H:%M"))
moments = st.datetimes(
    *(moment.replace(tzinfo=None) for moment in THIRTY_YEARS), timezones=st.just(UTC)
)
intervals = st.sampled_from(["1 day", "3 days", "1 week", "2 weeks", "4 weeks", "30 days"])
shifts = st.sampled_from(["previous-workday", "next-workday"])


@st.composite
def schedules(draw: st.DrawFn) -> ScheduleConfig:
    """Any schedule, shifts, skips and extras included."""
    if draw(st.booleans()):
        rule = {"first": draw(days), "every": draw(intervals)}
    else:
        month_days = st.integers(1, 31) | st.just("last")
        rule = {"days": tuple(draw(st.lists(month_days, min_size=1, max_size=4)))}
    extras = draw(st.lists(st.tuples(days, times), max_size=5, unique_by=lambda extra: extra[0]))
    return ScheduleConfig(
        **rule,
        at=draw(times),
        timezone=draw(zones),
        shift=draw(st.sampled_from(["none"]) | shifts),
        skip=tuple(draw(st.lists(days, max_size=5))),
        extra=tuple(f"{day}T{at}:00" for day, at in extras),
    )


def anchors_of(first: date, step: int, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]


def wall(slot: Slot) -> datetime:
    return slot.local.replace(tzinfo=None)


def clock_skips(wall_time: datetime, zone: ZoneInfo) -> bool:
    """Whether no moment of the zone reads *wall_time*, found by looking at every one near it."""
    near = wall_time.replace(tzinfo=UTC)
    offsets = {
        (near + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-48, 49)
    }
    return not any(
        (near - offset).astimezone(zone).replace(tzinfo=None) == wall_time
        for offset in offsets
        if offset is not None
    )


# ── every zone, thirty years ────────────────────────────────────────────────


def test_every_two_weeks_in_every_zone_nothing_is_lost_or_comes_twice():
    first = date(2008, 1, 1)
    anchors = anchors_of(first, 14, date(2037, 12, 29))
    for name in ZONES:
        schedule = ScheduleConfig(first=first, at="02:30", timezone=name)
        start, end = (moment.replace(tzinfo=ZoneInfo(name)) for moment in THIRTY_YEARS)
        slots = between(schedule, start, end)
        assert [slot.day for slot in slots] == anchors, name
        assert all(one.starts_at < other.starts_at for one, other in pairwise(slots)), name
        usual = [slot.local for slot in slots if not slot.note]
        assert {f"{local:%H:%M}" for local in usual} == {"02:30"}, name
        assert len(usual) > len(slots) * 0.95, name


@given(first=days, zone=zones, at=times)
@example(first=date(2011, 12, 30), zone="Pacific/Apia", at="09:53")
@example(first=date(2012, 10, 21), zone="America/Sao_Paulo", at="00:00")
@example(first=date(2026, 3, 8), zone="America/New_York", at="02:30")
@example(first=date(2026, 3, 29), zone="Antarctica/Troll", at="01:15")
def test_wall_time_is_kept_except_where_the_clock_skips_it(first, zone, at):
    schedule = ScheduleConfig(first=first, at=at, timezone=zone)
    for slot in islice(upcoming(schedule, datetime(2007, 12, 1, tzinfo=UTC)), 120):
        planned = datetime.combine(slot.day, time.fromisoformat(at))
        if clock_skips(planned, ZoneInfo(zone)):
            assert slot.note == f"moved by daylight saving: the clock skips {at}"
            assert timedelta() < wall(slot) - planned <= timedelta(days=1)
        else:
            assert wall(slot) == planned
            assert not slot.note
        assert slot.local.astimezone(UTC) == slot.starts_at
        assert slot.starts_at.tzinfo is UTC


@given(first=days, zone=zones, every=intervals, start=moments)
def test_anchors_stay_whole_steps_from_the_first_day(first, zone, every, start):
    schedule = ScheduleConfig(first=first, every=every, timezone=zone)
    found = [slot.day for slot in islice(upcoming(schedule, start), 30)]
    assert found[0] >= first
    assert (found[0] - first).days % schedule.days_between == 0
    assert {(later - one).days for one, later in pairwise(found)} == {schedule.days_between}


# ── any schedule ────────────────────────────────────────────────────────────


@given(schedule=schedules(), start=moments)
def test_slots_increase_and_none_is_known_by_the_same_day(schedule, start):
    slots = list(islice(upcoming(schedule, start), 200))
    assert slots[0].starts_at > start
    assert all(one.starts_at < other.starts_at for one, other in pairwise(slots))
    assert max(Counter(slot.day for slot in slots).values()) == 1


@given(schedule=schedules(), start=moments, length=st.integers(0, 1500))
def test_between_agrees_with_upcoming(schedule, start, length):
    end = start + timedelta(days=length)
    follow = upcoming(schedule, start - datetime.resolution)
    expected = []
    for slot in follow:
        if slot.starts_at >= end:
            break
        expected.append(slot)
    assert between(schedule, start, end) == expected


def test_stretch_begins_with_its_start_and_ends_before_its_end():
    schedule = ScheduleConfig(first=date(2026, 1, 1), at="12:00", every="1 day")
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    found = between(schedule, noon, noon + timedelta(days=2))
    assert [slot.day.day for slot in found] == [2, 3]


@given(schedule=schedules(), start=moments, cut=st.integers(0, 400))
def test_cutting_a_stretch_in_two_changes_nothing(schedule, start, cut):
    end = start + timedelta(days=400)
    middle = start + timedelta(days=cut)
    parts = between(schedule, start, middle) + between(schedule, middle, end)
    assert parts == between(schedule, start, end)


@given(schedule=schedules(), start=moments, zone=zones)
def test_zone_in_which_the_question_is_put_does_not_matter(schedule, start, zone):
    asked = start.astimezone(ZoneInfo(zone))
    assert list(islice(upcoming(schedule, asked), 20)) == list(
        islice(upcoming(schedule, start), 20)
    )


@given(schedule=schedules(), start=moments)
def test_slot_is_found_by_its_day(schedule, start):
    for slot in islice(upcoming(schedule, start), 20):
        assert slot_on(schedule, slot.day) == slot


@given(
    first=days,
    zone=zones,
    every=st.sampled_from(["1 day", "3 days", "2 weeks"]),
    skip=st.lists(st.integers(0, 100), max_size=20),
    extra=st.lists(st.integers(0, 100), max_size=20, unique=True),
)
@example(first=date(2011, 12, 29), zone="Pacific/Fakaofo", every="1 day", skip=[], extra=[])
def test_count_is_anchors_less_skips_plus_extras(first, zone, every, skip, extra):
    skipped = {first + timedelta(days=number) for number in skip}
    besides = {first + timedelta(days=number) for number in extra}
    schedule = ScheduleConfig(
        first=first,
        every=every,
        at="12:00",  # a date line crossed at noon would make two days one
        timezone=zone,
        skip=tuple(skipped),
        extra=tuple(map(str, besides)),
    )
    last = first + timedelta(days=100)
    expected = sorted(({*anchors_of(first, schedule.days_between, last)} | besides) - skipped)
    if zone in WITHOUT_30_DECEMBER_2011 and date(2011, 12, 30) in expected:
        expected = [day for day in expected if day != date(2011, 12, 31)]  # the same moment
    start = datetime.combine(first, time(), ZoneInfo(zone))
    found = [slot.day for slot in between(schedule, start, start + timedelta(days=101))]
    assert found == expected


# ── shifts ──────────────────────────────────────────────────────────────────


@given(first=days, zone=zones, shift=shifts, start=moments, every=intervals)
def test_shift_lands_on_a_workday_and_never_moves_the_anchor(first, zone, shift, start, every):
    plain = ScheduleConfig(first=first, every=every, at="12:00", timezone=zone)
    shifted = ScheduleConfig(
        first=first,
        every=every,
        at="12:00",
        timezone=zone,
        shift=shift,
        holidays=("US", "JP"),
    )
    days_ahead = timedelta(days=400)
    anchors = {slot.day for slot in between(plain, start - days_ahead, start + 2 * days_ahead)}
    sign = 1 if shift == "next-workday" else -1
    for slot in between(shifted, start, start + days_ahead):
        assert slot.day in anchors
        if "clock skips" in slot.note:
            continue
        assert slot.local.weekday() < 5
        distance = (slot.local.date() - slot.day).days * sign
        assert 0 <= distance <= LONGEST_SHIFT
        assert bool(distance) == slot.note.startswith("moved from ")


@pytest.mark.parametrize(
    ("shift", "expected", "note"),
    [
        ("none", date(2026, 1, 1), ""),
        ("previous-workday", date(2025, 12, 31), "New Year's Day, US"),
        ("next-workday", date(2026, 1, 2), "New Year's Day, US"),
    ],
)
def test_holiday_moves_one_slot_and_leaves_the_next_where_it_was(shift, expected, note):
    schedule = ScheduleConfig(first=date(2026, 1, 1), shift=shift, holidays=("US",))
    one, other = islice(upcoming(schedule, datetime(2025, 12, 1, tzinfo=UTC)), 2)
    assert (one.day, one.local.date()) == (date(2026, 1, 1), expected)
    assert one.note == (f"moved from Thu 1 Jan: holiday ({note})" if note else "")
    assert (other.day, other.local.date(), other.note) == (date(2026, 1, 15),) * 2 + ("",)


def test_day_off_of_any_named_country_counts():
    schedule = ScheduleConfig(
        first=date(2026, 4, 28), shift="next-workday", holidays=("US", "JP"), every="1 week"
    )
    slot = slot_on(schedule, date(2026, 5, 5))
    assert slot is not None
    # Golden Week: Children's Day on Tuesday, and Wednesday for the Sunday before.
    assert slot.local.date() == date(2026, 5, 7)
    assert slot.note == "moved from Tue 5 May: holiday (Children's Day, JP)"


def test_weekend_is_that_of_the_country_and_saturday_and_sunday_without_one():
    friday = date(2026, 6, 5)
    for holidays, expected in [((), friday), (("SA",), date(2026, 6, 7))]:
        schedule = ScheduleConfig(first=friday, shift="next-workday", holidays=holidays)
        slot = slot_on(schedule, friday)
        assert slot is not None
        assert slot.local.date() == expected


def test_working_saturday_in_a_country_that_has_them_is_a_workday():
    # China works on Saturday 14 February 2026 for the Spring Festival.
    schedule = ScheduleConfig(first=date(2026, 2, 14), shift="next-workday", holidays=("CN",))
    slot = slot_on(schedule, date(2026, 2, 14))
    assert slot is not None
    assert slot.local.date() == date(2026, 2, 14)


def test_slot_stays_where_the_countries_have_no_workday_in_common():
    # Easter, Songkran, Pesach, Golden Week and three kinds of weekend: over three weeks at a run.
    countries = tuple("AE BD CN ID IL IN IR JP KH LK MM NP SA TH".split())
    day = date(2029, 4, 15)
    schedule = ScheduleConfig(first=day, shift="next-workday", holidays=countries)
    slot = slot_on(schedule, day)
    assert slot is not None
    assert slot.local.date() == day
    assert slot.note.endswith("there is no workday within 14 days")


def test_slots_that_fall_on_one_day_are_that_of_the_earlier_anchor():
    schedule = ScheduleConfig(first=date(2026, 1, 1), every="1 day", shift="next-workday")
    start = datetime(2026, 1, 2, tzinfo=UTC)
    slots = between(schedule, start, start + timedelta(days=5))
    assert [(slot.day.day, slot.local.day) for slot in slots] == [(2, 2), (3, 5), (6, 6)]
    assert slot_on(schedule, date(2026, 1, 4)) is None
    assert slot_on(schedule, date(2026, 1, 5)) is None


# ── skips and extras ────────────────────────────────────────────────────────


@pytest.mark.parametrize("named", [date(2026, 1, 3), date(2026, 1, 2)], ids=["anchor", "shifted"])
def test_skip_names_the_anchor_or_the_day_after_the_shift(named):
    schedule = ScheduleConfig(first=date(2026, 1, 3), shift="previous-workday", skip=(named,))
    following = next(upcoming(schedule, datetime(2025, 12, 1, tzinfo=UTC)))
    assert following.day == date(2026, 1, 17)
    assert slot_on(schedule, date(2026, 1, 3)) is None


def test_extra_is_a_slot_of_its_own_and_not_shifted():
    schedule = ScheduleConfig(
        first=date(2026, 1, 1),
        shift="next-workday",
        timezone="Asia/Tokyo",
        extra=("2026-01-10T18:00:07", "2026-01-11"),
    )
    start = datetime(2026, 1, 9, tzinfo=UTC)
    exact, plain = between(schedule, start, start + timedelta(days=4))
    assert (exact.day, exact.note) == (date(2026, 1, 10), "extra")
    assert [f"{wall(slot)}" for slot in (exact, plain)] == [
        "2026-01-10 18:00:07",
        "2026-01-11 09:53:00",
    ]


def test_extra_on_an_anchors_day_takes_the_slots_place():
    schedule = ScheduleConfig(
        first=date(2026, 1, 3), shift="next-workday", extra=("2026-01-03T20:00:00",)
    )
    slots = list(islice(upcoming(schedule, datetime(2026, 1, 1, tzinfo=UTC)), 2))
    assert [f"{wall(slot)}" for slot in slots] == ["2026-01-03 20:00:00", "2026-01-19 09:53:00"]


def test_last_extra_is_still_found_hours_before():
    schedule = ScheduleConfig(extra=("2026-02-03T18:00:00",), timezone="Pacific/Pago_Pago")
    for hour in (0, 12, 23):
        after = datetime(2026, 2, 3, hour, tzinfo=UTC)
        assert [slot.day for slot in upcoming(schedule, after)] == [date(2026, 2, 3)]


def test_extras_alone_are_a_schedule_that_ends():
    schedule = ScheduleConfig(extra=("2026-02-03", "2031-05-06"))
    found = [slot.day for slot in upcoming(schedule, datetime(2026, 1, 1, tzinfo=UTC))]
    assert found == [date(2026, 2, 3), date(2031, 5, 6)]


def test_thousands_of_skips_in_a_row_are_passed_over():
    first = date(2026, 1, 1)
    skip = tuple(first + timedelta(days=number) for number in range(8_000))
    schedule = ScheduleConfig(first=first, every="1 day", skip=skip)
    following = next(upcoming(schedule, datetime(2026, 1, 1, tzinfo=UTC)))
    assert following.day == first + timedelta(days=8_000)


def test_schedule_ends_before_dates_do():
    schedule = ScheduleConfig(first=date(2026, 1, 1), timezone="Pacific/Kiritimati")
    late = datetime(9899, 12, 1, tzinfo=UTC)
    assert 1 <= len(list(upcoming(schedule, late))) <= 30


# ── days of the month ───────────────────────────────────────────────────────


@given(zone=zones, year=st.integers(2008, 2036), month=st.integers(1, 12))
def test_days_of_the_month_come_once_each(zone, year, month):
    schedule = ScheduleConfig(days=(15, "last", 31, 30), at="12:00", timezone=zone)
    start = datetime(year, month, 1, tzinfo=ZoneInfo(zone))
    following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(zone))
    length = monthrange(year, month)[1]
    expected = sorted({15, min(30, length), length})
    if zone in WITHOUT_30_DECEMBER_2011 and (year, month) == (2011, 12):
        expected.remove(31)  # the same moment as the 30th, which did not exist
    assert [slot.day.day for slot in between(schedule, start, following)] == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (datetime(2028, 2, 16, tzinfo=UTC), date(2028, 2, 29)),
        (datetime(2027, 2, 16, tzinfo=UTC), date(2027, 2, 28)),
        (datetime(2026, 4, 16, tzinfo=UTC), date(2026, 4, 30)),
        (datetime(2026, 12, 16, tzinfo=UTC), date(2026, 12, 31)),
    ],
)
@pytest.mark.parametrize("days_of_month", [("last", 15), (15, 31), (29, 30, 31, 15, "last")])
def test_day_that_a_month_lacks_falls_on_its_last(start, expected, days_of_month):
    schedule = ScheduleConfig(days=days_of_month)
    found = [slot.day for slot in between(schedule, start, start + timedelta(days=16))]
    assert found[-1] == expected
    assert len(found) == len(set(found))


# ── the odd corners of clocks and calendars ─────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "first", "at", "expected"),
    [
        ("America/New_York", date(2026, 3, 8), "02:30", "2026-03-08T07:30+00:00"),  # gap: 03:30
        ("America/New_York", date(2026, 11, 1), "01:30", "2026-11-01T05:30+00:00"),  # fold: first
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:10", "2026-10-03T15:40+00:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), "00:00", "2018-11-04T03:00+00:00"),
        ("Antarctica/Troll", date(2026, 3, 29), "01:15", "2026-03-29T01:15+00:00"),
        ("Pacific/Apia", date(2011, 12, 30), "09:53", "2011-12-30T19:53+00:00"),
        ("Africa/Casablanca", date(2026, 2, 15), "02:30", "2026-02-15T01:30+00:00"),
        ("Asia/Gaza", date(2026, 3, 28), "02:30", "2026-03-28T00:30+00:00"),
    ],
)
def test_gap_moves_forward_and_of_a_fold_the_first_counts(zone, first, at, expected):
    slot = slot_on(ScheduleConfig(first=first, at=at, timezone=zone), first)
    assert slot is not None
    assert slot.starts_at == datetime.fromisoformat(expected)


def test_day_that_a_zone_skipped_makes_one_slot_with_the_day_after():
    schedule = ScheduleConfig(first=date(2011, 12, 29), every="1 day", timezone="Pacific/Apia")
    found = [slot.day.day for slot in islice(upcoming(schedule, THIRTY_YEARS[0]), 3)]
    assert found == [29, 30, 1]


@pytest.mark.parametrize("year", [2015, 2020, 2026, 2032, 2037])
def test_year_of_53_weeks_ends_two_weeks_before_the_next_slot(year):
    assert date(year, 12, 28).isocalendar().week == 53
    schedule = ScheduleConfig(first=date(2008, 1, 1), timezone="America/New_York")
    start = datetime(year, 12, 1, tzinfo=UTC)
    slots = between(schedule, start, start + timedelta(days=70))
    assert {later.day - one.day for one, later in pairwise(slots)} == {timedelta(days=14)}


# ── is there one? ───────────────────────────────────────────────────────────


def test_no_schedule_has_no_slots_and_says_how_to_make_one():
    schedule = ScheduleConfig()
    assert not schedule.is_set
    assert list(upcoming(schedule, THIRTY_YEARS[0])) == []
    assert between(schedule, *THIRTY_YEARS) == []
    with pytest.raises(ConfigError) as caught:
        require_schedule(schedule)
    assert "first = " in str(caught.value.hint)


@pytest.mark.parametrize(
    "rule", [{"first": date(2026, 1, 1)}, {"days": ("last",)}, {"extra": ("2026-01-01",)}]
)
def test_each_way_to_plan_a_slot_is_a_schedule(rule):
    schedule = ScheduleConfig(**rule)
    require_schedule(schedule)
    assert schedule.is_set
