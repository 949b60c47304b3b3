"""Compute the slots of a schedule: pure functions of the configuration and a time.

The anchor never moves: day k is `first` + k × `every`, counted in local days, so that no
daylight saving, leap year or ISO week 53 shifts it. Each slot is shifted by itself.
Refuses to know the clock and the database; what became of a slot stands there.

- A slot is known by its anchor's day. An extra on that day takes the slot's place.
- `skip` goes before all: it names the anchor's day or the day after the shift.
- Slots that fall on one day after the shift are one: that of the earlier anchor.
- A local time that the clock skips is moved forward by as much as the clock is; of a
  local time that comes twice the first counts (both as `fold=0` has it, PEP 495).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from newsletter.config.schedule import ScheduleConfig
from newsletter.errors import ConfigError

if TYPE_CHECKING:
    from holidays import HolidayBase

LONGEST_SHIFT = 14  # days; countries together may have no workday at all
_MARGIN = timedelta(days=LONGEST_SHIFT + 2)  # a zone that changes sides of the date line: 1 more
_END = datetime(9900, 1, 1, tzinfo=UTC)  # before dates overflow


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A date and time on the publication calendar."""

    day: date  # of the anchor, local, before any shift: what the slot is known by
    starts_at: datetime  # UTC
    local: datetime  # the same moment in the schedule's zone, to show; compare by starts_at
    note: str  # why it is not where one would look for it, or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planned:
    day: date
    wall: datetime  # naive, local
    note: str


def require_schedule(schedule: ScheduleConfig) -> None:
    """Raise ConfigError, which says how to make a schedule, where there is none."""
    if not schedule.is_set:
        raise ConfigError(
            "newsletter.toml has no schedule",
            hint='put below [schedule]: first = 2026-03-03 and every = "2 weeks"',
        )


def upcoming(schedule: ScheduleConfig, after: datetime) -> Iterator[Slot]:
    """Yield the slots after *after* (aware), in order; without end where the schedule has none."""
    start = after + datetime.resolution
    end = _END if schedule.first or schedule.days else _after_the_last_extra(schedule)
    step = timedelta(days=max(128, schedule.days_between))
    while start < end:
        yield from between(schedule, start, start + step)
        start += step


def between(schedule: ScheduleConfig, start: datetime, end: datetime) -> list[Slot]:
    """List the slots from *start* on and before *end* (both aware), in order."""
    zone = ZoneInfo(schedule.timezone)
    earliest = start.astimezone(zone).date() - _MARGIN
    latest = end.astimezone(zone).date() + _MARGIN
    slots: dict[datetime, Slot] = {}
    for planned in _planned(schedule, earliest, latest):
        slot = _at(planned, zone)
        slots.setdefault(slot.starts_at, slot)
    return [slots[moment] for moment in sorted(slots) if start <= moment < end]


def slot_on(schedule: ScheduleConfig, day: date) -> Slot | None:
    """Return the slot that is known by *day*; None where it is skipped, or none is planned."""
    noon = datetime.combine(day, time(12), UTC)
    near = between(schedule, noon - _MARGIN, noon + _MARGIN)
    return next((slot for slot in near if slot.day == day), None)


def _after_the_last_extra(schedule: ScheduleConfig) -> datetime:
    last = max(_extras(schedule), default=date.min)
    return datetime.combine(last, time(), UTC) + _MARGIN


def _at(planned: _Planned, zone: ZoneInfo) -> Slot:
    starts_at = planned.wall.replace(tzinfo=zone).astimezone(UTC)
    local = starts_at.astimezone(zone)
    notes = [planned.note] if planned.note else []
    if local.replace(tzinfo=None) != planned.wall:
        notes.append(f"moved by daylight saving: the clock skips {planned.wall:%H:%M}")
    return Slot(day=planned.day, starts_at=starts_at, local=local, note="; ".join(notes))


# ── days ────────────────────────────────────────────────────────────────────


def _planned(schedule: ScheduleConfig, earliest: date, latest: date) -> list[_Planned]:
    """What is planned for the anchors from *earliest* to *latest*, at most one for each day."""
    at = time.fromisoformat(schedule.at)
    extras = {
        day: _Planned(day=day, wall=wall, note="extra") for day, wall in _extras(schedule).items()
    }
    every = {day: _shifted(schedule, day, at) for day in _anchors(schedule, earliest, latest)}
    skipped = set(schedule.skip)
    planned: dict[date, _Planned] = {}
    for day, slot in sorted((every | extras).items()):
        if day not in skipped and slot.wall.date() not in skipped:
            planned.setdefault(slot.wall.date(), slot)
    return list(planned.values())


def _extras(schedule: ScheduleConfig) -> dict[date, datetime]:
    """Local time of each extra, by its day."""
    walls = {}
    for text in schedule.extra:
        wall = datetime.fromisoformat(text if "T" in text else f"{text}T{schedule.at}")
        walls[wall.date()] = wall
    return walls


def _anchors(schedule: ScheduleConfig, earliest: date, latest: date) -> Iterator[date]:
    """Yield the days of the schedule before any shift, in order, both ends included."""
    if schedule.first:
        step = schedule.days_between
        missed = -((schedule.first - earliest).days // step)  # rounded up
        for number in count(max(0, missed)):
            day = schedule.first + timedelta(days=number * step)
            if day > latest:
                return
            yield day
    elif schedule.days:
        for month in range(
            earliest.year * 12 + earliest.month - 1, latest.year * 12 + latest.month
        ):
            start = date(month // 12, month % 12 + 1, 1)
            length = monthrange(start.year, start.month)[1]
            numbers = {length if day == "last" else min(int(day), length) for day in schedule.days}
            for number in sorted(numbers):
                if earliest <= start.replace(day=number) <= latest:
                    yield start.replace(day=number)


# ── shifts ──────────────────────────────────────────────────────────────────


def _shifted(schedule: ScheduleConfig, day: date, at: time) -> _Planned:
    wall = datetime.combine(day, at)
    reason = "" if schedule.shift == "none" else _day_off(day, schedule.holidays)
    if not reason:
        return _Planned(day=day, wall=wall, note="")
    step = timedelta(days=1 if schedule.shift == "next-workday" else -1)
    for distance in range(1, LONGEST_SHIFT + 1):
        if not _day_off(day + distance * step, schedule.holidays):
            note = f"moved from {day:%a} {day.day} {day:%b}: {reason}"
            return _Planned(day=day, wall=wall + distance * step, note=note)
    note = f"on a day off, {reason}: there is no workday within {LONGEST_SHIFT} days"
    return _Planned(day=day, wall=wall, note=note)


def _day_off(day: date, countries: tuple[str, ...]) -> str:
    """Say why nobody works on *day* in one of the *countries*, or "" for a workday."""
    if not countries:
        return "weekend" if day.weekday() >= 5 else ""
    for country in countries:
        calendar = _holidays(country, day.year)
        if not calendar.is_working_day(day):
            if calendar.is_weekend(day):
                return "weekend"
            return f"holiday ({calendar[day]}, {country})"
    return ""


@lru_cache(maxsize=1000)
def _holidays(country: str, year: int) -> HolidayBase:
    """Holidays of one year, with working weekends: what a table knows of them when it grows on
    demand depends on what it was asked before.
    """
    from holidays import country_holidays  # 0.2 s

    return country_holidays(country, years=year, expand=False, language="en_US")
