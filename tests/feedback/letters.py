"""Messages that arrive in a bounce mailbox, and a Maildir to put them into."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from tests.feedback.sent_campaigns import reader, token

_NUMBERS = count(1)


def bounce(subscriber_id: int = 1, campaign_id: int = 1, status: str = "5.1.1") -> bytes:
    """A report on one of our messages, as Postfix would have it."""
    email = reader(subscriber_id)
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.test>
To: bounces@example.com
Subject: Undelivered Mail Returned to Sender
Date: Mon, 02 Mar 2026 09:00:00 +0000
Message-ID: <{subscriber_id}.{campaign_id}.{status}@mx.example.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

It could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Final-Recipient: rfc822; {email}
Action: failed
Status: {status}

--B
Content-Type: text/rfc822-headers

To: {email}
Message-ID: <{token(campaign_id, subscriber_id)}@example.com>

--B--
""".encode()


def wish_to_leave(subscriber_id: int = 2, campaign_id: int = 1) -> bytes:
    """What a mail program sends for the mailto of our List-Unsubscribe."""
    return (
        f"From: {reader(subscriber_id)}\nTo: desk@example.com\n"
        f"Subject: unsubscribe {token(campaign_id, subscriber_id)}\n"
        f"Message-ID: <leave.{subscriber_id}.{campaign_id}@reader.test>\n\n"
    ).encode()


def letter(number: int = 1) -> bytes:
    """What only a person can read."""
    return (
        f"From: Ada <ada@example.net>\nTo: desk@example.com\nSubject: Thank you, {number}\n"
        f"Message-ID: <letter.{number}@example.net>\n\nI liked the last one.\n"
    ).encode()


def maildir(folder: Path, *messages: bytes) -> Path:
    """Deliver *messages* into the Maildir *folder*, which is made."""
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for message in messages:
        (folder / "new" / f"17400000{next(_NUMBERS):04}.M1.host").write_bytes(message)
    return folder


def names(folder: Path) -> list[str]:
    """Where the messages of a Maildir are, without their numbers: “cur:2,F” and such."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            where = path.parent.relative_to(folder)
            found.append(f"{where}{path.name[path.name.find(':') :] if ':' in path.name else ''}")
    return sorted(found)
