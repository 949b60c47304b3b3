"""The feed as a transport in another process sees it, and the life of that process.

Marks the journal itself, at the same moments as a feed in the sender's own process would:
both have it mapped. After it has told an outcome it never touches that place again, because
the sender may give it to another delivery. Knows no database.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import signal
import socket
import traceback
from collections import deque
from collections.abc import Callable

from newsletter.delivery.apart_wire import Batch, Ended, Stop, Told, ToTransport, Want, Wire
from newsletter.delivery.feed import LOST, RETURNS
from newsletter.delivery.journal import MARKS, PLACES
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery, Outcome
from newsletter.delivery.transport import Transport
from newsletter.errors import NewsletterError

_SOON = 0.002  # seconds that outcomes may wait for others
_MANY = 500  # outcomes that do not wait
_MOST_AHEAD = 4 * PLACES  # deliveries that wait here
_GRACE = 10.0  # seconds that a stopped transport has to finish what is under way

_CLAIMED, _HANDED_OVER, _ACCEPTED, _REFUSED = map(int, MARKS)


class ApartFeed:
    """See `newsletter.delivery.transport.Feed`. *tell* sends a message to the sender."""

    def __init__(
        self, cells: mmap.mmap, tell: Callable[[Want | Told], object], *, window: int
    ) -> None:
        self._cells = cells
        self._tell = tell
        self._low = min(max(PLACES, window), _MOST_AHEAD)
        self._ready: deque[Delivery] = deque()
        self._has_asked = False
        self._may_take = asyncio.Event()
        self._told = Told([], [], [])
        self._number = 0  # of outcomes in `_told`
        self._timer: asyncio.TimerHandle | None = None
        self.is_over = False

    # ── the sender's side ───────────────────────────────────────────────────

    def offer(self, deliveries: list[Delivery]) -> None:
        self._has_asked = False
        if self.is_over:  # they crossed: it was over before these came
            for delivery in deliveries:
                self.returned(delivery)
            return
        self._ready.extend(deliveries)
        self._may_take.set()

    def close(self) -> None:
        """Give nothing more; what nobody took goes back."""
        self.is_over = True
        while self._ready:
            self.returned(self._ready.popleft())
        self._may_take.set()

    def flush(self) -> None:
        """Tell what was reported."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._number:
            told, self._told, self._number = self._told, Told([], [], []), 0
            self._tell(told)

    # ── the transport's side ────────────────────────────────────────────────

    def take(self) -> Delivery | None:
        ready = self._ready
        if len(ready) <= self._low and not self._has_asked:
            self._ask()
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
            if self._ready:
                return True
            if not self._has_asked:
                self._ask()
            self._may_take.clear()
            await self._may_take.wait()
        return False

    def handing_over(self, delivery: Delivery) -> None:
        self._cells[delivery.place] = _HANDED_OVER

    def accepted(self, delivery: Delivery, provider_id: str = "") -> None:
        self._cells[delivery.place] = _ACCEPTED
        self._told.accepted.append((delivery.place, provider_id))
        self._note()

    def refused_for_now(self, delivery: Delivery, reply: str, after: float | None = None) -> None:
        self._report(delivery, _REFUSED, Outcome.REFUSED_FOR_NOW, reply, after)

    def refused_for_good(self, delivery: Delivery, reply: str) -> None:
        self._report(delivery, _REFUSED, Outcome.REFUSED_FOR_GOOD, reply)

    def uncertain(self, delivery: Delivery, reply: str) -> None:
        self._report(delivery, _HANDED_OVER, Outcome.UNCERTAIN, reply)

    def returned(self, delivery: Delivery) -> None:
        self._cells[delivery.place] = _CLAIMED
        delivery.returns += 1
        if self.is_over:
            self._told.returned.append(delivery.place)
            self._note()
        elif delivery.returns > RETURNS:
            self.refused_for_now(delivery, LOST)
        else:
            self._ready.append(delivery)
            self._may_take.set()

    def _report(
        self,
        delivery: Delivery,
        mark: int,
        outcome: Outcome,
        reply: str,
        after: float | None = None,
    ) -> None:
        self._cells[delivery.place] = mark
        self._told.reports.append((delivery.place, outcome, reply, after))
        self._note()

    def _note(self) -> None:
        self._number += 1
        if self._number >= _MANY:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SOON, self.flush)

    def _ask(self) -> None:
        if not self.is_over:
            self._has_asked = True
            self._tell(Want(PLACES))


# ── the process ─────────────────────────────────────────────────────────────


def live(end: socket.socket, transport: Transport, mailing: Mailing, cells: mmap.mmap) -> None:
    """Hand over what comes through *end* until it is over, and end this process. Never returns.

    Forked from the sender: what it shares with it, connections to the database among them,
    must neither be used nor closed here. Signals are for the sender, which passes them on.
    """
    import uvloop

    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        gc.freeze()
        gc.set_threshold(100_000)  # what is made for a message has no cycles
        uvloop.run(_Life(transport, mailing, cells).run(end))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class _Life:
    """What the process does between its first message and its last."""

    def __init__(self, transport: Transport, mailing: Mailing, cells: mmap.mmap) -> None:
        self._transport, self._mailing = transport, mailing
        self._wire: Wire
        self._feed = ApartFeed(
            cells, lambda message: self._wire.send(message), window=transport.window
        )
        self._work: asyncio.Task[None] | None = None
        self._is_stopped = False

    async def run(self, end: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        # Where the sender is gone nobody would hear what becomes of anything more. The journal,
        # whose lock ends with this process, says what was under way.
        _, self._wire = await loop.create_connection(
            lambda: Wire(ToTransport, self._hear, lambda: os._exit(0)), sock=end
        )
        self._work = loop.create_task(self._transport.run(self._feed, self._mailing))
        if self._is_stopped:
            self._work.cancel()
        ended = Ended()
        try:
            await self._work
        except asyncio.CancelledError:
            pass
        except NewsletterError as error:
            ended = Ended(error.message, error.hint)
        except BaseException:
            ended = Ended(traceback.format_exc(), is_mistake=True)
        self._feed.close()
        self._feed.flush()
        self._wire.send(ended)
        await asyncio.sleep(_GRACE)  # until the sender has read all, and closes its end

    def _hear(self, message: ToTransport) -> None:
        if isinstance(message, Batch):
            self._feed.offer(message.deliveries)
            return
        self._feed.close()
        if isinstance(message, Stop):
            self._is_stopped = True
            if self._work is not None:
                self._work.cancel()
