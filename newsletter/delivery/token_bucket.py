"""Token buckets: so many messages a second, to everyone or to each receiving domain.

A bucket is one number, the time until which it is spoken for (the generic cell rate
algorithm of ITU-T I.371, annex A). Refuses to wait or to look at a clock: it says how
long to wait. Holds no more buckets than there were messages in about a second.
"""

from __future__ import annotations

from collections.abc import Mapping

# Seconds' worth of messages that may leave at once after a pause: enough to make up for
# a sender that was busy elsewhere, and little against “most messages a second”.
BURST = 0.2

_PRECISION = 1e-6  # seconds; clocks and floats know no better
_FORGET_FROM = 10_000  # buckets


class Bucket:
    """*rate* messages a second. Times are in seconds of one monotonic clock."""

    __slots__ = ("_interval", "_slack", "spoken_for")

    def __init__(self, rate: int) -> None:
        self._interval = 1 / rate
        self._slack = max(0.0, BURST - self._interval)
        self.spoken_for = float("-inf")

    def wait(self, at: float) -> float:
        """Return the seconds from *at* until a message may leave; 0: now."""
        wait = self.spoken_for - self._slack - at
        return wait if wait > _PRECISION else 0.0

    def take(self, at: float) -> None:
        """Count a message that leaves at *at*."""
        self.spoken_for = max(self.spoken_for, at) + self._interval


class Buckets:
    """A bucket for each receiving domain: its own rate if it is *named*, else *each*."""

    def __init__(self, *, named: Mapping[str, int], each: int | None) -> None:
        self._named = {_as_in_addresses(name): Bucket(rate) for name, rate in named.items()}
        self._each = each
        self._others: dict[str, Bucket] = {}
        self._forget_from = _FORGET_FROM

    @property
    def are_limited(self) -> bool:
        return bool(self._named) or self._each is not None

    def of(self, domain: str, at: float) -> Bucket | None:
        """Return the bucket of *domain*; None: it has no limit."""
        domain = domain.lower()
        bucket = self._named.get(domain)
        if bucket is not None or self._each is None:
            return bucket
        bucket = self._others.get(domain)
        if bucket is None:
            if len(self._others) >= self._forget_from:
                self._forget_full(at)
            bucket = self._others[domain] = Bucket(self._each)
        return bucket

    def _forget_full(self, at: float) -> None:
        """A full bucket is as good as a new one."""
        self._others = {
            domain: bucket for domain, bucket in self._others.items() if bucket.spoken_for > at
        }
        # Twice as many: else a look at all of them with each new one.
        self._forget_from = max(_FORGET_FROM, 2 * len(self._others))


def _as_in_addresses(name: str) -> str:
    """Subscribers' domains are kept in letters; newsletter.toml has them as xn--…."""
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name
