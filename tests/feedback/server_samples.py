"""Bounces as further servers write them, each in its own dialect; our own words and addresses.

What their reports look like is what counts: order and case of fields, comments, address types,
encodings, languages. `bounce_samples` has the common ones.
"""

from __future__ import annotations

import base64
from dataclasses import replace

from tests.feedback.bounce_samples import READER, RETURNED, Sample, plain, report

OTHER = "second.reader@example.net"


def fields(
    status: str,
    diagnostic: str = "",
    *,
    recipient: str = f"rfc822; {READER}",
    original: str = "",
    action: str = "failed",
    mta: str = "dns; mx.example.test",
    more: str = "",
) -> str:
    """A report with one recipient, in the order that most servers use."""
    lines = [f"Reporting-MTA: {mta}", ""]
    if original:
        lines.append(f"Original-Recipient: {original}")
    lines += [f"Final-Recipient: {recipient}", f"Action: {action}", f"Status: {status}"]
    if diagnostic:
        lines.append(f"Diagnostic-Code: {diagnostic}")
    return "\n".join(lines) + f"\n{more}"


def hard(status: str, diagnostic: str = "", **values: str) -> Sample:
    return Sample(data=report(fields(status, diagnostic, **values)))


def soft(status: str, diagnostic: str = "", **values: str) -> Sample:
    return replace(hard(status, diagnostic, **values), is_permanent=False)


def in_words(text: str, *, charset: str, subject: str, sender: str, permanent: bool) -> Sample:
    """A bounce without a report, in another charset than UTF-8."""
    head = (
        f"Return-Path: <>\nFrom: {sender}\nTo: bounces@example.com\nSubject: {subject}\n"
        "Date: Mon, 02 Nov 2026 10:00:00 +0900\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset={charset}\n\n"
    )
    return Sample(data=head.encode("ascii") + text.encode(charset), is_permanent=permanent)


SAMPLES = {
    # ── open servers ────────────────────────────────────────────────────────
    "Postfix, unknown in its own table": hard(
        "5.1.1",
        'X-Postfix; unknown user: "reader"',
        original=f"rfc822;{READER}",
    ),
    "Postfix, no such domain": hard(
        "5.4.4",
        "X-Postfix; Host or domain name not found. Name service error for\n"
        "    name=example.org type=AAAA: Host not found",
    ),
    "Postfix, name service asks for patience": soft(
        "4.4.3", "X-Postfix; Host or domain name not found. Name service error: try again"
    ),
    "Postfix, full": soft("5.2.2", "x-unix; user over quota", mta="dns; mx.example.test"),
    "Postfix, pipe without a word": hard(
        "5.3.0", "x-unix; Command died with status 67: user unknown"
    ),
    "Postfix, refused by the other side as spam": soft(
        "5.7.1", "smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a list"
    ),
    "Postfix, refused in words without a code": soft(
        "5.0.0", "smtp; 550 This message was classified as SPAM and may not be delivered"
    ),
    "Postfix, null MX": hard(
        "5.1.0", "X-Postfix; Domain example.org does not accept mail (nullMX)"
    ),
    "Postfix, DSN with two original types": hard(
        "5.1.1",
        "smtp; 550 5.1.1 <r>: Recipient address rejected: User unknown in local recipient table",
        recipient="rfc822; relay@example.net",
        original=f"utf-8;{READER}",
    ),
    "Exim, reason only behind the address": Sample(
        data=report(
            f"Action: failed\nFinal-Recipient: rfc822;{READER}\nStatus: 5.0.0\n",
            text=f"A message that you sent could not be delivered.\n\n  {READER}\n"
            "    Unrouteable address\n",
        )
    ),
    "Exim, retry time": Sample(
        data=report(
            f"Action: failed\nFinal-Recipient: rfc822;{READER}\nStatus: 5.0.0\n",
            text=f"A message that you sent could not be delivered.\n\n  {READER}\n"
            "    retry timeout exceeded\n",
        ),
        is_permanent=False,
    ),
    "Exim, delayed": Sample(
        data=report(f"Action: delayed\nFinal-Recipient: rfc822;{READER}\nStatus: 4.0.0\n"),
        is_permanent=False,
        is_delay=True,
    ),
    "Sendmail, address type in capitals and a comment": hard(
        "5.1.2 (bad destination system: no such domain)",
        "SMTP; 550 5.1.2 Host unknown (Name server: example.org: host not found)",
        recipient=f"RFC822; {READER}",
    ),
    "Sendmail, local user": hard(
        "5.1.1",
        "X-Unix; 67",
        recipient=f"RFC822; {READER}",
        more="X-Actual-Recipient: RFC822; reader@host.example.org\n",
    ),
    "Sendmail, warning after four hours": Sample(
        data=report(
            fields("4.4.2", action="delayed", recipient=f"RFC822; {READER}")
            + "Will-Retry-Until: Sat, 7 Nov 2026 10:00:00 +0100\n"
        ),
        is_permanent=False,
        is_delay=True,
    ),
    "OpenSMTPD": Sample(
        data=plain(
            f"""\
            Hi!

            This is the MAILER-DAEMON, please DO NOT REPLY to this email.

            An error has occurred while attempting to deliver a message for
            the following list of recipients:

            {READER}: 550 5.1.1 Invalid recipient

            Below is a copy of the original message:

            """
            + RETURNED.replace("\n", "\n            ")
        )
    ),
    "Courier": Sample(
        data=report(
            "Reporting-MTA: dns; mx.example.test\nArrival-Date: 2 Nov 2026 10:00:00 +0100\n\n"
            f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.0.0\n"
            "Remote-MTA: dns; mail.example.org [192.0.2.7]\n"
            "Diagnostic-Code: smtp; 550 User unknown.\n"
        )
    ),
    "Zimbra, through Postfix and LMTP": hard(
        "5.1.1", "smtp; 550 5.1.1 <r>: no such mailbox", original=f"rfc822;{READER}"
    ),
    "Dovecot, full": soft("5.2.2", "smtp; 552 5.2.2 <r> Quota exceeded (mailbox for user is full)"),
    "qmail-ldap, account disabled": Sample(
        data=plain(
            f"""\
            Hi. This is the qmail-send program at mx.example.test.
            I'm afraid I wasn't able to deliver your message to the following addresses.

            <{READER}>:
            Mailaddress is administratively disabled. (#5.2.1)

            --- Below this line is a copy of the message.

            """
            + RETURNED.replace("\n", "\n            ")
        )
    ),
    "qmail, no host": Sample(
        data=plain(
            f"""\
            Hi. This is the qmail-send program at mx.example.test.

            <{READER}>:
            Sorry, I couldn't find any host named example.org. (#5.1.2)

            --- Below this line is a copy of the message.

            """
            + RETURNED.replace("\n", "\n            ")
        )
    ),
    "Halon": hard("5.0.0", "smtp; 550 No such user", more="X-Halon-ID: 1\n"),
    "MDaemon": hard("5.1.1", "smtp; 550 <r>, Recipient unknown", mta="dns; mail.example.test"),
    "Lotus Domino": hard(
        "5.1.1",
        "X-Notes; User reader (reader@example.org) not listed in Domino Directory",
        mta="dns;notes.example.test",
    ),
    "Novell GroupWise": hard("5.1.1", "smtp; 550 Mailbox unknown"),
    # ── Microsoft ───────────────────────────────────────────────────────────
    "Exchange, not found": hard(
        "5.1.1", "smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", mta="dns;ex.example.test"
    ),
    "Exchange, imported legacy address": Sample(
        data=report(
            "Reporting-MTA: dns;ex.example.test\n\nOriginal-Recipient: rfc822;" + READER + "\n"
            "Final-Recipient: IMCEAEX;_O=EXAMPLE_OU=1\nAction: failed\nStatus: 5.1.1\n"
        )
    ),
    "Exchange Online, access denied": hard(
        "5.4.1", "smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"
    ),
    "Exchange Online, expired": soft(
        "5.4.300", "smtp;550 5.4.300 Message expired -> 421 4.4.1 Connection timed out"
    ),
    "Exchange Online, loop": soft(
        "5.4.14", "smtp;554 5.4.14 Hop count exceeded - possible mail loop"
    ),
    "Exchange Online, blocked sender": soft(
        "5.7.606", "smtp;550 5.7.606 Access denied, banned sending IP [192.0.2.1]"
    ),
    "Exchange Online, group takes no strangers": soft(
        "5.7.133", "smtp;550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; not authenticated"
    ),
    "Outlook.com, mailbox unavailable": hard(
        "5.5.0",
        "smtp;550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)",
    ),
    "Outlook.com, full": soft("5.2.2", "smtp;552 5.2.2 mailbox over quota"),
    "Outlook.com, in French": Sample(
        data=report(fields("5.0.0"), text="La boîte aux lettres du destinataire est pleine."),
        is_permanent=False,
    ),
    # ── large providers ─────────────────────────────────────────────────────
    "Gmail, disabled": hard(
        "5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled."
    ),
    "Gmail, too much mail": soft(
        "5.2.1",
        "smtp; 550 5.2.1 The user you are trying to contact is receiving mail at a rate that",
    ),
    "Gmail, over quota for days": soft(
        "4.2.2", "smtp; 452-4.2.2 The email account that you tried to reach is over quota."
    ),
    "Gmail, unauthenticated": soft(
        "5.7.26", "smtp; 550-5.7.26 This mail is unauthenticated, which poses a security risk"
    ),
    "Gmail, too large": soft("5.3.4", "smtp; 552-5.3.4 Your message exceeded the size limits"),
    "Yahoo, disabled": hard(
        "5.0.0",
        "smtp; 554 delivery error: dd This user doesn't have a example.org account (r) [0]",
    ),
    "Yahoo, complaints": soft(
        "5.7.9", "smtp; 554 5.7.9 Message not accepted for policy reasons. See a page"
    ),
    "Yahoo, deferred for days": soft(
        "4.7.0", "smtp; 421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints"
    ),
    "iCloud": hard("5.1.1", "smtp; 550 5.1.1 <r>: inactive email address"),
    "iCloud, full": soft("5.2.2", "smtp; 552 5.2.2 <r>: user is over quota"),
    "Amazon SES": Sample(
        data=report(
            "Reporting-MTA: dns; a8.smtp-out.example.test\n\nAction: failed\n"
            f"Final-Recipient: rfc822; {READER}\nDiagnostic-Code: smtp; 550 5.1.1 unknown user\n"
            "Status: 5.1.1\n",
            sender="MAILER-DAEMON@amazonses.example.test",
        )
    ),
    "Amazon WorkMail": hard("5.1.1", "smtp; 550 5.1.1 : no such user or alias exists"),
    "Mimecast": soft("5.0.0", "smtp; 554 Email rejected due to security policies - page"),
    "Mimecast, unknown": hard("5.0.0", "smtp; 550 Invalid Recipient - page"),
    "Proofpoint": hard("5.1.1", "smtp; 550 5.1.1 User Unknown"),
    "Proofpoint, blocked": soft("5.7.1", "smtp; 554 5.7.1 Blocked - see a page for 192.0.2.1"),
    "Barracuda": soft("5.7.1", "smtp; 554 5.7.1 Service unavailable; host blocked using barracuda"),
    "Barracuda, unknown": hard("5.1.1", "smtp; 550 5.1.1 No such user"),
    "Messagelabs": hard("5.0.0", "smtp; 550-Invalid recipient <r> (#5.1.1)"),
    "GMX": hard("5.1.1", "smtp; 550 Requested action not taken: mailbox unavailable"),
    "GMX, full": soft(
        "5.2.2", "smtp; 552-Requested mail action aborted: exceeded storage allocation"
    ),
    "web.de, policy": soft(
        "5.0.0", "smtp; 554-Transaction failed. Reject due to policy restrictions."
    ),
    "T-Online": hard("5.0.0", "smtp; 550 5.0.0 Benutzer unbekannt"),
    "mail.ru": hard("5.0.0", "smtp; 550 Message was not accepted -- invalid mailbox."),
    "mail.ru, full": soft("5.0.0", "smtp; 552 Mailbox is full / Почтовый ящик переполнен"),
    "Yandex": hard("5.7.1", "smtp; 550 5.7.1 No such user!"),
    "QQ": hard("5.0.0", "smtp; 550 Mailbox not found."),
    "QQ, in Chinese": hard("5.0.0", "smtp; 550 收件人邮箱地址不存在"),
    "163, full": soft("5.0.0", "smtp; 552 邮箱空间不足"),
    "La Poste": hard(
        "5.5.0", "smtp; 550 5.5.0 Boite du destinataire archivee. Archived recipient: unknown user"
    ),
    "Free": hard("5.2.1", "smtp; 550 5.2.1 This mailbox has been blocked due to inactivity"),
    "Comcast": hard("5.1.1", "smtp; 550 5.1.1 Not our Customer"),
    "Verizon": hard("5.2.0", "smtp; 550 5.2.0 No such domain at this location"),
    "UOL": hard("5.1.1", "smtp; 550 5.1.1 <r>: Recipient address rejected: usuário não existe"),
    "Wirtualna": hard("5.0.0", "smtp; 550 konto nie istnieje"),
    # ── Japan ───────────────────────────────────────────────────────────────
    "NTT Docomo": Sample(
        data=plain(
            f"""\
            The following addresses had permanent fatal errors:

            <{READER}>
                (reason: 550 Unknown user {READER})

            ----- Original message follows -----

            """
            + RETURNED.replace("\n", "\n            "),
            subject="Mail System Error - Returned Mail",
        )
    ),
    "KDDI au": hard("5.0.0", "smtp; 550 <r>: User unknown", original=f"rfc822;{READER}"),
    "SoftBank, full": soft("5.0.0", "smtp; 550 Invalid recipient mailbox is full: quota over"),
    "biglobe": soft("5.0.0", "smtp; 550 メールボックスの容量を超過しています"),
    "a provider in ISO-2022-JP": in_words(
        f"以下のメールは配信できませんでした。\n\n<{READER}>: 宛先不明\n\n"
        "----- Original message follows -----\n\n" + RETURNED,
        charset="iso-2022-jp",
        subject="=?ISO-2022-JP?B?GyRCJSglaSE8GyhC?=",
        sender="Mail Delivery Subsystem <MAILER-DAEMON@mx.example.test>",
        permanent=True,
    ),
    "a provider in Shift_JIS, full": in_words(
        f"配信できませんでした。\n\n<{READER}>: メールボックスが一杯です\n\n"
        "----- Original message follows -----\n\n" + RETURNED,
        charset="shift_jis",
        subject="Returned mail",
        sender="MAILER-DAEMON@mx.example.test",
        permanent=False,
    ),
    # ── forms ───────────────────────────────────────────────────────────────
    "delayed, then failed": Sample(
        data=report(fields("4.4.7", "smtp; delivery time expired after 5 days", action="failed")),
        is_permanent=False,
    ),
    "failed with a warning about another before": Sample(
        data=report(
            fields("5.1.1", "smtp; 550 5.1.1 unknown user")
            + f"\nFinal-Recipient: rfc822; {OTHER}\nAction: relayed\nStatus: 2.0.0\n"
        )
    ),
    "two who failed": Sample(
        data=report(
            fields("5.1.1", "smtp; 550 5.1.1 unknown user")
            + f"\nFinal-Recipient: rfc822; {OTHER}\nAction: failed\nStatus: 5.1.1\n"
        ),
        emails=(READER, OTHER),
    ),
    "forwarded within the other system": hard(
        "5.1.1",
        "smtp; 550 unknown",
        recipient="rfc822; r.e@internal.example.net",
        original=f"rfc822; {READER}",
    ),
    "unix address beside ours": hard(
        "5.1.1", recipient="x-unix; reader", original=f"rfc822;{READER}"
    ),
    "original recipient in xtext": hard(
        "5.1.1", original="rfc822;reader+40example.org", recipient="x-unix; r"
    ),
    "international, raw UTF-8": Sample(
        data=report(
            fields("5.1.1", recipient="utf-8; 読者@example.org"),
            kind="message/global-delivery-status",
            returned_kind="message/global",
        ),
        emails=("読者@example.org",),
    ),
    "international, base64": Sample(
        data=report(
            fields(
                "5.6.7",
                "smtp; 553 5.6.7 SMTPUTF8 needed",
                recipient="utf-8; jos\\x{E9}@example.org",
            ),
            kind="message/global-delivery-status",
            encoding="base64",
        ),
        is_permanent=False,
        emails=("josé@example.org",),
    ),
    "no blank line before the recipient": Sample(
        data=report(fields("5.1.1", "smtp; 550 no").replace("\n\n", "\n"))
    ),
    "fields in capitals, tabs for spaces": Sample(
        data=report(
            f"REPORTING-MTA:\tDNS; MX\n\nFINAL-RECIPIENT:\tRFC822;\t{READER}\nACTION:\tFAILED\n"
            "STATUS:\t5.1.1\n"
        )
    ),
    "carriage returns in the report alone": Sample(
        data=report(fields("5.1.1", "smtp; 550 no").replace("\n", "\r\n"))
    ),
    "old Mac line ends": Sample(data=report(fields("5.1.1")).replace(b"\n", b"\r")),
    "whole mail in base64": Sample(
        data=b"From: MAILER-DAEMON@mx.example.test\nSubject: Undelivered Mail\n"
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes((fields("5.1.1", "smtp; 550 no such user") + "\n" + RETURNED).encode())
    ),
    "display name and comments": hard(
        "5.1.1 (nobody)", recipient=f"rfc822; Reader <{READER}> (the reader)"
    ),
    "status as 5.1.1 in brackets": hard("5.1.1", "smtp; 550 #5.1.1 no mailbox"),
    "status missing, reply code in the diagnostic": Sample(
        data=report(
            f"Final-Recipient: rfc822; {READER}\nAction: failed\n"
            "Diagnostic-Code: smtp; 452 4.2.2 mailbox full\n"
        ),
        is_permanent=False,
    ),
}
