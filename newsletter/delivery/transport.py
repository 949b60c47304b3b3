"""What a transport is, and what it is given: the Feed of claimed deliveries.

A transport hands messages over and reports what became of each. It never decides
who gets mail, keeps no state between runs, and knows no database.
"""

from __future__ import annotations

from typing import Protocol

from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery, Result


class Feed(Protocol):
    """Deliveries to hand over. To be used in the event loop's thread only.

    Every delivery taken ends in exactly one of `accepted`, `refused_for_now`,
    `refused_for_good`, `uncertain` and `returned`. Replies are texts for people; the
    feed takes addresses out of them.
    """

    def take(self) -> Delivery | None:
        """Take a delivery. None: there is none at this moment, see `wait`."""

    def take_up_to(self, limit: int) -> list[Delivery]:
        """Take as many as there are at this moment, at most *limit*."""

    async def wait(self) -> bool:
        """Wait until `take` may give something. False: it is over; finish what is under way."""

    def handing_over(self, delivery: Delivery) -> None:
        """Say, before the write that could make the other side accept, that it may happen.

        From here on a crash makes the delivery uncertain. Until here it would be pending.
        """

    def accepted(self, delivery: Delivery, provider_id: str = "") -> None:
        """The other side took it: 250 after the final dot, 202."""

    def refused_for_now(self, delivery: Delivery, reply: str, after: float | None = None) -> None:
        """An explicit refusal that may pass: 4xx, 429. *after* is in seconds, if they said so."""

    def refused_for_good(self, delivery: Delivery, reply: str) -> None:
        """An explicit refusal that will not pass, or a message that cannot be made."""

    def uncertain(self, delivery: Delivery, reply: str) -> None:
        """It may have been accepted: the answer to what `handing_over` announced is missing."""

    def returned(self, delivery: Delivery) -> None:
        """It was never handed over (the connection went, say): it is pending as before."""


class Transport(Protocol):
    """One way for mail to leave. Made from configuration; opens nothing until `run`."""

    @property
    def name(self) -> str:
        """As in newsletter.toml: “smtp”."""

    @property
    def works_apart(self) -> bool:
        """Whether `run` is to have a process of its own: it makes messages, and uses no database.

        It is forked, so `run` must not rely on threads that were started before.
        """

    @property
    def wants_tokens(self) -> bool:
        """Whether `run` makes whole messages (`Mailing.pieces`): then tokens are signed ahead."""

    @property
    def window(self) -> int:
        """How many deliveries may be between `handing_over` and their answer at once."""

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        """Hand over what *feed* gives until it is over.

        Cancelled (asyncio.CancelledError), it starts nothing new, waits a few seconds for the
        answers to what is under way, and reports every delivery that it holds.

        Raises:
            TransportError: the other side cannot be reached or refuses everything
                (credentials, certificate); every delivery taken is reported first.
        """

    async def deliver(self, email: str, message: bytes) -> Result:
        """Hand over one whole message (RFC 5322) outside the ledger: a test, an alert.

        Raises:
            TransportError: as for `run`.
        """

    async def probe(self) -> str:
        """Go as far as possible without sending; say in one line who answered and how.

        Raises:
            TransportError: as for `run`.
        """
