"""Durations, speeds and moments as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli.words import duration, moment, speed


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (59.2, "1 minute"),
        (61, "1 minute 1 second"),
        (3_599.5, "1 hour"),
        (7_801, "2 hours 11 minutes"),
        (86_399, "1 day"),
        (200_000, "2 days 8 hours"),
        (400 * 86_400, "400 days"),
    ],
)
def test_durations_have_at_most_two_units_and_are_rounded_up(seconds, words):
    assert duration(seconds) == words


@given(st.floats(0, 1e9))
def test_a_duration_never_promises_less_than_it_takes(seconds):
    sizes = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    words = duration(seconds).split()
    said = sum(
        int(number.replace(",", "")) * sizes[unit.rstrip("s")]
        for number, unit in zip(words[::2], words[1::2], strict=True)
    )
    assert seconds <= said <= max(seconds + 3_600, 1)


def test_slow_speeds_are_told_by_the_minute_and_the_hour():
    assert [speed(each) for each in (15_234.4, 1, 0.2, 0.001)] == [
        "15,234 a second",
        "1 a second",
        "12 a minute",
        "4 an hour",
    ]


def test_another_day_is_named():
    now = datetime(2024, 1, 9, 14, 0, tzinfo=UTC)
    assert moment(datetime(2024, 1, 9, 15, 3, tzinfo=UTC), now) == "15:03 UTC"
    assert moment(datetime(2024, 1, 10, 0, 1, tzinfo=UTC), now) == "2024-01-10 00:01 UTC"
