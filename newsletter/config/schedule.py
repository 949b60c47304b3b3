"""The keys of `newsletter.toml` about the calendar: when editions go out, and who approves them.

Says what may stand there and what contradicts itself. Refuses to compute a slot:
that is `newsletter.calendar.slots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Literal

from newsletter.config.form import Section, key, time_zone

YEARS = range(1970, 2201)  # a slip of the keyboard is likelier than a slot outside them


# ── checks: each returns the value, or raises ValueError that says what is wrong ────


def _known(value: date) -> date:
    if value.year not in YEARS:
        raise ValueError(f"{value} lies outside the years {YEARS[0]} to {YEARS[-1]}")
    return value


def _known_days(values: tuple[date, ...]) -> tuple[date, ...]:
    return tuple(sorted({_known(value) for value in values}))


def _days_or_times(values: tuple[str, ...]) -> tuple[str, ...]:
    moments = sorted(_day_or_time(value) for value in values)
    for earlier, later in pairwise(moments):
        if earlier[:10] == later[:10]:
            raise ValueError(f"{later[:10]} stands there twice, and a day has one slot")
    return tuple(moments)


def _day_or_time(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"“{text}” is no slot; write a day, 2026-03-01, or a local time, 2026-03-01T18:00:00"
        ) from error
    if moment.tzinfo is not None:
        raise ValueError(f"“{text}” has an offset; times here are of `timezone`: leave it out")
    day = _known(moment.date()).isoformat()
    return day if len(text) == len(day) else moment.isoformat(timespec="seconds")


def _days_of_month(values: tuple[int | str, ...]) -> tuple[int | str, ...]:
    for value in values:
        if value != "last" and not (isinstance(value, int) and 1 <= value <= 31):
            shown = value if isinstance(value, int) else f"“{value}”"
            raise ValueError(f'{shown} is not a day of the month; write 1 to 31, or "last"')
    return values


def _countries(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value.upper() not in _country_codes():
            raise ValueError(f"“{value}” is not a country; write its two letters, as in US or JP")
    return tuple(dict.fromkeys(value.upper() for value in values))


@cache
def _country_codes() -> frozenset[str]:
    """ISO 3166 codes, as the time-zone database lists them.

    Each has its holidays in the package `holidays`, whose import would cost every command 0.2 s.
    """
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#"))


def _hours(values: tuple[int, ...]) -> tuple[int, ...]:
    for value in values:
        if not 1 <= value <= 720:
            raise ValueError(f"{value} is not a number of hours from 1 to 720")
    return tuple(sorted(set(values), reverse=True))


# ── sections ────────────────────────────────────────────────────────────────


class ScheduleConfig(Section, frozen=True, kw_only=True):
    """When editions go out: every so often from a first day on, or on days of the month."""

    first: (
        Annotated[
            date, key("Day of the first slot; it anchors all that follow `every`.", check=_known)
        ]
        | None
    ) = None
    every: (
        Annotated[
            str,
            key(
                'From slot to slot, as in "2 weeks" or "10 days"; default: 2 weeks.',
                pattern=r"^[1-9][0-9]{0,2} (days?|weeks?)$",
            ),
        ]
        | None
    ) = None
    days: Annotated[
        tuple[int | str, ...],
        key(
            'Instead of `first`: days of the month, as in [15, "last"]. In a month without '
            "such a day, its last.",
            check=_days_of_month,
        ),
    ] = ()
    at: Annotated[
        str,
        key("Local time of day, off the full hour.", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    ] = "09:53"
    timezone: Annotated[str, key("IANA time zone of `at`.", check=time_zone)] = "UTC"
    shift: Annotated[
        Literal["none", "previous-workday", "next-workday"],
        key("Where a slot goes that falls on a weekend or a holiday; the others stay."),
    ] = "none"
    holidays: Annotated[
        tuple[str, ...],
        key(
            "Countries whose weekends and public holidays are days off, as in US, JP; "
            "default: Saturday and Sunday.",
            check=_countries,
        ),
    ] = ()
    skip: Annotated[
        tuple[date, ...],
        key("Days without a slot, named before or after the shift.", check=_known_days),
    ] = ()
    extra: Annotated[
        tuple[str, ...],
        key(
            "Days with a slot besides, as in 2026-03-01, or local times, as in "
            "2026-03-01T18:00:00; never shifted.",
            check=_days_or_times,
        ),
    ] = ()
    hold: Annotated[
        int, key("Minutes at the slot in which sending can still be stopped.", ge=0, le=1440)
    ] = 10
    max_late: Annotated[
        int, key("Hours after the slot until which it is caught up by itself.", ge=0, le=168)
    ] = 6
    reminders: Annotated[
        tuple[int, ...],
        key(
            "Hours before the slot when editors are reminded, while nothing is approved.",
            check=_hours,
        ),
    ] = (48, 24, 2)

    @property
    def days_between(self) -> int:
        """Days from anchor to anchor of a schedule with `first`."""
        count, unit = (self.every or "2 weeks").split()
        return int(count) * (7 if unit.startswith("week") else 1)

    @property
    def is_set(self) -> bool:
        """Whether any slot is planned at all."""
        return bool(self.first or self.days or self.extra)

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if self.first and self.days:
            yield "days", "cannot stand beside first: keep one of them"
        elif self.every and not self.first:
            remedy = "it is for first, not for days" if self.days else "add first = 2026-03-01"
            yield "every", f"has no day to count from: {remedy}"
        if self.holidays and self.shift == "none":
            yield "holidays", 'does nothing without a shift: add shift = "previous-workday"'


class ReviewConfig(Section, frozen=True, kw_only=True):
    """Who must approve an edition before it is sent."""

    approvals: Annotated[int, key("How many people must approve.", ge=1, le=10)] = 1
    self_approval: Annotated[
        bool, key("Whether somebody may approve what they have written themselves.")
    ] = True
