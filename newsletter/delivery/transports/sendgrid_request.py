"""Requests to SendGrid's v3 Mail Send: one edition for up to 1,000 readers, each with their values.

What is the same for all readers is serialised once; a reader's part, called a
personalization, is joined in. Refuses by itself what would break a documented limit,
so that one reader's name never costs the others their request. Sends nothing.

Limits: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

import msgspec

from newsletter.audience.links import PREFERENCES, UNSUBSCRIBE
from newsletter.compose.address import ascii_address, has_control
from newsletter.compose.slots import MARKER, Slot
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery
from newsletter.errors import RecipientRejected, TransportError

MAX_PERSONALIZATIONS = 1_000
MAX_REQUEST = 30_000_000  # bytes
MAX_VALUES = 10_000  # bytes of one personalization's substitutions

# Then 1,000 readers of the longest kind fit beside it: nothing needs to be counted per request.
_MAX_BASE = MAX_REQUEST - MAX_PERSONALIZATIONS * (MAX_VALUES + 1) - 100

_RESERVED = frozenset(
    "x-sg-id x-sg-eid received dkim-signature content-type content-transfer-encoding "
    "to from subject reply-to cc bcc".split()
)
_OF_SENDGRID = frozenset(("date", "message-id", "mime-version"))  # it writes these itself
# What differs from reader to reader; of a link it is the token, which needs no escaping.
_VALUES = ("unsubscribe", "preferences", "email", "email-html", "name", "name-html")

_PERSONAL = frozenset(("list-unsubscribe", "list-unsubscribe-post"))

# Promise 5: no pixel, no link rewriting; the unsubscribe link is ours.
_SETTINGS = {
    "tracking_settings": {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
        "ganalytics": {"enable": False},
    },
    "mail_settings": {"footer": {"enable": False}},
}


class Entry(NamedTuple):
    """A delivery's part of a request. *email* is in the spelling that SendGrid compares."""

    delivery: Delivery
    email: str
    personalization: bytes


class RequestTemplate:
    """One mailing's requests, ready to be joined around readers' values.

    Raises (on making it):
        TransportError: the edition is too large for SendGrid.
    """

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        self._sign = mailing.links.tokens.sign
        # A hash of the text cannot stand in the text; a substitution tag holds it.
        content = mailing.html + mailing.text + mailing.headers.subject
        self._mark = hashlib.sha256(content.encode()).hexdigest()[:16]
        self._tags: dict[str, int] = {}  # a member's beginning: the tag → index of its value
        self._unsubscribe = _prefix(mailing.links.unsubscribe(1), self._sign(UNSUBSCRIBE, 1))
        self._preferences = _prefix(mailing.links.preferences(1), self._sign(PREFERENCES, 1))
        # RFC 8058 §3.1, as in newsletter.compose.message; inside a JSON string
        self._http = quoted(f"<{self._unsubscribe}")[1:-1]
        mailto = ascii_address(mailing.headers.help_email)
        self._mailto = quoted(f">, <mailto:{mailto}?subject=unsubscribe%20")[1:-1]
        self._tail = self._base()
        self._shows_name = max(self._tags.values(), default=0) >= _VALUES.index("name")
        if len(self._tail) > _MAX_BASE:
            raise TransportError(
                f"the edition has {len(self._tail):,} bytes; SendGrid takes {_MAX_BASE:,}",
                hint="shorten the issue, or send it by another transport",
            )

    def entry(self, delivery: Delivery) -> Entry:
        """Make the personalization of one delivery.

        Raises:
            RecipientRejected: the name or the address cannot be sent, or not through SendGrid.
        """
        identifier, name = delivery.subscriber_id, delivery.name
        email = ascii_address(delivery.email)
        if has_control(name):
            raise _rejected("the name holds a control character or a line break")
        if self._mark in name or self._mark in delivery.email:
            raise _rejected("the name holds what stands for a reader’s value")
        shown = _display_name(name)
        token = self._mailing.token(identifier)
        unsubscribe = self._sign(UNSUBSCRIBE, identifier)
        values = (  # in the order of _VALUES
            f'"{unsubscribe}"',
            f'"{self._sign(PREFERENCES, identifier)}"',
            quoted(delivery.email),
            quoted(html.escape(delivery.email)),
            *((quoted(name), quoted(html.escape(name))) if self._shows_name else ()),
        )
        substitutions = ",".join([tag + values[index] for tag, index in self._tags.items()])
        personalization = (
            f'{{"to":[{{"email":"{email}"{shown}}}],'
            f'"headers":{{"List-Unsubscribe":"{self._http}{unsubscribe}{self._mailto}{token}>",'
            '"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},'
            f'"substitutions":{{{substitutions}}},'
            f'"custom_args":{{"delivery":"{token}"}}}}'
        )
        encoded = personalization.encode()
        if len(encoded) > MAX_VALUES:  # stricter than the limit by what stands around the values
            raise _rejected(f"the name has more bytes than SendGrid takes ({MAX_VALUES:,})")
        return Entry(delivery, email.lower(), encoded)

    def body(self, entries: Iterable[Entry]) -> bytes:
        """The JSON of one request for *entries*."""
        joined = b",".join([entry.personalization for entry in entries])
        return b'{"personalizations":[' + joined + b"]," + self._tail

    def _base(self) -> bytes:
        """What is the same for all, from behind the personalizations to the end."""
        headers = self._mailing.headers
        sample = self._mailing.template.assemble(
            self._mailing.recipient(Delivery(1, headers.from_email, "", 1, 0))
        )
        common = custom_headers(message_from_bytes(sample))
        base = {
            "from": {"email": headers.from_email, "name": headers.from_name},
            **({"reply_to": {"email": headers.reply_to}} if headers.reply_to else {}),
            "subject": headers.subject,
            "content": [
                {"type": "text/plain", "value": self._slotted(self._mailing.text, escape=False)},
                {"type": "text/html", "value": self._slotted(self._mailing.html, escape=True)},
            ],
            "headers": {k: v for k, v in common.items() if k.lower() not in _PERSONAL},
            **_SETTINGS,
        }
        return msgspec.json.encode(base)[1:]

    def _slotted(self, text: str, *, escape: bool) -> str:
        """*text* with tags in place of the slots that differ from reader to reader."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")

        def fill(match: re.Match[str]) -> str:
            slot = Slot(match[1] or match[2])
            if slot is Slot.WEB_URL:
                plain, tag = self._mailing.frozen.web_url, ""
            elif slot is Slot.UNSUBSCRIBE_URL:
                plain, tag = self._unsubscribe, self._tag("unsubscribe")
            elif slot is Slot.PREFERENCES_URL:
                plain, tag = self._preferences, self._tag("preferences")
            else:
                plain, tag = "", self._tag(slot.value + ("-html" if escape else ""))
            return (html.escape(plain) if escape else plain) + tag

        return MARKER.sub(fill, text if text.endswith("\n") else text + "\n")

    def _tag(self, value: str) -> str:
        """What SendGrid replaces by one of _VALUES."""
        tag = f"-{value}-{self._mark}-"
        self._tags[f'"{tag}":'] = _VALUES.index(value)
        return tag


def without_repeats(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Divide *entries* so that none of the lists holds an address twice."""
    seen: set[str] = set()
    first: list[Entry] = []
    again: list[Entry] = []
    for entry in entries:
        if entry.email in seen:
            again.append(entry)
        else:
            seen.add(entry.email)
            first.append(entry)
    if not again:
        return [first] if first else []
    return [first, *without_repeats(again)]


def request_of(email: str, message: bytes) -> bytes:
    """The JSON of a request that sends one whole message (RFC 5322; text and HTML) to *email*.

    Raises:
        RecipientRejected: the address cannot be mailed.
        ValueError: the message has other parts; that is our own fault.
    """
    parsed = message_from_bytes(message, policy=policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    kinds = [part.get_content_type() for part in parts]
    if kinds not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
        raise ValueError(f"a message of {kinds} cannot be given to SendGrid")
    reply_to = {"reply_to": _mailbox(parsed, "Reply-To")} if parsed["Reply-To"] else {}
    headers = custom_headers(message_from_bytes(message))
    request = {
        "personalizations": [{"to": [_mailbox(parsed, "To") | {"email": ascii_address(email)}]}],
        "from": _mailbox(parsed, "From"),
        **reply_to,
        "subject": str(parsed["Subject"]),
        "content": [
            {"type": kind, "value": part.get_content().replace("\r\n", "\n")}
            for kind, part in zip(kinds, parts, strict=True)
        ],
        **({"headers": headers} if headers else {}),
        **_SETTINGS,
    }
    return msgspec.json.encode(request)


def sandbox_request(from_email: str) -> bytes:
    """The JSON of a request that SendGrid checks and throws away."""
    request = {
        "personalizations": [{"to": [{"email": "nobody@example.org"}]}],
        "from": {"email": from_email},
        "subject": "Sandbox",
        "content": [{"type": "text/plain", "value": "This message is never sent.\n"}],
        "mail_settings": {"sandbox_mode": {"enable": True}},
    }
    return msgspec.json.encode(request)


def custom_headers(message: Message) -> dict[str, str]:
    """Headers of a parsed message that SendGrid takes from us: ASCII, unfolded."""
    return {
        name: re.sub(r"\r?\n(?=[ \t])", "", str(value))
        for name, value in message.items()
        if name.lower() not in _RESERVED | _OF_SENDGRID
    }


def _mailbox(message: EmailMessage, header: str) -> dict[str, str]:
    """The first address of *header*, as SendGrid writes it."""
    address = message[header].addresses[0]
    name = _without_delimiters(address.display_name)
    return {"email": address.addr_spec, **({"name": name} if name else {})}


def _prefix(url: str, token: str) -> str:
    if not url.endswith(token):
        raise ValueError("a reader’s link does not end with its token")
    return url.removesuffix(token)


def _display_name(name: str) -> str:
    """The member `name` of `to`, which loses what stands behind a comma or a semicolon."""
    shown = _without_delimiters(name)
    return f',"name":{quoted(shown)}' if shown else ""


def _without_delimiters(name: str) -> str:
    """Spare spaces go too, as in a header."""
    return " ".join(filter(None, name.replace(",", " ").replace(";", " ").split(" ")))


def _rejected(reason: str) -> RecipientRejected:
    return RecipientRejected(f"this address cannot be mailed: {reason}", hint="correct the name")
