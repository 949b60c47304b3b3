"""Send an edition: assemble each subscriber's message and hand it to the transport.

Reads subscribers one by one, so memory does not grow with the list. A subscriber
whose message cannot be made is counted and reported, and stops nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from newsletter.audience.links import Links
from newsletter.audience.subscribers import Reject, Subscriber
from newsletter.compose.message import MessageTemplate, Recipient
from newsletter.delivery.transports.outbox import Outbox
from newsletter.errors import RecipientRejected


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What became of the rows of the list; accepted + rejected is all of them."""

    accepted: int
    rejected: tuple[str, ...]  # one reason each


def send(
    message: MessageTemplate,
    subscribers: Iterable[Subscriber | Reject],
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
        StorageError: the outbox or a subscriber file failed; what was written stays.
    """
    outbox.open()
    accepted = 0
    rejected: list[str] = []
    for done, row in enumerate(subscribers, start=1):
        if isinstance(row, Reject):
            rejected.append(f"{row.path.name}:{row.line}: {row.reason}")
        else:
            try:
                outbox.deliver(
                    row.email, message.assemble(_recipient(row, links, edition, web_url))
                )
                accepted += 1
            except RecipientRejected as error:
                rejected.append(f"{row.email}: {error.message}")
        on_progress(done)
    return Summary(accepted=accepted, rejected=tuple(rejected))


def _recipient(subscriber: Subscriber, links: Links, edition: str, web_url: str) -> Recipient:
    return Recipient(
        email=subscriber.email,
        name=subscriber.name,
        delivery=links.token("delivery", f"{edition}\0{subscriber.email}"),
        unsubscribe_url=links.unsubscribe(subscriber.email),
        preferences_url=links.preferences(subscriber.email),
        web_url=web_url,
    )
