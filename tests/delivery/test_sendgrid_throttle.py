"""The throttle of SendGrid requests: up with success, down with refusals, and when to give up."""

from __future__ import annotations

import asyncio

import pytest

from newsletter.delivery.transports.sendgrid_throttle import (
    PATIENCE_REFUSED,
    PATIENCE_UNREACHABLE,
    Throttle,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def entered(throttle: Throttle, tries: int = 20) -> int:
    """How many requests may begin at this moment."""

    async def count() -> int:
        tasks = [asyncio.create_task(throttle.enter()) for _ in range(tries)]
        for _ in range(3):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return len([task for task in tasks if not task.cancelled() and task.done()])

    number = asyncio.run(count())
    for _ in range(number):
        throttle.leave()
    return number


def test_it_begins_with_one_and_grows_to_the_most():
    throttle = Throttle(4, Clock())
    allowed = []
    for _ in range(5):
        allowed.append(entered(throttle))
        throttle.accepted(None)
    assert allowed == [1, 2, 3, 4, 4]


def test_a_refusal_halves_and_then_it_grows_slowly():
    clock = Clock()
    throttle = Throttle(8, clock)
    for _ in range(7):
        throttle.accepted(None)
    assert throttle.refused(3)
    assert entered(throttle) == 0
    clock.now += 3
    assert entered(throttle) == 4
    throttle.accepted(None)
    assert entered(throttle) == 4
    for _ in range(5):
        throttle.accepted(None)
    assert entered(throttle) == 5


def test_refusals_without_a_time_wait_longer_and_longer():
    clock = Clock()
    throttle = Throttle(8, clock)
    waits = []
    for _ in range(8):
        assert throttle.refused(None)
        begin = clock.now
        while entered(throttle) == 0:
            clock.now += 1
        waits.append(clock.now - begin)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_several_requests_that_meet_the_same_refusal_count_once():
    clock = Clock()
    throttle = Throttle(8, clock)
    for _ in range(5):
        throttle.refused(None)
    clock.now += 1
    assert entered(throttle) == 1


def test_it_gives_up_when_refused_for_too_long_or_told_to_wait_too_long():
    clock = Clock()
    throttle = Throttle(8, clock)
    assert throttle.refused(1)
    clock.now += PATIENCE_REFUSED - 1
    assert throttle.refused(1)
    throttle.accepted(None)
    clock.now += 2
    assert throttle.refused(1)
    assert not throttle.refused(PATIENCE_REFUSED + 2)


def test_it_gives_up_on_a_host_that_cannot_be_reached():
    clock = Clock()
    throttle = Throttle(8, clock)
    assert throttle.unreachable()
    clock.now += PATIENCE_UNREACHABLE - 1
    assert throttle.unreachable()
    clock.now += 1
    assert not throttle.unreachable()


def test_it_gives_up_after_three_missing_answers_in_a_row():
    throttle = Throttle(8, Clock())
    assert [throttle.missed() for _ in range(2)] == [True, True]
    throttle.accepted(None)
    assert [throttle.missed() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("wait", "open_at_once"), [(None, True), (5.0, False), (3_600.0, True)])
def test_a_success_that_says_none_remain_pauses_for_a_short_time_only(wait, open_at_once):
    throttle = Throttle(8, Clock())
    throttle.accepted(wait)
    assert (entered(throttle) > 0) is open_at_once
