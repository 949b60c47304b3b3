"""The feed: claimed deliveries on their way to a transport, outcomes on their way back.

Marks the journal before anything else, so that a crash at any point finds the truth
there. Keeps the pace of seconds and domains. Used in the event loop's thread only;
knows no database and never waits for one.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count

from newsletter.delivery.journal import MARKS, Journal
from newsletter.delivery.model import Delivery, Outcome
from newsletter.delivery.pace import Pace
from newsletter.delivery.results import Postponed, Report, Results

RETURNS = 20  # a message that breaks every connection is no message to try for ever
LOST = "the connection was lost each time"
_HELD = 2.0  # seconds' worth of one domain that wait here; more would grow old, and block others
_LOOKS = 32  # at held domains, in one call of `take`
_BOOKINGS = 1_000  # domains

_CLAIMED, _HANDED_OVER, _ACCEPTED, _REFUSED = map(int, MARKS)  # plain: a mark is set per message


class SenderFeed:
    """See `newsletter.delivery.transport.Feed`."""

    def __init__(
        self,
        journal: Journal,
        pace: Pace,
        *,
        hungry: Callable[[], object],
        low: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*hungry* is called whenever *low* deliveries or fewer are left to take."""
        self._cells = journal.cells
        self._pace = pace
        self._is_paced = pace.is_limited_per_second
        self._hungry = hungry
        self._low = low
        self._clock = clock
        self._ready: deque[Delivery] = deque()
        self._held: dict[str, deque[Delivery]] = {}  # by domain: not before its turn
        self._interval: dict[str, float] = {}  # by domain in `_held`: seconds between its turns
        self._turns: list[tuple[float, int, str]] = []  # heap: when, to break ties, domain
        self._ties = count()
        self._paused_until = 0.0  # by the limit on all domains together
        self._booked: dict[str, float] = {}  # by domain: when the last one that went back is due
        self._results = Results()
        self._may_take = asyncio.Event()
        self.is_over = False
        self.in_hand = 0  # offered, and without a result yet

    # ── the sender's side ───────────────────────────────────────────────────

    @property
    def waiting(self) -> int:
        """How many deliveries no transport has taken yet."""
        return len(self._ready) + sum(map(len, self._held.values()))

    @property
    def unreported(self) -> int:
        """How many deliveries that were offered have no result, collected or not."""
        results = self._results
        known = len(results.accepted) + len(results.reports) + len(results.postponed)
        return self.in_hand - known

    def offer(self, claimed: Sequence[Delivery]) -> None:
        self._ready.extend(claimed)
        self.in_hand += len(claimed)
        if claimed:
            self._may_take.set()

    def collect(self) -> Results:
        """Return what was reported since the last call."""
        results, self._results = self._results, Results()
        self.in_hand -= len(results.accepted) + len(results.reports) + len(results.postponed)
        return results

    def close(self) -> None:
        """Give nothing more; what nobody took goes back to the ledger."""
        self.is_over = True
        left = [*self._ready, *(held for queue in self._held.values() for held in queue)]
        self._ready.clear()
        self._held.clear()
        self._interval.clear()
        self._turns.clear()
        self._results.postponed += [Postponed(held) for held in left]
        self._may_take.set()

    # ── the transport's side ────────────────────────────────────────────────

    def take(self) -> Delivery | None:
        if self._is_paced:
            return self._take_paced()
        ready = self._ready
        if len(ready) <= self._low:
            self._hungry()
            if not ready:
                self._may_take.clear()
                return None
        return ready.popleft()

    def take_up_to(self, limit: int) -> list[Delivery]:
        taken: list[Delivery] = []
        while len(taken) < limit and (held := self.take()) is not None:
            taken.append(held)
        return taken

    async def wait(self) -> bool:
        while not self.is_over:
            paused = self._paused_until - self._clock()
            if paused <= 0.0 and (self._ready or self._is_due()):
                return True
            self._may_take.clear()
            if paused > 0.0:
                self._look_again(paused)
            elif self._turns:
                self._look_again(self._turns[0][0] - self._clock())
            await self._may_take.wait()
        return False

    def handing_over(self, delivery: Delivery) -> None:
        self._cells[delivery.place] = _HANDED_OVER

    def accepted(self, delivery: Delivery, provider_id: str = "") -> None:
        self._cells[delivery.place] = _ACCEPTED
        delivery.provider_id = provider_id
        self._results.accepted.append(delivery)

    def refused_for_now(self, delivery: Delivery, reply: str, after: float | None = None) -> None:
        self._cells[delivery.place] = _REFUSED
        self._results.reports.append(Report(delivery, Outcome.REFUSED_FOR_NOW, reply, after))

    def refused_for_good(self, delivery: Delivery, reply: str) -> None:
        self._cells[delivery.place] = _REFUSED
        self._results.reports.append(Report(delivery, Outcome.REFUSED_FOR_GOOD, reply))

    def uncertain(self, delivery: Delivery, reply: str) -> None:
        self._cells[delivery.place] = _HANDED_OVER
        self._results.reports.append(Report(delivery, Outcome.UNCERTAIN, reply))

    def returned(self, delivery: Delivery) -> None:
        self._cells[delivery.place] = _CLAIMED
        delivery.returns += 1
        if self.is_over:
            self._results.postponed.append(Postponed(delivery))
        elif delivery.returns > RETURNS:
            self.refused_for_now(delivery, LOST)
        else:
            self._ready.append(delivery)
            self._may_take.set()

    # ── the pace ────────────────────────────────────────────────────────────

    def _is_due(self) -> bool:
        return bool(self._turns) and self._turns[0][0] <= self._clock()

    def _look_again(self, after: float) -> None:
        asyncio.get_running_loop().call_later(max(0.0, after), self._may_take.set)

    def _take_paced(self) -> Delivery | None:
        now = self._clock()
        paused = self._pace.pause(now)
        if paused:  # no domain's fault: everything stays in its place
            self._paused_until = now + paused
            return None
        found = self._take_held() or self._take_ready()
        if self.waiting <= self._low:
            self._hungry()
        return found

    def _take_held(self) -> Delivery | None:
        for _ in range(_LOOKS):
            if not self._is_due():
                return None
            _, _, domain = heapq.heappop(self._turns)
            queue = self._held[domain]
            wait = self._pace.delay(domain, self._clock())
            if wait == 0.0:
                found = queue.popleft()
                if queue:
                    self._turn(domain, self._clock())
                else:
                    del self._held[domain], self._interval[domain]
                return found
            self._interval[domain] = max(wait, self._interval[domain])
            self._turn(domain, self._clock() + wait)
        return None

    def _take_ready(self) -> Delivery | None:
        while self._ready:
            found = self._ready.popleft()
            domain = found.email.rpartition("@")[2].lower()
            queue = self._held.get(domain)
            if queue is None:
                wait = self._pace.delay(domain, self._clock())
                if wait == 0.0:
                    return found
                self._held[domain] = deque([found])
                self._interval[domain] = wait
                self._turn(domain, self._clock() + wait)
            elif len(queue) * self._interval[domain] < _HELD:
                queue.append(found)
            else:
                self._postpone(found, domain)
        return None

    def _postpone(self, delivery: Delivery, domain: str) -> None:
        """Send it back to the ledger until its domain should have a turn for it."""
        now = self._clock()
        if len(self._booked) > _BOOKINGS:
            self._booked = {name: at for name, at in self._booked.items() if at > now}
        interval = self._interval[domain]
        due = max(self._booked.get(domain, 0.0), now + _HELD) + interval
        self._booked[domain] = due
        self._results.postponed.append(Postponed(delivery, due - now))

    def _turn(self, domain: str, at: float) -> None:
        heapq.heappush(self._turns, (at, next(self._ties), domain))
