"""Bounce mails in the forms of well-known servers, written for these tests.

Each returns one message that we sent to reader@example.org; TOKEN names its delivery.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from textwrap import dedent

from newsletter.audience.tokens import Tokens

TOKENS = Tokens([b"a key of the tests, long enough for one"])
NUMBER = 7 << 40 | 4711
TOKEN = TOKENS.sign("delivery", NUMBER)
READER = "reader@example.org"

RETURNED = f"""\
From: Letter <letter@example.com>
To: Reader <{READER}>
Subject: Vol 2.20
Message-ID: <{TOKEN}@example.com>

Hello
"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    data: bytes
    is_permanent: bool = True
    is_delay: bool = False
    has_token: bool = True
    emails: tuple[str, ...] = (READER,)


def report(
    status: str,
    *,
    text: str = "Your message could not be delivered.",
    kind: str = "message/delivery-status",
    outer: str = "multipart/report; report-type=delivery-status",
    encoding: str = "7bit",
    returned: str = RETURNED,
    returned_kind: str = "message/rfc822",
    sender: str = "MAILER-DAEMON@mx.example.test",
) -> bytes:
    """A multipart bounce with *status* as its report."""
    if encoding == "base64":
        status = base64.encodebytes(status.encode()).decode()
    elif encoding == "quoted-printable":
        status = status.replace("=", "=3D").replace("Recipient", "Re=\ncipient")
    return f"""\
Return-Path: <>
From: Mail Delivery System <{sender}>
To: bounces@example.com
Subject: Undelivered Mail Returned to Sender
Date: Mon, 02 Nov 2026 10:00:00 +0100
Message-ID: <1234.abcd@mx.example.test>
MIME-Version: 1.0
Content-Type: {outer}; boundary="B"

This is a MIME-encapsulated message.

--B
Content-Type: text/plain; charset=utf-8

{text}

--B
Content-Type: {kind}
Content-Transfer-Encoding: {encoding}

{status}
--B
Content-Type: {returned_kind}

{returned}
--B--
""".encode()


def plain(text: str, *, headers: str = "", subject: str = "failure notice") -> bytes:
    """A bounce that is nothing but text."""
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.test\nTo: bounces@example.com\n"
        f"Date: Mon, 02 Nov 2026 10:00:00 +0100\nSubject: {subject}\n{headers}\n{dedent(text)}"
    ).encode()


def block(
    status: str = "5.1.1", diagnostic: str = "smtp; 550 5.1.1 no such user", action: str = "failed"
) -> str:
    """A report on the reader."""
    return (
        f"Reporting-MTA: dns; mx.example.test\n\nFinal-Recipient: rfc822; {READER}\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: {diagnostic}\n"
    )


SAMPLES = {
    "postfix": Sample(data=report(block())),
    "postfix, original recipient": Sample(
        data=report(
            "Reporting-MTA: dns; mx.example.test\nX-Postfix-Queue-ID: 4F\n\n"
            f"Final-Recipient: rfc822; forwarded@example.net\nOriginal-Recipient: rfc822;{READER}\n"
            "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.example.net\n"
            "Diagnostic-Code: smtp; 550 5.1.1 <forwarded@example.net>: Recipient address\n"
            "    rejected: User unknown in virtual mailbox table\n"
        )
    ),
    "postfix, delayed": Sample(
        data=report(block("4.4.1", "smtp; connect to mx: Connection timed out", "delayed")),
        is_permanent=False,
        is_delay=True,
    ),
    "postfix, given up after days": Sample(
        data=report(block("4.4.1", "X-Postfix; connect to mx: Connection timed out")),
        is_permanent=False,
    ),
    "postfix, headers only": Sample(data=report(block(), returned_kind="text/rfc822-headers")),
    "exim": Sample(
        data=report(
            f"Reporting-MTA: dns; mx.example.test\n\nAction: failed\n"
            f"Final-Recipient: rfc822;{READER}\nStatus: 5.0.0\nRemote-MTA: dns; mx.example.org\n"
            "Diagnostic-Code: smtp; 550 No such person at this address\n"
        )
    ),
    "exim, reason in the text alone": Sample(
        data=report(
            f"Action: failed\nFinal-Recipient: rfc822;{READER}\nStatus: 5.0.0\n",
            text=f"The following address failed:\n\n  {READER}\n    mailbox is full\n",
        ),
        is_permanent=False,
    ),
    "exim, before it had reports": Sample(
        data=plain(
            f"""\
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients.

              {READER}
                SMTP error from remote mail server after RCPT TO:
                550 5.1.1 user unknown

            ------ This is a copy of the message, including all the headers. ------

            """
            + RETURNED.replace("\n", "\n            "),
            headers=f"X-Failed-Recipients: {READER}\n",
        )
    ),
    "office 365": Sample(
        data=report(
            "Reporting-MTA: dns;AM0.example.test\nReceived-From-MTA: dns;mx.example.com\n\n"
            f"Final-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.10\n"
            "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found\n"
        )
    ),
    "office 365, directory based": Sample(
        data=report(block("5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied."))
    ),
    "exchange, quota, in German": Sample(
        data=report(
            block("5.2.2", "smtp;554 5.2.2 mailbox full"),
            text="Das Postfach des Empfängers ist voll. Die Nachricht ist unzustellbar.",
        ),
        is_permanent=False,
    ),
    "gmail": Sample(
        data=report(
            f"Reporting-MTA: dns; mail.example.test\n\nFinal-Recipient: rfc822; {READER}\n"
            "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550-5.1.1 The email account that"
            " you tried to\n reach does not exist. 550 5.1.1  https://example.com/?p=NoSuchUser\n"
            "Last-Attempt-Date: Mon, 02 Nov 2026 01:00:00 -0800 (PST)\n"
        )
    ),
    "gmail, reputation": Sample(
        data=report(block("5.7.1", "smtp; 550-5.7.1 likely unsolicited mail; it is blocked")),
        is_permanent=False,
    ),
    "unknown user as policy": Sample(data=report(block("5.7.1", "smtp; 550 5.7.1 user unknown"))),
    "qmail": Sample(
        data=plain(
            f"""\
            Hi. This is the qmail-send program at mx.example.test.
            I'm afraid I wasn't able to deliver your message to the following addresses.
            This is a permanent error; I've given up. Sorry it didn't work out.

            <{READER}>:
            192.0.2.1 does not like recipient.
            Remote host said: 550 5.1.1 sorry, no mailbox here by that name

            --- Below this line is a copy of the message.

            """
            + RETURNED.replace("\n", "\n            ")
        )
    ),
    "qmail, full": Sample(
        data=plain(
            f"""\
            Hi. This is the qmail-send program at mx.example.test.

            <{READER}>:
            user is over quota

            --- Below this line is a copy of the message.

            """
            + RETURNED.replace("\n", "\n            ")
        ),
        is_permanent=False,
    ),
    "yahoo": Sample(
        data=report(block("5.0.0", "smtp; 552 1 Requested mail action aborted, mailbox not found"))
    ),
    "sendmail": Sample(
        data=report(
            "Reporting-MTA: dns; mx.example.test\nArrival-Date: Mon, 2 Nov 2026 10:00:00 +0100\n\n"
            f"Final-Recipient: RFC822; {READER}\nAction: failed\n"
            "Status: 5.1.1 (bad destination mailbox address)\n"
            "Diagnostic-Code: SMTP; 550 5.1.1 <reader>... User unknown\n"
        )
    ),
    "amazon": Sample(
        data=report(
            f"Reporting-MTA: dns; a1.smtp.example.test\n\nAction: failed\n"
            f"Final-Recipient: rfc822; {READER}\n"
            "Diagnostic-Code: smtp; 550 5.1.1 user does not exist\nStatus: 5.1.1\n"
        )
    ),
    "gateway, words alone": Sample(
        data=plain(
            f"""\
            This is a delivery failure notification message indicating that
            an email bounces@example.com addressed to email address :
            -- {READER}

            could not be delivered. The problem appears to be :
            -- Recipient email server rejected the message

            Additional information follows :
            -- 5.1.1 User unknown
            """
        ),
        has_token=False,
    ),
    "report in base64": Sample(data=report(block(), encoding="base64")),
    "report in quoted-printable": Sample(data=report(block(), encoding="quoted-printable")),
    "report as text, in a mixed one": Sample(
        data=report(block(), kind="text/plain", outer="multipart/mixed")
    ),
    "international report": Sample(
        data=report(
            "Final-Recipient: utf-8; re\\x{E4}der@example.org\nAction: failed\nStatus: 5.1.1\n",
            kind="message/global-delivery-status",
            returned_kind="message/global-headers",
        ),
        emails=("reäder@example.org",),
    ),
    "nested": Sample(
        data=report("", kind='multipart/mixed; boundary="C"').replace(
            b"\n\n\n--B",
            b"\n\n--C\nContent-Type: message/delivery-status\n\n"
            + block().encode()
            + b"\n--C--\n--B",
            1,
        )
    ),
    "passed on": Sample(
        data=b"From: Someone <someone@example.com>\nSubject: Fwd: what is this?\n"
        b'Content-Type: multipart/mixed; boundary="X"\n\n--X\n\nPlease have a look.\n'
        b"--X\nContent-Type: message/rfc822\n\n" + report(block()) + b"\n--X--\n"
    ),
    "cut off in the report": Sample(
        data=report(block()).split(b"Diagnostic-Code")[0], has_token=False
    ),
    "carriage returns": Sample(data=report(block()).replace(b"\n", b"\r\n")),
    "no address in the report": Sample(
        data=report("Final-Recipient: LOCAL; reader\nAction: failed\nStatus: 5.1.1\n")
    ),
    "no status": Sample(
        data=report(f"Final-Recipient: rfc822; {READER}\nAction: failed\n"), is_permanent=True
    ),
    "no action": Sample(
        data=report(f"Final-Recipient: rfc822; {READER}\nStatus: 4.2.2\n"),
        is_permanent=False,
        is_delay=True,
    ),
    "Japanese, Exchange words": Sample(
        data=plain(
            "次の受信者にメールを配信できませんでした。\n550 5.1.1 該当するユーザーがいません\n\n"
            + RETURNED,
            subject="=?utf-8?b?6YWN5L+h5LiN6IO9?=",
        ),
        emails=(),
    ),
    "several recipients": Sample(
        data=report(
            "reporting-mta: dns; mx.example.test\n"
            "FINAL-RECIPIENT: rfc822;<one@example.org>\nACTION: Failed (bad)\nSTATUS: 5.1.1\n"
            "Final-Recipient: RFC822; two@example.org (Two)\nAction: failed\nStatus: 5.1.1\n"
            "Original-Recipient: rfc822;three+2Bx@example.org\nFinal-Recipient: x@example.net\n"
            "Action: failed\nStatus: 5.4.4\n"
        ),
        emails=("one@example.org", "two@example.org", "three+x@example.org"),
    ),
}
