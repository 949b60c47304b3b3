"""Bounce mails of many servers: the right person, and whether the address is gone for good."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.feedback.bounces import parse_bounce
from newsletter.feedback.events import Kind
from tests.feedback.bounce_samples import (
    NUMBER,
    READER,
    RETURNED,
    SAMPLES,
    TOKEN,
    TOKENS,
    block,
    plain,
    report,
)

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", SAMPLES)
def test_bounce_of_a_known_server_names_person_delivery_and_severity(name):
    sample = SAMPLES[name]
    events = parse_bounce(sample.data, at=NOW)
    assert [event.email for event in events] == list(sample.emails or [None])
    for event in events:
        assert event.kind is (Kind.DEFERRED if sample.is_delay else Kind.BOUNCED)
        assert event.is_permanent is sample.is_permanent
        assert event.at == NOW
        assert "@" not in event.detail
        if sample.has_token:
            assert event.token is not None
            assert TOKENS.verify("delivery", event.token) == NUMBER


def test_same_mail_read_twice_gives_the_same_event_ids_and_each_recipient_its_own():
    data = SAMPLES["several recipients"].data
    ids = [event.event_id for event in parse_bounce(data, at=NOW)]
    assert len(set(ids)) == 3
    moved = b"Received: from elsewhere\n" + data
    assert [event.event_id for event in parse_bounce(moved, at=None)] == ids


def test_without_a_time_of_arrival_the_date_of_the_mail_counts_in_utc():
    (event,) = parse_bounce(report(block()), at=None)
    assert event.at == datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("date", [b"nonsense", b"Mon, 99 Jan 2026 00:00:00 +1400", b""])
def test_a_date_that_is_none_gives_a_time_that_never_counts_as_recent(date):
    data = report(block()).replace(b"Mon, 02 Nov 2026 10:00:00 +0100", date)
    (event,) = parse_bounce(data, at=None)
    assert event.at == datetime(1970, 1, 1, tzinfo=UTC)


def test_two_blocks_about_one_address_are_one_event_the_permanent_one():
    two = report(block("5.2.2", "smtp; full") + "\n" + block("5.1.1"))
    (event,) = parse_bounce(two, at=NOW)
    assert event.is_permanent


@pytest.mark.parametrize("action", ["relayed", "expanded"])
def test_a_report_that_says_nothing_of_the_end_gives_no_event(action):
    assert parse_bounce(report(block("2.0.0", "smtp; 250 ok", action)), at=NOW) == []


def test_a_report_of_success_is_a_delivery():
    (event,) = parse_bounce(report(block("2.0.0", "smtp; 250 ok", "delivered")), at=NOW)
    assert (event.kind, event.is_permanent) == (Kind.DELIVERED, False)


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To"])
def test_return_address_with_a_token_names_the_delivery(header):
    data = f"{header}: <bounces+{TOKEN}@example.com>\n".encode() + report(block(), returned="")
    (event,) = parse_bounce(data.replace(b"To: bounces@example.com\n", b""), at=NOW)
    assert event.token == TOKEN


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_reference_to_our_message_names_the_delivery_where_nothing_is_returned(header):
    data = f"{header}: <{TOKEN}@example.com>\n".encode() + report(block(), returned="")
    (event,) = parse_bounce(data, at=NOW)
    assert event.token == TOKEN


# ── complaints ──────────────────────────────────────────────────────────────


def complaint(
    fields: str, *, kind: str = "message/feedback-report", encoding: str = "7bit"
) -> bytes:
    outer = "multipart/report; report-type=feedback-report"
    return report(fields, kind=kind, encoding=encoding, outer=outer, sender="fbl@example.test")


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
@pytest.mark.parametrize("kind", ["message/feedback-report", "text/plain"])
def test_feedback_report_of_abuse_is_a_complaint(kind, encoding):
    fields = f"Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: <{READER}>\n"
    (event,) = parse_bounce(complaint(fields, kind=kind, encoding=encoding), at=NOW)
    assert (event.kind, event.email, event.token) == (Kind.COMPLAINED, READER, TOKEN)


def test_feedback_report_without_the_reader_is_found_by_the_returned_message():
    (event,) = parse_bounce(complaint("Feedback-Type: abuse\nVersion: 1\n"), at=NOW)
    assert (event.kind, event.email, event.token) == (Kind.COMPLAINED, READER, TOKEN)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus", "anything"])
def test_feedback_report_of_something_else_is_no_complaint(kind):
    assert parse_bounce(complaint(f"Feedback-Type: {kind}\nVersion: 1\n"), at=NOW) == []


def test_complaint_of_outlook_without_a_report_is_found_in_the_returned_header():
    data = (
        b"From: staff@example.test\nSubject: complaint\nContent-Type: multipart/mixed; boundary=B\n"
        b"\n--B\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: "
        + f"{READER}\n{RETURNED}\n--B--\n".encode()
    )
    (event,) = parse_bounce(data, at=NOW)
    assert (event.kind, event.email, event.token) == (Kind.COMPLAINED, READER, TOKEN)


# ── people ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "subject", [f"unsubscribe {TOKEN}", f"Unsubscribe  {TOKEN} ", f"Re: unsubscribe%20{TOKEN}"]
)
def test_mail_with_the_subject_of_list_unsubscribe_unsubscribes(subject):
    data = f"From: Reader <{READER}>\nSubject: {subject}\nMessage-ID: <1@x>\n\n".encode()
    (event,) = parse_bounce(data, at=NOW)
    assert (event.kind, event.token, event.email) == (Kind.UNSUBSCRIBED, TOKEN, None)


@pytest.mark.parametrize("subject", ["unsubscribe", f"do not unsubscribe {TOKEN}", TOKEN])
def test_mail_with_another_subject_does_not_unsubscribe(subject):
    data = f"From: Reader <{READER}>\nSubject: {subject}\n\nunsubscribe {TOKEN}\n".encode()
    assert parse_bounce(data, at=NOW) == []


@pytest.mark.parametrize(
    "headers",
    [
        "Subject: Out of office\n",
        "Subject: Automatische Antwort: Vol 2.20\n",
        "Subject: Vol 2.20\nAuto-Submitted: auto-replied\n",
        "Subject: Vol 2.20\nPrecedence: auto_reply\n",
        "Subject: Please confirm that you sent this message\n",
        "Subject: Re: Vol 2.20\n",
        "Subject: Aw: Vol 2.20\n",
        "Subject: Re: Failure notices, explained\n",
        "Subject: Automatic reply: Failure notices, explained\nReturn-Path: <>\n",
        "Subject: Jsem na dovolené\nReturn-Path: <>\n",
    ],
)
def test_automatic_replies_challenges_and_letters_say_nothing(headers):
    data = (
        f"From: Reader <{READER}>\n{headers}References: <{TOKEN}@example.com>\n\n"
        f"I am away; user unknown.\n\n> The last letter I could not open.\n"
    )
    assert parse_bounce(data.encode(), at=NOW) == []


def test_receipt_for_a_message_that_was_read_is_no_bounce():
    fields = f"Final-Recipient: rfc822; {READER}\nDisposition: manual-action/MDN-sent; displayed\n"
    data = report(
        fields, kind="message/disposition-notification", sender=READER, text="It was displayed."
    ).replace(b"Undelivered Mail Returned to Sender", b"Read: Vol 2.20")
    data = data.replace(b"Return-Path: <>\n", b"").replace(b"Mail Delivery System", b"Reader")
    assert parse_bounce(data, at=NOW) == []


def test_machine_without_clear_words_is_no_permanent_failure():
    (event,) = parse_bounce(plain("Something went wrong.\n\n" + RETURNED), at=NOW)
    assert (event.token, event.is_permanent) == (TOKEN, False)
