"""A transport in a process of its own: making messages and keeping the ledger share two cores.

The process is forked from the sender: it has the mailing, the journal and the locks from
the start. The journal's lock is held until both are gone, so whoever is killed, the next
sender reads what both have marked and nobody sends meanwhile. Should the other process
die, what it had in its hands is settled from the journal like after any crash.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from newsletter.delivery.apart_feed import live
from newsletter.delivery.apart_wire import Batch, Ended, Over, Stop, Told, ToSender, Want, Wire
from newsletter.delivery.journal import Journal
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery, Outcome, Result
from newsletter.delivery.transport import Feed, Transport
from newsletter.errors import TransportError

_GLANCE = 0.1  # seconds between looks whether it is over, while the other one has its hands full
_GRACE = 15.0  # seconds that the other process has to end, once it was asked


@contextmanager
def apart(transport: Transport, mailing: Mailing, journal: Journal) -> Iterator[Transport]:
    """Give *transport* as it works in a process of its own; it is gone when the block ends."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        live(theirs, transport, mailing, journal.cells)
    theirs.close()
    try:
        yield Apart(transport, ours, pid)
    finally:
        ours.close()
        _end(pid)


class Apart:
    """See `newsletter.delivery.transport.Transport`. Single messages leave from this process."""

    def __init__(self, transport: Transport, end: socket.socket, pid: int) -> None:
        self._transport = transport
        self._end = end
        self._pid = pid

    @property
    def name(self) -> str:
        return self._transport.name

    @property
    def works_apart(self) -> bool:
        return False

    @property
    def wants_tokens(self) -> bool:
        return False

    @property
    def window(self) -> int:
        return self._transport.window

    async def deliver(self, email: str, message: bytes) -> Result:
        return await self._transport.deliver(email, message)

    async def probe(self) -> str:
        return await self._transport.probe()

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        """See Transport. *mailing* went with the process when it was forked."""
        talk = _Talk(feed, mailing.sign_ahead if self._transport.wants_tokens else None)
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(
            lambda: Wire(ToSender, talk.hear, talk.end), sock=self._end
        )
        pump = loop.create_task(talk.pump(wire))
        either: set[asyncio.Future[Any]] = {pump, talk.ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if pump.done() and not talk.ended.done():
                pump.result()
                wire.send(Over())
                await talk.ended
        except asyncio.CancelledError:
            with suppress(RuntimeError):
                wire.send(Stop())
            await asyncio.wait({talk.ended}, timeout=_GRACE)
            raise
        finally:
            pump.cancel()
            wire.close()
            _end(self._pid)  # before anybody reads the journal
        _raise_for(talk.ended.result())


class _Talk:
    """The sender's side of one conversation."""

    def __init__(self, feed: Feed, prepare: Callable[[Sequence[Delivery]], object] | None) -> None:
        self._feed = feed
        self._prepare = prepare
        self._given: dict[int, Delivery] = {}  # by place: in the other process's hands
        self._wanted = 0
        self._is_wanted = asyncio.Event()
        self.ended: asyncio.Future[Ended | None] = asyncio.get_running_loop().create_future()

    async def pump(self, wire: Wire) -> None:
        """Give the other process what it wants, until the feed is over."""
        while await self._feed.wait():
            if not self._is_wanted.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GLANCE):
                        await self._is_wanted.wait()
                continue
            taken = self._feed.take_up_to(self._wanted)
            if taken:
                self._is_wanted.clear()
                if self._prepare is not None:
                    self._prepare(taken)
                self._given.update((delivery.place, delivery) for delivery in taken)
                wire.send(Batch(taken))

    def hear(self, message: ToSender) -> None:
        if isinstance(message, Told):
            self._report(message)
        elif isinstance(message, Want):
            self._wanted = message.number
            self._is_wanted.set()
        elif not self.ended.done():
            self.ended.set_result(message)

    def end(self) -> None:
        """The other process is gone."""
        if not self.ended.done():
            self.ended.set_result(None)

    def _report(self, told: Told) -> None:
        feed, pop = self._feed, self._given.pop
        for place, provider_id in told.accepted:
            feed.accepted(pop(place), provider_id)
        for place, outcome, reply, after in told.reports:
            delivery = pop(place)
            if outcome is Outcome.REFUSED_FOR_NOW:
                feed.refused_for_now(delivery, reply, after)
            elif outcome is Outcome.REFUSED_FOR_GOOD:
                feed.refused_for_good(delivery, reply)
            else:
                feed.uncertain(delivery, reply)
        for place in told.returned:
            feed.returned(pop(place))


def _raise_for(ended: Ended | None) -> None:
    if ended is None:
        raise TransportError(
            "the process that hands mail over has died",
            hint="what it had in its hands is settled from the journal; send again goes on",
        )
    if ended.is_mistake:
        raise RuntimeError(ended.problem)
    if ended.problem:
        raise TransportError(ended.problem, hint=ended.hint)


def _end(pid: int) -> None:
    """See that the process is gone: it has nothing left to do, or does not answer."""
    with suppress(ChildProcessError, ProcessLookupError):
        done, _ = os.waitpid(pid, os.WNOHANG)
        if not done:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
