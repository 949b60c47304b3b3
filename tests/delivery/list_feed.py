"""A Feed over a list, which holds transports to their contract; and a mailing to send."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime

from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.compose.email import compose_email
from newsletter.compose.message import headers_of
from newsletter.compose.text import compose_text
from newsletter.delivery.mailing import Frozen, Mailing
from newsletter.delivery.model import Delivery, Outcome
from tests.compose.composed import TEMPLATES, a_config, a_view

DATE = datetime(2023, 10, 31, 13, 53, tzinfo=UTC)


class ListFeed:
    """Gives *deliveries*; each must end in exactly one outcome. What is returned comes again."""

    def __init__(self, deliveries: Iterable[Delivery], *, most_at_once: int = 10_000) -> None:
        self.waiting = deque(deliveries)
        self.most_at_once = most_at_once
        self.held: dict[int, Delivery] = {}
        self.announced: set[int] = set()
        self.ended: dict[int, tuple[Outcome, str]] = {}  # place → outcome; reply or provider id
        self.returns = 0
        self.over = False
        self._thread = threading.get_ident()
        self._changed = asyncio.Event()

    def take(self) -> Delivery | None:
        return next(iter(self.take_up_to(1)), None)

    def take_up_to(self, limit: int) -> list[Delivery]:
        assert threading.get_ident() == self._thread
        number = min(limit, len(self.waiting), self.most_at_once)
        taken = [self.waiting.popleft() for _ in range(number)]
        self.held.update((delivery.place, delivery) for delivery in taken)
        return taken

    async def wait(self) -> bool:
        while not self.waiting and self.held and not self.over:
            await self._changed.wait()
        return bool(self.waiting) and not self.over

    def handing_over(self, delivery: Delivery) -> None:
        assert delivery.place in self.held
        self.announced.add(delivery.place)

    def accepted(self, delivery: Delivery, provider_id: str = "") -> None:
        assert delivery.place in self.announced
        self._end(delivery, Outcome.ACCEPTED, provider_id)

    def refused_for_now(self, delivery: Delivery, reply: str, after: float | None = None) -> None:
        self._end(delivery, Outcome.REFUSED_FOR_NOW, reply)

    def refused_for_good(self, delivery: Delivery, reply: str) -> None:
        self._end(delivery, Outcome.REFUSED_FOR_GOOD, reply)

    def uncertain(self, delivery: Delivery, reply: str) -> None:
        assert delivery.place in self.announced
        self._end(delivery, Outcome.UNCERTAIN, reply)

    def returned(self, delivery: Delivery) -> None:
        del self.held[delivery.place]
        self.announced.discard(delivery.place)
        self.returns += 1
        self.waiting.append(delivery)
        self._wake()

    def _end(self, delivery: Delivery, outcome: Outcome, text: str) -> None:
        assert threading.get_ident() == self._thread
        del self.held[delivery.place]  # KeyError: an outcome for what it does not hold
        assert delivery.place not in self.ended
        self.ended[delivery.place] = (outcome, text)
        if not self.held:
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def places(self, outcome: Outcome) -> set[int]:
        return {place for place, (found, _) in self.ended.items() if found is outcome}


def readers(number: int) -> list[Delivery]:
    return [
        Delivery(place + 1, f"reader{place}@example.org", f"Reader {place}", 1, place)
        for place in range(number)
    ]


def a_mailing(html: str | None = None, text: str | None = None) -> Mailing:
    """The usual edition, whole, unless *html* and *text* are given."""
    config, view = a_config(), a_view()
    return Mailing(
        campaign_id=7,
        frozen=Frozen(
            number="2.20", headers=headers_of(view, config, DATE), web_url=view.issue_url + "?a&b"
        ),
        html=compose_email(view, TEMPLATES).html if html is None else html,
        text=compose_text(view, TEMPLATES) if text is None else text,
        links=Links(site_url=config.site_url, tokens=Tokens([b"k" * 32])),
    )
