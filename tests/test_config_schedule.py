"""[schedule] and [review] of newsletter.toml: what may stand there, and what contradicts itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from holidays.registry import EntityLoader

from newsletter.config import load
from newsletter.config.schedule import ReviewConfig, ScheduleConfig, _country_codes
from newsletter.errors import ConfigError

SOUND = (Path(__file__).parents[1] / "newsletter.toml").read_text(encoding="utf-8")
HEAD = SOUND[: SOUND.index("[schedule]")]
LINE = HEAD.count("\n") + 1  # of the header


def read(tmp_path: Path, section: str, *, review: str = "") -> tuple[ScheduleConfig, ReviewConfig]:
    path = tmp_path / "newsletter.toml"
    path.write_text(f"{HEAD}[schedule]\n{section}\n[review]\n{review}\n", encoding="utf-8")
    config = load(path)
    return config.schedule, config.review


def refused(tmp_path: Path, section: str, *, review: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, section, review=review)
    return caught.value.message.replace(f"{tmp_path}/newsletter.toml:", "")


@pytest.mark.parametrize("text", ["2026-12-01", '"2026-12-01"', '" 2026-12-01 "'])
def test_day_is_written_as_a_date_or_as_text(tmp_path, text):
    schedule, _ = read(tmp_path, f'first = {text}\nevery = "2 weeks"')
    assert schedule.first == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("every", "days"),
    [("1 day", 1), ("10 days", 10), ("1 week", 7), ("2 weeks", 14), ("999 days", 999)],
)
def test_interval_is_read_as_days(tmp_path, every, days):
    schedule, _ = read(tmp_path, f'first = 2026-12-01\nevery = "{every}"')
    assert schedule.days_between == days


def test_interval_is_two_weeks_unless_said(tmp_path):
    assert read(tmp_path, "first = 2026-12-01")[0].days_between == 14


def test_lists_are_read_in_order_and_in_either_writing(tmp_path):
    schedule, _ = read(
        tmp_path,
        "days = [15, 'last']\n"
        'shift = "next-workday"\n'
        'holidays = ["us", "JP", "US"]\n'
        'skip = [2026-12-29, "2026-01-05", 2026-12-29]\n'
        'extra = [2027-01-20T18:00:00, "2026-12-24", 2027-01-19 18:00:00.5, 2027-01-18]\n'
        "reminders = [2, 24, 2]\n",
    )
    assert schedule.days == (15, "last")
    assert schedule.holidays == ("US", "JP")
    assert schedule.skip == (date(2026, 1, 5), date(2026, 12, 29))
    assert schedule.extra == (
        "2026-12-24",
        "2027-01-18",
        "2027-01-19T18:00:00",
        "2027-01-20T18:00:00",
    )
    assert schedule.reminders == (24, 2)


def test_skipped_day_that_is_no_slot_is_no_error(tmp_path):
    schedule, _ = read(tmp_path, "first = 2026-12-01\nskip = [2026-12-02]")
    assert schedule.skip == (date(2026, 12, 2),)


def test_review_is_one_person_who_may_be_the_author_unless_said(tmp_path):
    assert read(tmp_path, "")[1] == ReviewConfig(approvals=1, self_approval=True)
    review = read(tmp_path, "", review="approvals = 2\nself_approval = false")[1]
    assert review == ReviewConfig(approvals=2, self_approval=False)


@pytest.mark.parametrize(
    ("section", "line", "expected"),
    [
        (
            "first = 2026-12-01\ndays = [15]",
            2,
            "schedule.days cannot stand beside first: keep one of them",
        ),
        (
            '\nevery = "2 weeks"',
            2,
            "schedule.every has no day to count from: add first = 2026-03-01",
        ),
        (
            'days = [15]\nevery = "2 weeks"',
            2,
            "schedule.every has no day to count from: it is for first, not for days",
        ),
        (
            'first = 2026-12-01\nholidays = ["US"]',
            2,
            'schedule.holidays does nothing without a shift: add shift = "previous-workday"',
        ),
        (
            'shift = "next-workday"\nholidays = ["US", "Japan"]',
            2,
            "schedule.holidays: “Japan” is not a country; write its two letters, as in US or JP",
        ),
        (
            "first = 2026-12-01T09:00:00",
            1,
            "schedule.first: expected a day, got a day with a time",
        ),
        (
            'first = "1 December"',
            1,
            "schedule.first: it is not a day; write it as in 2026-03-01",
        ),
        ("first = 20261201", 1, "schedule.first: expected a day, got a whole number"),
        ("first = 0206-12-01", 1, "schedule.first: 0206-12-01 lies outside the years 1970 to 2200"),
        (
            "skip = [2026-12-01, 7]",
            1,
            "schedule.skip: expected a day, got a whole number (entry 2)",
        ),
        ("skip = 2026-12-01", 1, "schedule.skip: expected a list, got a day"),
        ("days = [0]", 1, 'schedule.days: 0 is not a day of the month; write 1 to 31, or "last"'),
        (
            'days = ["first"]',
            1,
            'schedule.days: “first” is not a day of the month; write 1 to 31, or "last"',
        ),
        (
            "days = [1.5]",
            1,
            "schedule.days: expected a whole number or text, got a number (entry 1)",
        ),
        (
            'extra = ["soon"]',
            1,
            (
                "schedule.extra: “soon” is no slot; write a day, 2026-03-01, "
                "or a local time, 2026-03-01T18:00:00"
            ),
        ),
        (
            "extra = [2026-12-24T18:00:00Z]",
            1,
            (
                "schedule.extra: “2026-12-24T18:00:00+00:00” has an offset; "
                "times here are of `timezone`: leave it out"
            ),
        ),
        (
            "extra = [2026-12-24, 2026-12-24T18:00:00]",
            1,
            "schedule.extra: 2026-12-24 stands there twice, and a day has one slot",
        ),
        (
            "reminders = [24, 0]",
            1,
            "schedule.reminders: 0 is not a number of hours from 1 to 720",
        ),
    ],
)
def test_mistake_is_named_plainly_at_its_line(tmp_path, section, line, expected):
    assert refused(tmp_path, section) == f"{LINE + line}: {expected}"


@pytest.mark.parametrize("every", ["2 months", "0 weeks", "fortnight", "2weeks", "1000 days"])
def test_interval_in_another_form_says_how_to_write_it(tmp_path, every):
    message = refused(tmp_path, f'first = 2026-12-01\nevery = "{every}"')
    assert message.startswith(f"{LINE + 2}: schedule.every: ")
    assert 'as in "2 weeks" or "10 days"' in message


@pytest.mark.parametrize(
    "review", ["approvals = 0", "approvals = true", 'self_approval = "no"', "self_aproval = true"]
)
def test_review_that_cannot_be_is_refused(tmp_path, review):
    assert refused(tmp_path, "", review=review).startswith(f"{LINE + 3}: review.")


def test_contradictions_and_other_problems_are_reported_at_once(tmp_path):
    message = refused(
        tmp_path, "first = 2026-12-01\ndays = [15]", review="approvals = 0\napproval = 1"
    )
    assert len(message.split("\n")) == 3


def test_every_country_of_the_time_zone_database_has_its_holidays():
    known = set(EntityLoader.get_country_codes(include_aliases=False))
    assert _country_codes() <= known
    assert {"US", "JP"} <= _country_codes()
