"""How fast mail may leave: windows counted in the database, seconds counted in memory.

Windows are the calendar hours and days of UTC, over all campaigns and processes:
they are counted where deliveries are claimed, in the same transaction, so a crash
loses no count. Seconds are token buckets of one sender. Refuses to look at a clock:
the time is always passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.config.sending import RatesConfig
from newsletter.delivery.token_bucket import Bucket, Buckets
from newsletter.store.tables import rate_window

HOUR, DAY = "hour", "day"  # of rate_window.period
_LENGTH = {HOUR: timedelta(hours=1), DAY: timedelta(days=1)}
_KEPT = timedelta(days=8)  # rows that are farther from now, either way, mean nothing any more

_WARM = 10_000_000  # messages a day; a plan that allows more is over
_LONGEST_FORECAST = 24 * 366  # hours
_LONGEST_PLAN = 1_650  # days; by then 1.01 ** days is above _WARM

# Two claims at once would both see what is left: the second waits for the first to commit.
_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtext('delivery.pace'))")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Window:
    """One limit and the window that it holds for at this moment."""

    label: str
    period: str
    starts_at: datetime
    limit: int

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + _LENGTH[self.period]


@dataclass(frozen=True, slots=True)
class _Count:
    period: str
    starts_at: datetime
    used: int


class Pace:
    """The limits of one newsletter. *now* is aware; *at* is in seconds of a monotonic clock."""

    def __init__(self, rates: RatesConfig) -> None:
        self._rates = rates
        begins = rates.warm_up_from
        self._warm_up_from = None if begins is None else date.fromisoformat(begins)
        self._everyone = Bucket(rates.per_second) if rates.per_second else None
        self._domains = Buckets(named=rates.domains, each=rates.each_domain)

    # ── windows ─────────────────────────────────────────────────────────────

    def allowance(self, conn: sa.Connection, now: datetime) -> int | None:
        """Return how many messages the windows still allow at *now*; None: there is no limit.

        To be asked in the transaction that claims and then calls `use`: on PostgreSQL
        another asker waits until that transaction ends, as SQLite's writers do anyway.
        A window is not given twice when the clock is set back (by days, not by weeks):
        what was counted later than *now* counts too.
        """
        windows = self._windows(now)
        if not windows:
            return None
        if conn.dialect.name == "postgresql":
            conn.execute(_LOCK)
        counts = _counts(conn, now)
        return max(0, min(window.limit - _used(window, counts) for window in windows))

    def use(self, conn: sa.Connection, number: int, now: datetime) -> None:
        """Count *number* messages in the windows of *now*; forget windows long gone.

        A negative *number* gives back what did not leave; *now* is then the time of the
        claim. Counts without a limit too: one that is set later knows what has left.
        """
        if number == 0:
            return
        values = [
            {
                "period": period,
                "start": _start(period, now),
                "first": max(0, number),
                "more": number,
            }
            for period in (HOUR, DAY)  # always in this order: two senders never lock crosswise
        ]
        conn.execute(_counting(conn.dialect.name), values)
        conn.execute(_FORGET, {"oldest": now - _KEPT, "newest": now + _KEPT})

    def opens_at(self, conn: sa.Connection, now: datetime) -> datetime:
        """Return when messages are allowed again by all windows (UTC); *now* if they are."""
        counts = _counts(conn, now)
        openings = [_opens_at(window, counts) for window in self._windows(now)]
        return max((opening for opening in openings if opening), default=now.astimezone(UTC))

    def time_for(self, conn: sa.Connection, number: int, now: datetime) -> timedelta | None:
        """Return how long *number* messages take at these limits, if nothing else uses them.

        Limits per domain are not counted in. None: no limit says, or it takes over a year.
        """
        per_second = self._rates.per_second
        if not self._windows(now) and per_second is None:
            return None
        used = {(count.period, count.starts_at): count.used for count in _counts(conn, now)}
        at = now.astimezone(UTC)
        for _ in range(_LONGEST_FORECAST):
            until = _start(HOUR, at) + _LENGTH[HOUR]
            room = [w.limit - used.get((w.period, w.starts_at), 0) for w in self._windows(at)]
            if per_second is not None:
                room.append(round(per_second * (until - at).total_seconds()))
            leaving = max(0, min([number, *room]))
            number -= leaving
            if number == 0:
                return at + timedelta(seconds=leaving / per_second if per_second else 0) - now
            for period in (HOUR, DAY):
                key = (period, _start(period, at))
                used[key] = used.get(key, 0) + leaving
            at = until
        return None

    def lines(self, conn: sa.Connection, now: datetime) -> list[tuple[str, str]]:
        """The limits in force and what is used of them, in words."""
        rates = self._rates
        lines = []
        if rates.per_second:
            lines.append(("per second", f"{rates.per_second:,}"))
        if rates.each_domain:
            lines.append(("per second and domain", f"{rates.each_domain:,}"))
        lines += [(f"per second to {name}", f"{rate:,}") for name, rate in rates.domains.items()]
        counts = _counts(conn, now)
        for window in self._windows(now):
            until = _opens_at(window, counts) or window.ends_at
            # A day ahead of the day: the clock was set back.
            form = "%H:%M UTC" if until <= window.ends_at else "%Y-%m-%d %H:%M UTC"
            used = _used(window, counts)
            lines.append((window.label, f"{used:,} of {window.limit:,}, until {until:{form}}"))
        if self._warm_up_from is not None and now.astimezone(UTC).date() < self._warm_up_from:
            lines.append(("warm-up", f"begins on {self._warm_up_from:%Y-%m-%d}"))
        return lines

    def _windows(self, now: datetime) -> list[_Window]:
        day = (now.astimezone(UTC).date() - (self._warm_up_from or date.max)).days
        limits = (
            ("per hour", HOUR, self._rates.per_hour),
            ("per day", DAY, self._rates.per_day),
            (f"warm-up, day {day + 1}", DAY, self._warm_up(day)),
        )
        return [
            _Window(label=label, period=period, starts_at=_start(period, now), limit=limit)
            for label, period, limit in limits
            if limit is not None
        ]

    def _warm_up(self, day: int) -> int | None:
        """What the plan allows on its day number *day*, from 0; None before it and after it."""
        if not 0 <= day <= _LONGEST_PLAN:
            return None
        rates = self._rates
        limit = rates.warm_up_first_day * rates.warm_up_percent**day // 100**day
        return limit if limit < (rates.per_day or _WARM) else None

    # ── seconds ─────────────────────────────────────────────────────────────

    @property
    def is_limited_per_second(self) -> bool:
        """Whether `delay` ever says anything but 0."""
        return self._everyone is not None or self._domains.are_limited

    def pause(self, at: float) -> float:
        """Return the seconds from *at* until any message may leave; 0: now."""
        return self._everyone.wait(at) if self._everyone is not None else 0.0

    def delay(self, domain: str, at: float) -> float:
        """Return the seconds from *at* until a message to *domain* may leave.

        0: it may leave now, and is counted as having left.
        """
        everyone, bucket = self._everyone, self._domains.of(domain, at)
        wait = max(self.pause(at), bucket.wait(at) if bucket is not None else 0.0)
        if wait == 0.0:
            if everyone is not None:
                everyone.take(at)
            if bucket is not None:
                bucket.take(at)
        return wait


@cache
def _counting(dialect: str) -> sa.Insert:
    """Built once: a sender counts every claim."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    total = rate_window.c.used + sa.bindparam("more", type_=rate_window.c.used.type)
    return (
        insert(rate_window)
        .values(
            period=sa.bindparam("period"),
            starts_at=sa.bindparam("start", type_=rate_window.c.starts_at.type),
            used=sa.bindparam("first"),
        )
        .on_conflict_do_update(
            index_elements=[rate_window.c.period, rate_window.c.starts_at],
            set_={"used": sa.case((total > 0, total), else_=0)},
        )
    )


_FORGET = sa.delete(rate_window).where(
    ~rate_window.c.starts_at.between(
        sa.bindparam("oldest", type_=rate_window.c.starts_at.type),
        sa.bindparam("newest", type_=rate_window.c.starts_at.type),
    )
)


def _start(period: str, now: datetime) -> datetime:
    now = now.astimezone(UTC)
    hour = now.hour if period == HOUR else 0
    return datetime.combine(now.date(), time(hour), UTC)


def _counts(conn: sa.Connection, now: datetime) -> list[_Count]:
    """What was counted since the day of *now* began, in order, the future included."""
    column = rate_window.c.starts_at
    query = (
        sa.select(rate_window.c.period, column, rate_window.c.used)
        .where(column.between(_start(DAY, now), now + _KEPT))
        .order_by(column)
    )
    return [_Count(*row) for row in conn.execute(query)]


def _of(window: _Window, counts: list[_Count]) -> list[_Count]:
    return [
        count
        for count in counts
        if count.period == window.period and count.starts_at >= window.starts_at
    ]


def _used(window: _Window, counts: list[_Count]) -> int:
    return sum(count.used for count in _of(window, counts))


def _opens_at(window: _Window, counts: list[_Count]) -> datetime | None:
    """When less than the limit is counted again; None: that is so now."""
    left = window.limit - _used(window, counts)
    opening = None
    for count in _of(window, counts):
        if left > 0:
            break
        left += count.used
        opening = count.starts_at + _LENGTH[window.period]
    return opening
