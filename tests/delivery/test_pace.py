"""Rates: no window is given twice, and no second gets more than its share."""

from __future__ import annotations

import threading
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from newsletter.config.sending import RatesConfig
from newsletter.delivery.pace import Pace
from newsletter.delivery.token_bucket import BURST, Bucket
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import rate_window
from tests.databases import SQLITE, fresh_url

NOW = datetime(2026, 3, 5, 9, 53, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sqlite_store(tmp_path, request):
    with fresh_url(SQLITE, tmp_path, request) as url, open_url(url) as opened:
        yield opened


def claimed(store: Store, pace: Pace, wanted: int, now: datetime = NOW) -> int:
    """Claim as a sender does: what the windows allow, at most *wanted*."""
    with store.begin() as conn:
        allowance = pace.allowance(conn, now)
        number = wanted if allowance is None else min(wanted, allowance)
        pace.use(conn, number, now)
    return number


def opens_at(store: Store, pace: Pace, now: datetime = NOW) -> datetime:
    with store.read() as conn:
        return pace.opens_at(conn, now)


def lines(store: Store, pace: Pace, now: datetime = NOW) -> dict[str, str]:
    with store.read() as conn:
        return dict(pace.lines(conn, now))


# ── windows ─────────────────────────────────────────────────────────────────


def test_without_limits_nothing_is_held_back_and_what_leaves_is_counted_all_the_same(store):
    pace = Pace(RatesConfig())
    assert claimed(store, pace, 700) == 700
    assert opens_at(store, pace) == NOW
    assert lines(store, pace) == {}
    assert claimed(store, Pace(RatesConfig(per_hour=1_000)), 700) == 300


def test_hour_allows_its_limit_and_opens_at_the_next_full_hour(store):
    pace = Pace(RatesConfig(per_hour=1_000))
    assert [claimed(store, pace, 600) for _ in range(3)] == [600, 400, 0]
    assert opens_at(store, pace) == datetime(2026, 3, 5, 10, tzinfo=UTC)
    assert claimed(store, pace, 600, datetime(2026, 3, 5, 9, 59, 59, 999999, tzinfo=UTC)) == 0
    assert claimed(store, pace, 600, datetime(2026, 3, 5, 10, tzinfo=UTC)) == 600


def test_day_of_utc_counts_whatever_the_zone_of_the_clock(store):
    pace = Pace(RatesConfig(per_day=1_000))
    tokyo = timezone(timedelta(hours=9))
    assert claimed(store, pace, 1_000, datetime(2026, 3, 6, 8, tzinfo=tokyo)) == 1_000  # 5th, UTC
    assert claimed(store, pace, 1) == 0
    assert opens_at(store, pace) == datetime(2026, 3, 6, tzinfo=UTC)
    assert claimed(store, pace, 1, datetime(2026, 3, 6, 9, tzinfo=tokyo)) == 1


def test_day_that_is_used_up_is_waited_for_though_the_hour_opens_earlier(store):
    pace = Pace(RatesConfig(per_hour=600, per_day=600))
    assert claimed(store, pace, 600) == 600
    assert opens_at(store, pace) == datetime(2026, 3, 6, tzinfo=UTC)


def test_two_senders_at_once_get_the_limit_between_them(store):
    pace = Pace(RatesConfig(per_hour=1_000))
    got: list[int] = []
    start = threading.Barrier(8)

    def sender() -> None:
        start.wait(timeout=10)
        for _ in range(5):
            got.append(claimed(store, pace, 90))

    threads = [threading.Thread(target=sender) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(got) == 40
    assert sum(got) == 1_000


def test_what_is_given_back_may_leave_again_but_never_more_than_the_limit(store):
    pace = Pace(RatesConfig(per_hour=1_000, per_day=10_000))
    assert claimed(store, pace, 1_000) == 1_000
    with store.begin() as conn:
        pace.use(conn, -300, NOW)
    assert claimed(store, pace, 1_000) == 300
    with store.begin() as conn:
        pace.use(conn, -300, NOW + HOUR)  # of no claim: the next hour is not made longer
    assert claimed(store, pace, 5_000, NOW + HOUR) == 1_000


def test_claim_that_is_undone_is_not_counted(store):
    pace = Pace(RatesConfig(per_hour=1_000))
    with store.engine.connect() as conn:
        pace.use(conn, 1_000, NOW)
        conn.rollback()
    assert claimed(store, pace, 1_000) == 1_000


@pytest.mark.parametrize("back", [HOUR, 3 * HOUR, DAY, 7 * DAY], ids=str)
def test_clock_that_is_set_back_does_not_open_a_window_again(store, back):
    pace = Pace(RatesConfig(per_hour=1_000, per_day=1_000))
    assert claimed(store, pace, 1_000) == 1_000
    assert claimed(store, pace, 1_000, NOW - back) == 0
    assert opens_at(store, pace, NOW - back) == datetime(2026, 3, 6, tzinfo=UTC)
    assert claimed(store, pace, 1, datetime(2026, 3, 6, tzinfo=UTC)) == 1


def test_clock_that_was_years_ahead_does_not_stop_sending_for_years(store):
    pace = Pace(RatesConfig(per_hour=1_000))
    assert claimed(store, pace, 1_000, NOW.replace(year=2099)) == 1_000
    assert claimed(store, pace, 1_000) == 1_000


def test_old_windows_are_forgotten(store):
    pace = Pace(RatesConfig(per_hour=1_000))
    for days in range(30):
        claimed(store, pace, 10, NOW + days * DAY)
    with store.read() as conn:
        kept = conn.scalar(sa.select(sa.func.count()).select_from(rate_window))
    assert kept == 2 * 8  # this day and the seven before


# ── warm-up ─────────────────────────────────────────────────────────────────


def allowed_on(store: Store, rates: RatesConfig, days: int) -> int | None:
    with store.begin() as conn:
        return Pace(rates).allowance(conn, NOW + days * DAY)


def test_warm_up_multiplies_day_by_day_until_the_limit_of_a_day(sqlite_store):
    rates = RatesConfig(warm_up_from="2026-03-05", per_day=5_000)
    found = [allowed_on(sqlite_store, rates, day) for day in range(-1, 7)]
    assert found == [5_000, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]


def test_warm_up_without_another_limit_ends(sqlite_store):
    rates = RatesConfig(warm_up_from="2026-03-05")
    assert allowed_on(sqlite_store, rates, -1) is None
    assert allowed_on(sqlite_store, rates, 15) == 200 * 2**15
    assert allowed_on(sqlite_store, rates, 16) is None
    assert allowed_on(sqlite_store, rates, 20_000) is None


def test_slowest_plan_grows_by_whole_messages_and_ends(sqlite_store):
    rates = RatesConfig(warm_up_from="2026-03-05", warm_up_first_day=1, warm_up_percent=101)
    assert allowed_on(sqlite_store, rates, 69) == 1
    assert allowed_on(sqlite_store, rates, 70) == 2
    assert allowed_on(sqlite_store, rates, 1_500) is not None
    assert allowed_on(sqlite_store, rates, 1_651) is None


def test_warm_up_that_is_used_up_opens_the_next_day(store):
    pace = Pace(RatesConfig(warm_up_from="2026-03-05"))
    assert claimed(store, pace, 1_000) == 200
    assert opens_at(store, pace) == datetime(2026, 3, 6, tzinfo=UTC)
    assert claimed(store, pace, 1_000, NOW + DAY) == 400


# ── in words ────────────────────────────────────────────────────────────────


def test_status_says_limits_use_and_until_when(store):
    rates = RatesConfig(
        per_second=1_500,
        per_hour=5_000,
        per_day=40_000,
        each_domain=20,
        domains={"example.com": 5},
        warm_up_from="2026-03-01",
    )
    claimed(store, Pace(rates), 1_200)
    assert lines(store, Pace(rates)) == {
        "per second": "1,500",
        "per second and domain": "20",
        "per second to example.com": "5",
        "per hour": "1,200 of 5,000, until 10:00 UTC",
        "per day": "1,200 of 40,000, until 00:00 UTC",
        "warm-up, day 5": "1,200 of 3,200, until 00:00 UTC",
    }


def test_status_says_when_the_warm_up_begins(store):
    pace = Pace(RatesConfig(warm_up_from="2026-03-09"))
    assert lines(store, pace) == {"warm-up": "begins on 2026-03-09"}


def test_status_names_the_day_when_the_clock_was_set_back(store):
    pace = Pace(RatesConfig(per_hour=100))
    claimed(store, pace, 100)
    assert lines(store, pace, NOW - DAY) == {
        "per hour": "100 of 100, until 2026-03-05 10:00 UTC",
    }


# ── seconds ─────────────────────────────────────────────────────────────────


def departures(pace: Pace, domains: list[str], at: float = 1_000.0) -> list[float]:
    """When each message leaves if its sender waits as it is told, and no longer."""
    times = []
    for domain in domains:
        while (wait := pace.delay(domain, at)) > 0:
            at += wait
        times.append(at)
    return times


def test_without_a_rate_nothing_waits_and_the_feed_need_not_ask():
    assert not Pace(RatesConfig(per_hour=5)).is_limited_per_second
    assert departures(Pace(RatesConfig()), ["example.org"] * 100)[-1] == 1_000.0
    for rates in ({"per_second": 5}, {"each_domain": 5}, {"domains": {"example.org": 5}}):
        assert Pace(RatesConfig(**rates)).is_limited_per_second


@pytest.mark.parametrize("rate", [1, 3, 14, 100, 5_000])
def test_average_is_the_rate_and_no_second_holds_much_more(rate):
    times = departures(Pace(RatesConfig(per_second=rate)), ["example.org"] * (rate * 10 + 1))
    assert times[-1] - times[0] == pytest.approx(10, rel=0.05)
    most = max(
        sum(1 for other in times if start <= other < start + 0.999) for start in times[::rate]
    )
    assert most <= rate * (1 + BURST) + 1


def test_sender_that_was_busy_catches_up_by_the_burst_and_no_more():
    pace = Pace(RatesConfig(per_second=100))
    departures(pace, ["example.org"] * 200)
    at_once = 0
    while pace.delay("example.org", 5_000.0) == 0:
        at_once += 1
    assert at_once == 100 * BURST


def test_full_domain_does_not_hold_up_another():
    pace = Pace(RatesConfig(each_domain=2, domains={"slow.example": 1}, per_second=1_000))
    assert pace.delay("slow.example", 10.0) == 0
    assert pace.delay("SLOW.example", 10.0) == pytest.approx(1)
    assert pace.delay("a.example", 10.0) == 0
    assert pace.delay("a.example", 10.0) == pytest.approx(0.5)
    assert pace.delay("b.example", 10.0) == 0


def test_message_that_its_domain_holds_back_uses_nothing_of_the_others_share():
    pace = Pace(RatesConfig(domains={"slow.example": 1}, per_second=1))
    assert pace.delay("slow.example", 10.0) == 0
    for _ in range(5):
        assert pace.delay("slow.example", 10.5) == pytest.approx(0.5)
    assert pace.delay("a.example", 11.0) == 0


def test_domain_in_letters_is_the_one_that_is_configured_as_xn():
    pace = Pace(RatesConfig(domains={"xn--strae-oqa.example": 1}))
    assert pace.delay("straße.example", 10.0) == 0
    assert pace.delay("straße.example", 10.0) == pytest.approx(1)


def test_ever_new_domains_need_no_more_memory_than_a_second_of_messages():
    pace = Pace(RatesConfig(each_domain=1))
    tracemalloc.start()
    for number in range(200_000):
        pace.delay(f"d{number}.example", number / 2_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_bucket_that_was_forgotten_gives_no_more_than_one_that_was_kept():
    pace = Pace(RatesConfig(each_domain=1))
    kept = Bucket(1)
    assert pace.delay("a.example", 0.0) == 0
    kept.take(0.0)
    for number in range(30_000):
        pace.delay(f"d{number}.example", 0.5)
    assert pace.delay("a.example", 0.5) == kept.wait(0.5) == pytest.approx(0.5)
