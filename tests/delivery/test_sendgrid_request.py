"""Requests to SendGrid: what a reader gets is what MessageTemplate makes; the limits hold."""

from __future__ import annotations

import html
import json
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from newsletter.compose.address import MAX_LOCAL, ascii_address, has_control
from newsletter.compose.slots import Slot
from newsletter.delivery.mailing import delivery_of
from newsletter.delivery.model import Delivery
from newsletter.delivery.transports.sendgrid_request import (
    PLAIN_EMAIL,
    PLAIN_NAME,
    Entry,
    RequestTemplate,
    divided,
    request_of,
    sandbox_request,
)
from newsletter.errors import TransportError
from tests.delivery.list_feed import a_mailing, readers
from tests.delivery.sendgrid_fake import Accepted, Received, problems

SLOTS = "".join(f'<p title="{slot.marker}">{slot.marker}</p>\n' for slot in Slot)
MAILING = a_mailing(html=f"<p>{SLOTS} %name% -name- {{{{name}}}}</p>", text=f"{SLOTS}\r\nAdiós")
TEMPLATE = RequestTemplate(MAILING)
EDITION = a_mailing()

names = st.text(max_size=80).filter(lambda name: not has_control(name))
locals_ = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}(\.[a-z]{1,5}){0,2}", fullmatch=True)


def entries_of(template: RequestTemplate, *deliveries: Delivery) -> list[Entry]:
    """Of readers none of whom is refused."""
    entries, refused = template.entries(deliveries)
    assert refused == []
    return entries


def sent(template: RequestTemplate, *deliveries: Delivery) -> list[Accepted]:
    """What SendGrid would send, if it finds nothing wrong."""
    body = template.body(entries_of(template, *deliveries))
    request = Received(
        connection=1,
        headers={"content-type": "application/json"},
        body=json.loads(body),
        size=len(body),
    )
    assert problems(request) == []
    return [
        Accepted(message_id="id", request=request.body, personalization=personalization)
        for personalization in request.body["personalizations"]
    ]


def parsed(message: bytes) -> EmailMessage:
    found = message_from_bytes(message, policy=policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


def unfolded(message: bytes, header: str) -> str:
    """A header as it is on the wire, on one line."""
    return str(message_from_bytes(message)[header]).replace("\r\n", "").replace("\n", "")


@given(names, locals_)
@example('Quote "d" \\ back', "a")
@example("<b>&amp;</b>", "o'brien&co")
@example("👩‍👩‍👧 \u05d0\u05d1\u05d2 \u202e", "a")
@example("-name-html-0123456789abcdef- {{name}} %name% ⟦email⟧", "a")
@example("https://slot.invalid/unsubscribe_url", "a")
@example("Doe, Jane; PhD", "a")
@example("", "{to}")
@example("Jean-Luc  P. 佐藤", "first.last+tag_1")
@example(" edge ", "UPPER")
@example(",;", "a-b")
def test_what_a_reader_gets_equals_the_message_by_smtp(name: str, local: str) -> None:
    delivery = Delivery(12345, f"{local}@example.org", name, 1, 0)
    (ours,) = sent(TEMPLATE, delivery)
    theirs = parsed(MAILING.message(delivery))
    plain, rich = (part.get_content().replace("\r\n", "\n") for part in theirs.iter_parts())
    assert ours.rendered("text/plain") == plain
    assert ours.rendered("text/html") == rich
    assert ours.headers["List-Unsubscribe"] == theirs["List-Unsubscribe"]
    assert ours.email == delivery.email
    shown = " ".join(name.replace(",", " ").replace(";", " ").split(" ")).split(" ")
    assert ours.personalization["to"][0].get("name", "") == " ".join(filter(None, shown))


@given(st.from_regex(PLAIN_EMAIL, fullmatch=True))
def test_an_address_that_is_taken_as_it_is_means_the_same_everywhere(email: str) -> None:
    assume(len(email) <= MAX_LOCAL)
    assert ascii_address(email) == email.lower() == email
    assert html.escape(email) == email
    assert json.dumps(email) == f'"{email}"'


@given(st.from_regex(PLAIN_NAME, fullmatch=True))
def test_a_name_that_is_taken_as_it_is_means_the_same_everywhere(name: str) -> None:
    assert not has_control(name)
    assert html.escape(name) == name
    assert json.dumps(name, ensure_ascii=False) == f'"{name}"'
    assert not set(",;") & set(name)
    assert " ".join(name.split(" ")).strip() == name
    assert "  " not in name


def test_headers_equal_those_by_smtp_except_what_sendgrid_writes_itself():
    (ours,) = sent(RequestTemplate(EDITION), *readers(1))
    message = EDITION.message(readers(1)[0])
    theirs = {name: unfolded(message, name) for name in message_from_bytes(message)}
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"):
        del theirs[name]
    theirs.pop("Reply-To", None)
    assert ours.headers == theirs
    assert ours.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    read = parsed(message)
    assert ours.request["subject"] == read["Subject"]
    sender = ours.request["from"]
    assert Address(sender["name"], addr_spec=sender["email"]) == read["From"].addresses[0]


def test_tracking_is_off_and_nothing_is_categorised():
    (ours,) = sent(RequestTemplate(EDITION), *readers(1))
    settings = ours.request["tracking_settings"]
    assert {name: value["enable"] for name, value in settings.items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
        "ganalytics": False,
    }
    assert settings["click_tracking"]["enable_text"] is False
    assert "categories" not in ours.request


def test_custom_args_name_the_delivery_and_nothing_personal():
    (ours,) = sent(TEMPLATE, Delivery(12345, "jane@example.org", "Jane", 1, 0))
    assert set(ours.personalization["custom_args"]) == {"delivery"}
    assert delivery_of(MAILING.links, ours.token) == (7, 12345)


def test_domains_outside_ascii_are_sent_as_a_labels_and_shown_as_they_are():
    (ours,) = sent(TEMPLATE, Delivery(1, "jo@bücher.example", "", 1, 0))
    assert ours.email == "jo@xn--bcher-kva.example"
    assert "jo@bücher.example" in ours.rendered("text/plain")


@pytest.mark.parametrize(
    ("email", "name", "reason"),
    [
        ("jö@example.org", "", "not ASCII"),
        ("nobody", "", "not an address"),
        ("jo@example.org", "a\r\nBcc: x@example.org", "control"),
        ("jo@example.org", "x" * 10_000, "more bytes"),
        ("jo@example.org", "👩" * 1_250, "more bytes"),
    ],
)
def test_a_reader_who_breaks_a_limit_is_refused_alone(email: str, name: str, reason: str) -> None:
    breaks, keeps = Delivery(1, email, name, 1, 0), Delivery(2, "ann@example.org", "", 1, 1)
    entries, ((refused, said),) = TEMPLATE.entries([breaks, keeps])
    assert refused is breaks
    assert reason in said
    assert email not in said
    assert [entry.delivery for entry in entries] == [keeps]


def test_a_name_with_the_very_tag_of_this_mailing_is_refused():
    (ours,) = sent(TEMPLATE, *readers(1))
    tag = next(iter(ours.personalization["substitutions"]))
    entries, ((_, reason),) = TEMPLATE.entries([Delivery(1, "jo@example.org", f"a {tag} b", 1, 0)])
    assert not entries
    assert "stands for" in reason


def test_a_thousand_readers_of_the_longest_kind_fit_into_a_request():
    longest = readers(1_000)
    for reader in longest:
        reader.name = "é" * 1_400
    entries = entries_of(TEMPLATE, *longest)
    body = TEMPLATE.body(entries)
    assert max(len(entry.personalization) for entry in entries) < 10_000
    request = Received(
        connection=1,
        headers={"content-type": "application/json"},
        body=json.loads(body),
        size=len(body),
    )
    assert problems(request) == []


def test_an_edition_too_large_for_sendgrid_is_refused_before_anything_is_sent():
    with pytest.raises(TransportError, match="edition has"):
        RequestTemplate(a_mailing(html="x" * 20_000_000, text=SLOTS))


def test_a_repeated_address_goes_into_another_request():
    entries = entries_of(TEMPLATE, *readers(4))
    same = [*entries_of(TEMPLATE, Delivery(9, "READER1@example.org", "", 1, 9)), entries[1]]
    lists = divided([*entries, *same])
    assert [[entry.delivery.subscriber_id for entry in piece] for piece in lists] == [
        [1, 2, 3, 4],
        [9],
        [2],
    ]
    assert divided([]) == []


def test_readers_who_want_plain_text_get_it_alone_and_in_a_request_of_their_own():
    mixed = [msgspec.structs.replace(each, is_text=each.place % 2 == 1) for each in readers(6)]
    html_ones, text_ones = divided(entries_of(TEMPLATE, *mixed))
    assert [entry.delivery.place for entry in html_ones] == [0, 2, 4]
    assert [entry.delivery.place for entry in text_ones] == [1, 3, 5]
    kinds = [
        [content["type"] for content in json.loads(TEMPLATE.body(piece))["content"]]
        for piece in (html_ones, text_ones)
    ]
    assert kinds == [["text/plain", "text/html"], ["text/plain"]]


# ── one whole message ───────────────────────────────────────────────────────


def one(email: str, message: bytes) -> dict[str, Any]:
    body = request_of(email, message)
    request = Received(
        connection=1,
        headers={"content-type": "application/json"},
        body=json.loads(body),
        size=len(body),
    )
    assert problems(request) == []
    return request.body


@given(names)
@example("Doe, Jane")
@example("田中 一郎")
def test_a_whole_message_keeps_its_bodies_and_headers(name: str) -> None:
    message = MAILING.message(Delivery(5, "jo@example.org", name, 1, 0))
    request = one("someone.else@example.com", message)
    plain, rich = (part.get_content() for part in parsed(message).iter_parts())
    assert [content["value"] for content in request["content"]] == [
        plain.replace("\r\n", "\n"),
        rich.replace("\r\n", "\n"),
    ]
    assert request["personalizations"][0]["to"][0]["email"] == "someone.else@example.com"
    assert request["headers"]["List-Unsubscribe"] == unfolded(message, "List-Unsubscribe")
    assert request["subject"] == parsed(message)["Subject"]


def test_an_alert_in_plain_text_becomes_a_request():
    alert = EmailMessage(policy=policy.SMTP)
    alert["From"] = Address("Die Brücke", addr_spec="news@example.org")
    alert["To"] = "editor@example.org"
    alert["Reply-To"] = "desk@example.org"
    alert["Subject"] = "Sending stopped – 12 % failed"
    alert.set_content("It stopped.\nLook at it.\n")
    request = one("editor@example.org", alert.as_bytes())
    assert request["from"] == {"email": "news@example.org", "name": "Die Brücke"}
    assert request["reply_to"] == {"email": "desk@example.org"}
    assert request["subject"] == "Sending stopped – 12 % failed"
    assert request["content"] == [{"type": "text/plain", "value": "It stopped.\nLook at it.\n"}]
    assert "headers" not in request


def test_a_message_with_an_attachment_is_our_own_fault():
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = message["To"] = "news@example.org"
    message.set_content("See the file.")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf")
    with pytest.raises(ValueError, match="application/pdf"):
        request_of("jo@example.org", message.as_bytes())


def test_a_sandbox_request_is_for_nobody():
    request = json.loads(sandbox_request("news@example.org"))
    assert request["mail_settings"]["sandbox_mode"]["enable"] is True
    assert request["personalizations"] == [{"to": [{"email": "nobody@example.org"}]}]
