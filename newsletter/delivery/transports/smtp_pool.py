"""The connections that carry one campaign: how many, when to back off, when to give up.

Starts with as many as configured and as there is work for; halves them when the server
refuses for now, adds one again after a while without. Waits longer and longer while nothing
succeeds, then stops with what the server said last. Refuses to spend a list of deliveries
on a server that refuses the sender.
"""

from __future__ import annotations

import asyncio

from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery
from newsletter.delivery.transport import Feed
from newsletter.delivery.transports.smtp_caution import Patience, Width
from newsletter.delivery.transports.smtp_courier import Courier
from newsletter.delivery.transports.smtp_opening import Opened, UnreachableError, open_connection
from newsletter.delivery.transports.smtp_replies import Verdict, is_connection_full, judge
from newsletter.delivery.transports.smtp_server import SmtpServer
from newsletter.errors import TransportError

_SENDER_REFUSALS = 5  # in a row, and we believe that it is us


class Pool:
    """Connections to *server* for one run."""

    def __init__(self, server: SmtpServer, feed: Feed, mailing: Mailing) -> None:
        self.server = server
        self.feed = feed
        self.mailing = mailing
        self.messages_per_connection = server.messages_per_connection
        self.accepted = 0  # messages
        self._refused = 0  # messages, for now or for good; not because of us
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time
        self._couriers: set[Courier] = set()
        self._about_to_write: list[Courier] = []
        self._opening: dict[asyncio.Task[Opened], Delivery] = {}
        self._news = asyncio.Event()  # a connection has no work, is gone, or may be opened
        self._news.set()
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._pulse = min(1.0, server.timeout / 4, server.idle / 2, server.growth / 2)
        self._width = Width(server.connections, server.growth, self._pulse, self.time())
        self._patience = Patience(server.patience, server.back_off, server.longest_back_off)
        self._is_paused = False
        self._last_closed_after = 0  # messages of the connection that the server closed
        self._sender_refusals = 0  # in a row
        self._accepted_before_refusals = 0

    async def run(self) -> None:
        """Hand over what the feed gives until it is over. Raises TransportError."""
        feeding = self._loop.create_task(self._feeding())
        watching = self._loop.create_task(self._watching())
        ends = (self._stopped, feeding, watching)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                if end.done():
                    end.result()
        finally:
            self.stop(None)
            feeding.cancel()
            watching.cancel()
            try:
                await asyncio.gather(feeding, watching, return_exceptions=True)
                await self._wind_down()
            finally:
                self._give_up()

    # ── what couriers say ───────────────────────────────────────────────────────────

    def hand_over_soon(self, courier: Courier) -> None:
        """Let *courier* write its message when all that came in by now is read."""
        if not self._about_to_write:
            self._loop.call_soon(self._hand_over)
        self._about_to_write.append(courier)

    def ready(self, courier: Courier) -> None:
        """*courier* has no work."""
        self._news.set()

    def gone(self, courier: Courier, reason: str | None) -> None:
        """The connection is closed; *reason*: unexpectedly."""
        self._couriers.discard(courier)
        if reason is not None and courier.carried == 0:
            self._trouble(reason)
        self._news.set()

    def closed_by_server(self, courier: Courier, reply: bytes) -> None:
        """421. Twice after the same number of messages is a limit; else it means “slow down”."""
        if not self._learn(courier, reply):
            self._slow_down()

    def refused(self, courier: Courier, delivery: Delivery, command: str, reply: bytes) -> None:
        """Report the refusal of *command* (see `judge`) as what it means for *delivery*."""
        text = self.server.shown(reply)
        verdict = judge(command, reply)
        if verdict is Verdict.SENDER and not delivery.email.partition("@")[0].isascii():
            verdict = Verdict.FOR_GOOD  # MAIL said SMTPUTF8 because of this recipient only
        if verdict is Verdict.CONNECTION and courier.carried == 0:
            verdict = Verdict.BUSY
        if verdict is Verdict.FOR_GOOD:
            self._refused += 1
            self.feed.refused_for_good(delivery, text)
        elif verdict is Verdict.FOR_NOW:
            self._refused += 1
            self._slow_down()
            self.feed.refused_for_now(delivery, text)
        elif verdict is Verdict.BUSY:
            courier.last = True
            self._slow_down()
            self.feed.refused_for_now(delivery, text)
            self._trouble(text)
        elif verdict is Verdict.CONNECTION:
            courier.last = True
            self._learn(courier, reply)
            self.feed.returned(delivery)
        else:
            self._sender_refused(delivery, text)

    def stop(self, error: BaseException | None) -> None:
        """Take and hand over no more; `run` raises *error*."""
        if self._stopped.done():
            return
        if error is None:
            self._stopped.set_result(None)
        else:
            self._stopped.set_exception(error)
        for courier in self._couriers:
            courier.last = True

    # ── work ────────────────────────────────────────────────────────────────────────

    async def _feeding(self) -> None:
        """Give work to connections without, open more while there is work; then take leave."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._has_room() and not await self.feed.wait():
                break
            self._serve()
        for courier in tuple(self._couriers):
            courier.finish()
        await self._all_gone()

    def _has_room(self) -> bool:
        return not self._is_paused and (
            self._may_open() or any(courier.is_ready for courier in self._couriers)
        )

    def _may_open(self) -> bool:
        limit = 1 if self._patience.is_tried(self._decided) else self._width.limit
        return len(self._couriers) + len(self._opening) < limit

    def _serve(self) -> None:
        if self._is_paused:
            return
        for courier in [courier for courier in self._couriers if courier.is_ready]:
            if (delivery := self._take()) is None:
                return
            courier.start(delivery)
        while self._may_open() and (delivery := self._take()) is not None:
            task = self._loop.create_task(open_connection(self.server))
            self._opening[task] = delivery
            task.add_done_callback(self._opened)

    def _hand_over(self) -> None:
        couriers, self._about_to_write = self._about_to_write, []
        for courier in couriers:
            courier.hand_over()
        # The server has enough to do for a while.
        for courier in couriers:
            courier.make_spare()

    def _take(self) -> Delivery | None:
        delivery = self.feed.take()
        if delivery is None:
            self._news.set()  # there is room: wait for the feed again
        return delivery

    def _opened(self, task: asyncio.Task[Opened]) -> None:
        delivery = self._opening.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if delivery is None:  # too late
            if not task.cancelled() and error is None:
                task.result().transport.abort()
            return
        try:
            if task.cancelled() or error is not None:
                self.feed.returned(delivery)
                self._not_opened(error)
            else:
                self._use(task.result(), delivery)
        except Exception as failure:  # of the feed or the mailing
            self.stop(failure)
        self._news.set()

    def _not_opened(self, error: BaseException | None) -> None:
        if isinstance(error, UnreachableError):
            if self._couriers:  # “too many connections”, most likely
                self._width.change(len(self._couriers), self.time())
            self._trouble(error.message)
        elif error is not None:
            self.stop(error)

    def _use(self, opened: Opened, delivery: Delivery) -> None:
        dialogue = opened.dialogue
        if self._stopped.done() or dialogue.lost or dialogue.has_unread:
            opened.transport.abort()
            self.feed.returned(delivery)
            if not self._stopped.done():
                self._trouble(dialogue.lost or "it talks without being asked")
            return
        courier = Courier(self, opened)
        self._couriers.add(courier)
        courier.start(delivery)

    # ── how many connections ────────────────────────────────────────────────────────

    @property
    def _decided(self) -> int:
        return self.accepted + self._refused

    def _slow_down(self) -> None:
        if not self._width.refused(self.time(), self._decided, len(self._couriers)):
            return
        by_use = sorted(self._couriers, key=lambda courier: not courier.is_ready)
        for courier in by_use[: len(self._couriers) - self._width.limit]:
            courier.finish()

    def _learn(self, courier: Courier, reply: bytes) -> bool:
        """Whether the server closes connections after so many messages."""
        count = courier.carried
        if count and (is_connection_full(reply) or count == self._last_closed_after):
            self.messages_per_connection = count
            return True
        self._last_closed_after = count
        return False

    # ── what goes wrong ─────────────────────────────────────────────────────────────

    def _trouble(self, reason: str) -> None:
        """Something failed that is about the server, not about a message: wait, or give up."""
        if self._is_paused:
            return  # several connections, one reason
        now = self.time()
        wait = self._patience.failed(now, self._decided)
        if self._patience.is_over(now):
            self.stop(
                TransportError(
                    f"nothing could be handed over for {self._patience.lasted(now):.0f} seconds;"
                    f" the last reason: {reason}",
                    hint=f"is {self.server} in good order? What is pending can be sent later",
                )
            )
        self._is_paused = True
        self._loop.call_later(wait, self._resume)

    def _resume(self) -> None:
        self._is_paused = False
        self._news.set()

    def _sender_refused(self, delivery: Delivery, text: str) -> None:
        if self.accepted != self._accepted_before_refusals:
            self._accepted_before_refusals = self.accepted
            self._sender_refusals = 0
        self._sender_refusals += 1
        if self.accepted:  # not always us, then; let it not come back at once
            self.feed.refused_for_now(delivery, text)
        else:
            self.feed.returned(delivery)
        if self._sender_refusals >= _SENDER_REFUSALS:
            self.stop(
                TransportError(
                    f"{self.server} takes nothing from us: {text}",
                    hint="check smtp.username, NEWSLETTER_SMTP_PASSWORD and smtp.envelope_from,"
                    " and whether the server lets this machine send",
                )
            )

    # ── time, and the end ───────────────────────────────────────────────────────────

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(self._pulse)
            now = self.time()
            for courier in tuple(self._couriers):
                courier.check(now)
            if self._width.look(now, self._decided):
                self._news.set()

    async def _wind_down(self) -> None:
        for task in tuple(self._opening):
            task.cancel()
        for courier in tuple(self._couriers):
            courier.stop()
        try:
            async with asyncio.timeout(self.server.grace):
                await self._all_gone()
        except TimeoutError:
            pass

    async def _all_gone(self) -> None:
        while self._couriers or self._opening:
            self._news.clear()
            await self._news.wait()

    def _give_up(self) -> None:
        """Report what is left, whatever happens."""
        for task, delivery in tuple(self._opening.items()):
            task.cancel()
            del self._opening[task]
            self.feed.returned(delivery)
        for courier in tuple(self._couriers):
            courier.lose(f"no answer in {self.server.grace:g} seconds")
        if not self._stopped.cancelled():
            self._stopped.exception()  # seen: it has been raised, or something else was
