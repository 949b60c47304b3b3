"""Permanent or not: by the status code, else the reply code, else the words."""

from __future__ import annotations

import pytest

from newsletter.feedback.dsn import address_in, blocks_in
from newsletter.feedback.severity import is_permanent, status_in


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        ("5.1.1", "", True),
        ("5.1.2", "", True),
        ("5.2.1", "mailbox disabled", True),
        ("5.4.4", "", True),
        ("5.5.0", "550 mailbox unavailable", True),
        ("4.2.2", "550 no such user", False),
        ("4.4.7", "", False),
        ("5.2.2", "", False),
        ("5.2.3", "", False),
        ("5.1.8", "", False),
        ("5.4.7", "", False),
        ("5.6.1", "", False),
        ("5.7.1", "rejected", False),
        ("5.7.26", "unauthenticated", False),
        ("5.7.1", "550 5.7.1 no such user here", True),
        ("5.7.1", "user unknown, blocked for spam", False),
        ("5.0.0", "550 5.1.1 user unknown", True),
        ("5.0.0", "552 5.2.2 over quota", False),
        ("5.0.0", "user is over quota", False),
        ("5.0.0", "blocked by spam filter", False),
        ("5.0.0", "", True),
        ("4.0.0", "550 5.1.1 user unknown", True),
        ("2.0.0", "550 user unknown", True),
        ("5.2.0", "", False),
        ("5.2.0", "550 unknown user", True),
        ("5.2.1", "receiving mail too quickly, try again", False),
        ("5.3.0", "", True),
        ("5.3.4", "message too big", False),
        ("5.4.1", "550 Recipient address rejected: Access denied", True),
        ("5.4.1", "connection timed out", False),
        ("5.4.6", "routing loop", False),
        ("5.4.14", "hop count exceeded", False),
        ("5.7.13", "account disabled", True),
        ("5.7.17", "the mailbox has another owner now", True),
        ("5.1.6", "has moved", True),
        ("5.1.10", "null MX", True),
        ("5.1.0", "550 sender rejected by policy", False),
        (None, "550 5.1.1 user unknown", True),
        (None, "450 try again", False),
        (None, "550 rejected", True),
        (None, "550 listed at a DNSBL", False),
        (None, "mailbox is full", False),
        (None, "the address does not exist", True),
        (None, "connection timed out", False),
        (None, "Host not found", True),
        (None, "Host not found, try again", False),
    ],
)
def test_severity_follows_the_most_exact_thing_that_is_said(status, text, expected):
    assert is_permanent(status, text) is expected


def test_without_any_clue_the_caller_decides():
    assert is_permanent(None, "something went wrong", otherwise=True)
    assert not is_permanent(None, "something went wrong", otherwise=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.1.1 x", "5.1.1"),
        ("550-5.7.26 x", "5.7.26"),
        ("(#4.4.1)", "4.4.1"),
        ("5.01.001", "5.1.1"),
        ("at 192.5.1.1 port 25", None),
        ("5.1.1.7", None),
        ("Postfix 3.1.2", None),
    ],
)
def test_status_is_found_among_words_and_not_in_network_addresses(text, expected):
    assert status_in(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("rfc822; a@example.org", "a@example.org"),
        ("rfc822;<a@example.org>", "a@example.org"),
        ("RFC822 ; A@Example.ORG", "A@example.org"),
        ("<a@example.org>", "a@example.org"),
        ("a@example.org", "a@example.org"),
        ("rfc822; a@example.org (expanded from: <b@example.org>)", "a@example.org"),
        ('rfc822; "a b"@example.org', '"a b"@example.org'),
        ("rfc822;a+2Bnews@example.org", "a+news@example.org"),
        ("rfc822;jane+42@example.org", "jane+42@example.org"),
        ("rfc822;a+40example.org", "a@example.org"),
        ("utf-8; \\x{E4}@example.org", "ä@example.org"),
        ("rfc822; a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("rfc822; a@example.org.", "a@example.org"),
        ("LOCAL; a", None),
        ("", None),
    ],
)
def test_recipient_is_read_in_every_spelling(value, expected):
    assert address_in(value) == expected


def block_emails(text: str) -> list[str | None]:
    return [block.email for block in blocks_in(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Final-Recipient: a@x.test\nAction: failed\n\nFinal-Recipient: b@x.test\nAction: failed",
        "Final-Recipient: a@x.test\nAction: failed\nFinal-Recipient: b@x.test\nAction: failed",
        "Action: failed\nFinal-Recipient: a@x.test\nAction: failed\nFinal-Recipient: b@x.test",
        """
Final-Recipient: c@x.test
Action: failed
Original-Recipient: a@x.test

Original-Recipient: b@x.test
Final-Recipient: c@x.test
Action: failed
""",
        """
Final-Recipient:
 rfc822;
\ta@x.test
Action:
 failed


final-recipient : rfc822;b@x.test
ACTION : failed
""",
    ],
)
def test_blocks_are_told_apart_however_they_are_laid_out(text):
    assert block_emails(text) == ["a@x.test", "b@x.test"]
