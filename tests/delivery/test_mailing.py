"""A mailing's messages: one subscriber's values, tokens that lead back, To as servers take it."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy

import msgspec
import pytest

from newsletter.audience.links import PREFERENCES, UNSUBSCRIBE, Links
from newsletter.audience.tokens import Tokens
from newsletter.compose.message import Headers
from newsletter.delivery.mailing import Frozen, Mailing, delivery_of
from newsletter.delivery.model import Delivery
from newsletter.errors import RecipientRejected

HEADERS = Headers(
    from_name="Digest",
    from_email="digest@news.example.org",
    reply_to=None,
    subject="Vol 2.20",
    date=datetime(2023, 10, 31, 9, 53, tzinfo=UTC),
    list_name="Digest",
    list_id="digest.news.example.org",
    archive_url="https://digest.example.org/",
    help_email="digest@example.org",
    feedback_id="vol-2-20:edition:newsletter:newsexampleorg",
    language="en",
)
BODY = (
    "https://slot.invalid/unsubscribe_url\nhttps://slot.invalid/preferences_url\n"
    "https://slot.invalid/web_url\n⟦name⟧\n⟦email⟧\n"
)
LINKS = Links(site_url="https://digest.example.org", tokens=Tokens([b"k" * 32]))
MAILING = Mailing(
    campaign_id=3,
    frozen=Frozen(number="2.20", headers=HEADERS, web_url="https://digest.example.org/vol-2-20/"),
    html=BODY,
    text=BODY,
    links=LINKS,
)


def a_delivery(subscriber_id: int = 7, email: str = "ada@example.org") -> Delivery:
    return Delivery(
        subscriber_id=subscriber_id, email=email, name="Ada Okafor", attempts=1, place=0
    )


def test_message_holds_the_values_and_signed_links_of_its_subscriber() -> None:
    message = message_from_bytes(MAILING.message(a_delivery()), policy=policy.SMTP)
    assert message["To"] == "Ada Okafor <ada@example.org>"
    for part in message.iter_parts():
        unsubscribe, preferences, web, name, email = part.get_content().splitlines()
        tokens = LINKS.tokens
        assert tokens.verify(UNSUBSCRIBE, unsubscribe.rpartition("/unsubscribe/")[2]) == 7
        assert tokens.verify(PREFERENCES, preferences.rpartition("/preferences/")[2]) == 7
        assert web == "https://digest.example.org/vol-2-20/"
        assert (name, email) == ("Ada Okafor", "ada@example.org")
        assert f"<{unsubscribe}>, <mailto:digest@example.org" in message["List-Unsubscribe"]


def test_who_wants_plain_text_gets_the_text_alone_with_the_same_headers() -> None:
    plain = msgspec.structs.replace(a_delivery(), is_text=True)
    both, alone = (
        message_from_bytes(MAILING.message(each), policy=policy.SMTP)
        for each in (a_delivery(), plain)
    )
    assert alone.get_content_type() == "text/plain"
    body = both.get_body(("plain",))
    assert body is not None
    assert alone.get_content() == body.get_content()
    of_entity = ("content-type", "content-transfer-encoding")
    assert {k: v for k, v in alone.items() if k.lower() not in of_entity} == {
        k: v for k, v in both.items() if k.lower() not in of_entity
    }
    wire = MAILING.message(plain)
    assert wire.isascii()
    assert max(map(len, wire.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_message_id_leads_back_to_campaign_and_subscriber() -> None:
    message = message_from_bytes(MAILING.message(a_delivery(2**40 - 1)))
    token = message["Message-ID"].strip("<>").partition("@")[0]
    assert delivery_of(LINKS, token) == (3, 2**40 - 1)
    assert delivery_of(LINKS, LINKS.tokens.sign(UNSUBSCRIBE, 7)) is None


def test_address_that_is_not_ascii_goes_only_to_a_server_with_smtputf8() -> None:
    delivery = a_delivery(email="jörg@example.org")
    assert "\r\nTo: Ada Okafor <jörg@example.org>\r\n".encode() in MAILING.message(
        delivery, smtputf8=True
    )
    with pytest.raises(RecipientRejected, match="not ASCII"):
        MAILING.message(delivery)


def test_what_is_frozen_reads_back_from_the_database_as_it_was() -> None:
    assert Frozen.from_json(MAILING.frozen.to_json()) == MAILING.frozen
