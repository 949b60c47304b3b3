"""A worker of the SendGrid transport: one request at a time, and what its answer means for whom.

An explicit refusal (4xx) is final for the readers that it names, and sent again for
the others. Whatever may have arrived without a readable answer is uncertain and never
sent again: SendGrid has no key for idempotence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from newsletter.delivery.model import Delivery
from newsletter.delivery.reply import masked
from newsletter.delivery.transport import Feed
from newsletter.delivery.transports.sendgrid_client import Answer, Missed, NotSent, SendGridClient
from newsletter.delivery.transports.sendgrid_errors import refusal, unreachable
from newsletter.delivery.transports.sendgrid_request import Entry, RequestTemplate, divided
from newsletter.delivery.transports.sendgrid_throttle import Throttle
from newsletter.errors import TransportError

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_GRACE = 10.0  # seconds for answers when everything stops
_SUSPICIOUS = 8  # deliveries refused alone, none accepted: the message is at fault, not they


class Worker:
    """Makes one request at a time.

    Between calls of `_hand_over` it holds nothing; what it holds meanwhile is in the making
    (`_entries`), in *_pieces* (to be sent) or in *_alone* (refused, waiting for a sign that
    the message itself is sound).
    """

    def __init__(
        self,
        feed: Feed,
        template: RequestTemplate,
        client: SendGridClient,
        pool: ThreadPoolExecutor,
        throttle: Throttle,
    ) -> None:
        self._feed = feed
        self._template = template
        self._client = client
        self._pool = pool
        self._throttle = throttle
        self._pieces: list[list[Entry]] = []
        self._alone: list[tuple[Delivery, str]] = []
        self._trusted = False  # something of what is held was accepted
        self._stopping = False  # what is held goes back
        self._failure: TransportError | None = None

    async def run(self, most: int) -> None:
        while True:
            await self._throttle.enter()
            try:
                deliveries = self._feed.take_up_to(most)
                if deliveries:
                    await self._hand_over(deliveries)
            finally:
                self._throttle.leave()
            if not deliveries and not await self._feed.wait():
                return

    async def _hand_over(self, deliveries: list[Delivery]) -> None:
        """Report every one of *deliveries*, whatever happens."""
        self._trusted = self._stopping = False
        try:
            self._pieces = divided(await self._entries(deliveries))[::-1]
            while self._pieces and not self._stopping:
                await self._exchange(self._pieces.pop())
        finally:
            self._let_go()
        if self._failure is not None:
            raise self._failure

    async def _entries(self, deliveries: list[Delivery]) -> list[Entry]:
        """Made in a thread: the loop's own one waits for the database meanwhile."""
        making = self._in_thread(self._template.entries, deliveries)
        try:
            entries, refused = await making
        except BaseException:
            for delivery in deliveries:
                self._feed.returned(delivery)
            raise
        for delivery, reason in refused:
            self._feed.refused_for_good(delivery, reason)
        return entries

    async def _exchange(self, piece: list[Entry]) -> None:
        for entry in piece:
            self._feed.handing_over(entry.delivery)
        future = self._in_thread(self._post, piece)
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            await asyncio.wait([future], timeout=_GRACE)
            raise
        finally:
            if future.done():
                self._settle(piece, future)
            else:
                future.add_done_callback(lambda future: future.exception())  # it is known
                self._uncertain(piece, "stopped before the answer came")

    def _in_thread(self, call: Callable[[_Given], _Made], given: _Given) -> asyncio.Future[_Made]:
        return asyncio.get_running_loop().run_in_executor(self._pool, call, given)

    def _post(self, piece: list[Entry]) -> Answer:
        return self._client.post(self._template.body(piece))

    def _settle(self, piece: list[Entry], future: asyncio.Future[Answer]) -> None:
        try:
            answer = future.result()
        except NotSent as error:
            self._send_back(piece)
            if not self._throttle.unreachable():
                self._failure = unreachable(str(error))
        except Missed as error:
            self._miss(piece, str(error))
        except BaseException:
            self._uncertain(piece, "an error in the program")
            raise
        else:
            self._judge(piece, answer)

    def _judge(self, piece: list[Entry], answer: Answer) -> None:
        if answer.status == 202:
            for entry in piece:
                self._feed.accepted(entry.delivery, answer.message_id)
            self._throttle.accepted(answer.wait)
            self._trusted = True
            self._release_alone()
        elif answer.status in (408, 429):
            self._send_back(piece)
            if not self._throttle.refused(answer.wait):
                self._failure = refusal(answer)
        elif answer.status in (400, 413):
            self._refused(piece, answer)
        elif 300 <= answer.status < 500:
            self._send_back(piece)
            self._failure = refusal(answer)
        else:
            self._miss(piece, answer.text)

    def _refused(self, piece: list[Entry], answer: Answer) -> None:
        """Refuse whom the answer names; else halve until the culprit is alone."""
        if any(c.field and not c.field.startswith("personalizations") for c in answer.complaints):
            self._send_back(piece)
            self._failure = refusal(answer)
            return
        named = {
            c.position: f"{answer.status} {c.text}"
            for c in answer.complaints
            if c.position is not None and c.position < len(piece)
        }
        if named:
            for position, reply in named.items():
                self._feed.refused_for_good(piece[position].delivery, reply)
            rest = [entry for position, entry in enumerate(piece) if position not in named]
            self._pieces += [rest] if rest else []
        elif len(piece) > 1:
            half = len(piece) // 2
            self._pieces += [piece[half:], piece[:half]]
        else:
            self._alone.append((piece[0].delivery, answer.text))
            if self._trusted:
                self._release_alone()
            elif len(self._alone) >= _SUSPICIOUS:
                self._failure, self._stopping = refusal(answer), True

    def _miss(self, piece: list[Entry], reply: str) -> None:
        self._uncertain(piece, reply)
        self._stopping = True
        if not self._throttle.missed():
            self._failure = TransportError(
                f"SendGrid gave no clear answer several times in a row: {masked(reply)}",
                hint="when it works again, run newsletter reconcile, then send again",
            )

    def _uncertain(self, piece: list[Entry], reply: str) -> None:
        for entry in piece:
            self._feed.uncertain(entry.delivery, reply)

    def _send_back(self, piece: list[Entry]) -> None:
        for entry in piece:
            self._feed.returned(entry.delivery)
        self._stopping = True

    def _release_alone(self) -> None:
        for delivery, reply in self._alone:
            self._feed.refused_for_good(delivery, reply)
        self._alone.clear()

    def _let_go(self) -> None:
        for piece in self._pieces:
            self._send_back(piece)
        self._pieces = []
        if self._failure is not None:
            for delivery, _ in self._alone:
                self._feed.returned(delivery)
            self._alone.clear()
        self._release_alone()
