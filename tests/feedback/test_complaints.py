"""Complaints as feedback loops really send them: with the reader's address taken out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.feedback.bounces import parse_bounce
from newsletter.feedback.events import Kind
from tests.feedback.bounce_samples import READER, TOKEN, report

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
UNSUBSCRIBE = (
    "<https://digest.example.org/unsubscribe/x>, "
    f"<mailto:d@example.com?subject=unsubscribe%20{TOKEN}>"
)


def loop(fields: str, returned: str, *, kind: str = "message/rfc822") -> bytes:
    return report(
        fields,
        kind="message/feedback-report",
        outer="multipart/report; report-type=feedback-report",
        returned=returned,
        returned_kind=kind,
        sender="feedback@provider.test",
        text="This is an email abuse report.",
    )


YAHOO = (
    "Feedback-Type: abuse\nUser-Agent: Feedback/2.0\nVersion: 0.1\n"
    "Original-Mail-From: <bounces@example.com>\nOriginal-Rcpt-To: redacted@provider.test\n"
    "Received-Date: Mon, 02 Nov 2026 10:00:00 +0100\nReported-Domain: example.com\n"
)
AOL = (
    "Feedback-Type: abuse\nUser-Agent: SComp\nVersion: 0.1\nRedaction: yes\n"
    "Original-Rcpt-To: undisclosed\nSource-IP: 192.0.2.1\n"
)


@pytest.mark.parametrize("fields", [YAHOO, AOL, AOL.replace("\n", "\r\n")])
def test_complaint_with_the_reader_taken_out_is_found_by_the_message_id(fields):
    returned = (
        f"From: Letter <letter@example.com>\nTo: [redacted]\nMessage-ID: <{TOKEN}@example.com>\n"
    )
    (event,) = parse_bounce(loop(fields, returned), at=NOW)
    assert (event.kind, event.token) == (Kind.COMPLAINED, TOKEN)


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
def test_complaint_without_our_message_id_is_found_by_the_list_unsubscribe(kind):
    returned = f"From: Letter <letter@example.com>\nList-Unsubscribe: {UNSUBSCRIBE}\nSubject: x\n"
    (event,) = parse_bounce(loop(YAHOO, returned, kind=kind), at=NOW)
    assert (event.kind, event.token) == (Kind.COMPLAINED, TOKEN)


def test_complaint_of_outlook_names_the_reader_in_its_own_header():
    data = (
        "From: staff@provider.test\nSubject: complaint about message from 192.0.2.1\n"
        "Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: message/rfc822\n\n"
        f"X-HmXmrOriginalRecipient: {READER}\nTo: {READER}\n"
        f"List-Unsubscribe: {UNSUBSCRIBE}\n\nx\n--B--\n"
    )
    (event,) = parse_bounce(data.encode(), at=NOW)
    assert (event.kind, event.email, event.token) == (Kind.COMPLAINED, READER, TOKEN)


@pytest.mark.parametrize("kind", ["opt-out", "opt-out-list"])
def test_report_of_a_wish_to_leave_unsubscribes(kind):
    fields = f"Feedback-Type: {kind}\nVersion: 1\nRemoval-Recipient: rfc822; {READER}\n"
    (event,) = parse_bounce(loop(fields, f"Message-ID: <{TOKEN}@example.com>\n"), at=NOW)
    assert (event.kind, event.email) == (Kind.UNSUBSCRIBED, READER)


@pytest.mark.parametrize("mark", ["[SPAM?] ", "[EXT] ", "***SPAM*** "])
def test_wish_to_leave_by_mail_is_understood_behind_the_mark_of_a_filter(mark):
    data = f"From: {READER}\nSubject: {mark}unsubscribe {TOKEN}\n\n".encode()
    (event,) = parse_bounce(data, at=NOW)
    assert (event.kind, event.token) == (Kind.UNSUBSCRIBED, TOKEN)
