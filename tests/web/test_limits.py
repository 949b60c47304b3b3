"""Limits by network: a window that slides, bounded in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.web import limits
from newsletter.web.limits import Limiter, network_of

HOUR = 3600.0


def test_so_many_are_admitted_and_no_more():
    limiter = Limiter(3, HOUR)
    assert [limiter.admits("a", 10.0) for _ in range(5)] == [True, True, True, False, False]


def test_one_network_does_not_use_up_what_another_may():
    limiter = Limiter(1, HOUR)
    assert limiter.admits("a", 0.0)
    assert limiter.admits("b", 0.0)


def test_who_waits_two_windows_may_ask_again():
    limiter = Limiter(2, HOUR)
    assert limiter.admits("a", 0.0)
    assert limiter.admits("a", 0.0)
    assert not limiter.admits("a", 0.0)
    assert limiter.admits("a", 2 * HOUR)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=80))
def test_any_window_holds_at_most_twice_the_number(moments: list[float]):
    limiter = Limiter(5, 100.0)
    admitted = [moment for moment in sorted(moments) if limiter.admits("a", moment)]
    for start in admitted:
        assert sum(start <= moment < start + 100.0 for moment in admitted) <= 10


def test_memory_stays_bounded_whoever_asks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "_MAX_KEYS", 100)
    limiter = Limiter(1, HOUR)
    for number in range(1_000):
        limiter.admits(str(number), 0.0)
    assert len(limiter._counts) <= 100


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_one_customer_is_one_network(client: str, network: str):
    assert network_of(client) == network
