"""How many requests may be under way at once, and from when on: what SendGrid's answers ask for.

Begins with one and goes up as TCP does (RFC 5681 §3.1), so that an outage meets one
request and not many; a refusal halves it. Decides when to give up. Sends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LONGEST_BACKOFF = 60.0  # seconds between tries of our own accord
PATIENCE_REFUSED = 900.0  # seconds of “too many requests” without a success
PATIENCE_UNREACHABLE = 60.0  # seconds without a connection
MISSES = 3  # requests in a row without an answer


class Throttle:
    """For *most* workers. *clock* gives seconds and never goes back."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._allowed = 1.0
        self._slow_start = True
        self._under_way = 0
        self._opens_at = clock()
        self._left = asyncio.Event()
        self._trouble_since: float | None = None
        self._troubles = 0
        self._misses = 0

    async def enter(self) -> None:
        """Wait until one more request may be made."""
        while True:
            wait = self._opens_at - self._clock()
            if wait > 0:
                await asyncio.sleep(wait)
            elif self._under_way < int(self._allowed):
                self._under_way += 1
                return
            else:
                await self._left.wait()

    def leave(self) -> None:
        """Say that the request has its answer."""
        self._under_way -= 1
        self._left.set()
        self._left = asyncio.Event()

    def accepted(self, wait: float | None) -> None:
        """A request was taken; *wait* seconds if none remain in this period."""
        more = 1 if self._slow_start else 1 / self._allowed
        self._allowed = min(float(self._most), self._allowed + more)
        self._trouble_since, self._troubles, self._misses = None, 0, 0
        if wait and wait <= LONGEST_BACKOFF:  # else the next answer says whether it is so
            self._pause(wait)

    def refused(self, wait: float | None) -> bool:
        """Too many requests (429). False: that has gone on, or will go on, for too long."""
        self._slow_down(self._allowed / 2, wait)
        waits = self._opens_at - self._clock()
        return self._trouble_lasts() < PATIENCE_REFUSED and waits <= PATIENCE_REFUSED

    def unreachable(self) -> bool:
        """There is no connection. False: for too long."""
        self._slow_down(1, None)
        return self._trouble_lasts() < PATIENCE_UNREACHABLE

    def missed(self) -> bool:
        """A request has no answer. False: too many of them."""
        self._slow_down(1, None)
        self._misses += 1
        return self._misses < MISSES

    def _slow_down(self, allowed: float, wait: float | None) -> None:
        now = self._clock()
        if self._trouble_since is None:
            self._trouble_since = now
        self._allowed = max(1.0, allowed)
        self._slow_start = False
        if now < self._opens_at and not wait:
            return  # several requests at once met the same trouble
        self._troubles += 1
        self._pause(max(wait or 0.0, min(2.0 ** min(self._troubles - 1, 10), LONGEST_BACKOFF)))

    def _pause(self, seconds: float) -> None:
        self._opens_at = max(self._opens_at, self._clock() + seconds)

    def _trouble_lasts(self) -> float:
        return 0.0 if self._trouble_since is None else self._clock() - self._trouble_since
