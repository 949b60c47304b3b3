"""A Mailing: an edition's message and the links in it, frozen with the campaign.

Everything that a transport needs to make one subscriber's message, and nothing
that changes between the first message and the last, crashes included. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec

from newsletter.audience.links import PREFERENCES, UNSUBSCRIBE, Links
from newsletter.compose.message import Headers, MessageTemplate, Recipient
from newsletter.delivery.dkim import Signer
from newsletter.delivery.model import Delivery

_DELIVERY = "delivery"
_SUBSCRIBER_BITS = 40  # of a delivery's number; the rest is the campaign


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What the column `campaign.mailing` holds."""

    number: str  # the issue's, as in "2.20"
    headers: Headers
    web_url: str

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Frozen:
        return msgspec.json.decode(text, type=cls)


@dataclass(frozen=True, kw_only=True)
class Mailing:
    """One campaign's message. *html* and *text* hold the slots of `newsletter.compose.slots`."""

    campaign_id: int
    frozen: Frozen
    html: str
    text: str
    links: Links
    signer: Signer | None = None

    @property
    def headers(self) -> Headers:
        return self.frozen.headers

    @property
    def date(self) -> datetime:
        return self.frozen.headers.date

    @cached_property
    def template(self) -> MessageTemplate:
        return MessageTemplate(self.headers, self.html, self.text)

    @cached_property
    def text_template(self) -> MessageTemplate:
        """For readers who want no HTML."""
        return MessageTemplate(self.headers, "", self.text)

    def token(self, subscriber_id: int) -> str:
        """Name the delivery to the outside: opaque, signed, in Message-ID and custom_args."""
        number = self.campaign_id << _SUBSCRIBER_BITS | subscriber_id
        return self.links.tokens.sign(_DELIVERY, number)

    def tokens(self, subscriber_ids: Iterable[int]) -> list[bytes]:
        """`token` for many at once; each as ASCII."""
        ours = self.campaign_id << _SUBSCRIBER_BITS
        return self.links.tokens.sign_all(_DELIVERY, [ours | number for number in subscriber_ids])

    def sign_ahead(self, deliveries: Sequence[Delivery]) -> None:
        """Sign what stands in the messages of *deliveries*, many at once: half the time."""
        ids = [delivery.subscriber_id for delivery in deliveries]
        sign = self.links.tokens.sign_all
        signed = zip(self.tokens(ids), sign(UNSUBSCRIBE, ids), sign(PREFERENCES, ids), strict=True)
        for delivery, (own, unsubscribe, preferences) in zip(deliveries, signed, strict=True):
            delivery.tokens = own.decode(), unsubscribe.decode(), preferences.decode()

    def recipient(self, delivery: Delivery) -> Recipient:
        """The values of one delivery's slots."""
        if delivery.tokens is not None:
            own, unsubscribe, preferences = delivery.tokens
            return Recipient(
                email=delivery.email,
                name=delivery.name,
                delivery=own,
                unsubscribe_url=self.links.of(UNSUBSCRIBE, unsubscribe),
                preferences_url=self.links.of(PREFERENCES, preferences),
                web_url=self.frozen.web_url,
            )
        return Recipient(
            email=delivery.email,
            name=delivery.name,
            delivery=self.token(delivery.subscriber_id),
            unsubscribe_url=self.links.unsubscribe(delivery.subscriber_id),
            preferences_url=self.links.preferences(delivery.subscriber_id),
            web_url=self.frozen.web_url,
        )

    def message(self, delivery: Delivery, *, smtputf8: bool = False) -> bytes:
        """The whole message; see `pieces`."""
        return b"".join(self.pieces(delivery, smtputf8=smtputf8))

    def pieces(self, delivery: Delivery, *, smtputf8: bool = False) -> tuple[bytes, ...]:
        """The whole message, not yet joined (RFC 5322, CRLF, 7-bit, no need of dot-stuffing).

        *smtputf8*: To may hold an address that is not ASCII, as it is (RFC 6532).

        Raises:
            RecipientRejected: the name or the address cannot stand in a header.
        """
        template = self.text_template if delivery.is_text else self.template
        pieces = template.pieces(self.recipient(delivery), smtputf8=smtputf8)
        return pieces if self.signer is None else (self.signer.sign(b"".join(pieces)), *pieces)


def delivery_of(links: Links, token: str) -> tuple[int, int] | None:
    """Campaign and subscriber of a token that `Mailing.token` made; None for any other text."""
    number = links.tokens.verify(_DELIVERY, token)
    if number is None:
        return None
    return number >> _SUBSCRIBER_BITS, number & ((1 << _SUBSCRIBER_BITS) - 1)
