"""Send an edition: assemble each subscriber's message and hand it to the transport.

Reads subscribers one by one, so memory does not grow with the list. A subscriber
whose message cannot be made is counted and reported, and stops nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from newsletter.audience.links import Links
from newsletter.audience.model import Subscriber
from newsletter.compose.message import MessageTemplate, Recipient
from newsletter.delivery.transports.outbox import Outbox
from newsletter.errors import RecipientRejected


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of the audience; accepted + rejected is all of it."""

    accepted: int
    rejected: tuple[str, ...]  # one reason each; they name the subscriber's id, no address


def send(
    message: MessageTemplate,
    subscribers: Iterable[Subscriber],
    links: Links,
    outbox: Outbox,
    *,
    edition: str,
    web_url: str,
    on_progress: Callable[[int], object] = lambda done: None,
) -> Summary:
    """Write one message per subscriber into *outbox*.

    *edition* (an issue number) keeps the Message-IDs of editions apart.

    Raises:
        StorageError: the outbox or the database failed; what was written stays.
    """
    outbox.open()
    accepted = 0
    rejected: list[str] = []
    for done, subscriber in enumerate(subscribers, start=1):
        try:
            recipient = _recipient(subscriber, links, edition, web_url)
            outbox.deliver(subscriber.email, message.assemble(recipient))
            accepted += 1
        except RecipientRejected as error:
            rejected.append(f"subscriber {subscriber.id}: {error.message}")
        on_progress(done)
    return Summary(accepted=accepted, rejected=tuple(rejected))


def _recipient(subscriber: Subscriber, links: Links, edition: str, web_url: str) -> Recipient:
    return Recipient(
        email=subscriber.email,
        name=subscriber.name,
        delivery=links.tokens.sign(f"delivery of {edition}", subscriber.id),
        unsubscribe_url=links.unsubscribe(subscriber.id),
        preferences_url=links.preferences(subscriber.id),
        web_url=web_url,
    )
