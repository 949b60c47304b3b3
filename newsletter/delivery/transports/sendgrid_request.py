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
from collections.abc import Callable, Iterable, Iterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from json.encoder import encode_basestring as quoted
from operator import itemgetter

import msgspec

from newsletter.audience.links import PREFERENCES, UNSUBSCRIBE
from newsletter.compose.address import MAX_LOCAL, ascii_address, has_control
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
_FIELDS = ("to", "display", "delivery", *_VALUES)  # of a personalization

# What stands in JSON, in HTML and in a request as it is: most addresses and names.
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z0-9]{2,}"
)
PLAIN_NAME = re.compile(r"[\w.-]+(?: [\w.-]+)*")

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


class Entry(msgspec.Struct, frozen=True, gc=False):
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
        tokens = mailing.links.tokens
        self._sign = tokens.sign_all
        # A hash of the text cannot stand in the text; a substitution tag holds it.
        content = mailing.html + mailing.text + mailing.headers.subject
        self._mark = hashlib.sha256(content.encode()).hexdigest()[:16]
        self._tags: dict[str, str] = {}  # of _VALUES, those that the edition holds: its tag
        self._unsubscribe = _prefix(mailing.links.unsubscribe(1), tokens.sign(UNSUBSCRIBE, 1))
        self._preferences = _prefix(mailing.links.preferences(1), tokens.sign(PREFERENCES, 1))
        self._tail = self._base(with_html=True)
        self._text_tail = self._base(with_html=False)
        if len(self._tail) > _MAX_BASE:
            raise TransportError(
                f"the edition has {len(self._tail):,} bytes; SendGrid takes {_MAX_BASE:,}",
                hint="shorten the issue, or send it by another transport",
            )
        self._shows_name = any(value.startswith("name") for value in self._tags)
        self._form, self._in_order = _form(self._personalization())

    def entries(
        self, deliveries: Sequence[Delivery]
    ) -> tuple[list[Entry], list[tuple[Delivery, str]]]:
        """Make the personalizations; also return those that cannot be sent, and why."""
        ids = [delivery.subscriber_id for delivery in deliveries]
        entries: list[Entry] = []
        refused: list[tuple[Delivery, str]] = []
        for delivery, token, unsubscribe, preferences in zip(
            deliveries,
            self._mailing.tokens(ids),
            self._sign(UNSUBSCRIBE, ids),
            self._sign(PREFERENCES, ids),
            strict=True,
        ):
            try:
                entries.append(self._entry(delivery, token, unsubscribe, preferences))
            except RecipientRejected as error:
                refused.append((delivery, error.message))
        return entries, refused

    def _entry(
        self, delivery: Delivery, token: bytes, unsubscribe: bytes, preferences: bytes
    ) -> Entry:
        """Raises RecipientRejected: it cannot be sent, or not through SendGrid."""
        email, name = delivery.email, delivery.name
        if self._mark in name or self._mark in email:
            raise _rejected("the name holds what stands for a reader’s value")
        if len(email) <= MAX_LOCAL and PLAIN_EMAIL.fullmatch(email):
            spelling = email
            to = shown = shown_html = email.encode()
        else:
            address = ascii_address(email)
            spelling = address.lower()
            to, shown, shown_html = _text(address), _text(email), _text(html.escape(email))
        if not name or PLAIN_NAME.fullmatch(name):
            display = called = called_html = name.encode()
        else:
            if has_control(name):
                raise _rejected("the name holds a control character or a line break")
            display = _text(_without_delimiters(name))
            called, called_html = _text(name), _text(html.escape(name))
        member = b',"name":"%b"' % display if display else b""
        fields = to, member, token, unsubscribe, preferences, shown, shown_html, called, called_html
        personalization = self._form % self._in_order(fields)
        if len(personalization) > MAX_VALUES:  # stricter by what stands around the values
            raise _rejected(f"the name has more bytes than SendGrid takes ({MAX_VALUES:,})")
        return Entry(delivery, spelling, personalization)

    def body(self, entries: Sequence[Entry]) -> bytes:
        """The JSON of one request for *entries*, which go together: see `divided`."""
        joined = b",".join([entry.personalization for entry in entries])
        tail = self._text_tail if entries[0].delivery.is_text else self._tail
        return b"".join((b'{"personalizations":[', joined, b"],", tail))

    def _personalization(self) -> Iterator[str]:
        """One reader's JSON: pieces that are the same for all, and, at odd places, _FIELDS."""
        # RFC 8058 §3.1, as in newsletter.compose.message
        mailto = ascii_address(self._mailing.headers.help_email)
        yield from ('{"to":[{"email":"', "to", '"', "display")
        yield '}],"headers":{"List-Unsubscribe":"' + quoted(f"<{self._unsubscribe}")[1:-1]
        yield "unsubscribe"
        yield quoted(f">, <mailto:{mailto}?subject=unsubscribe%20")[1:-1]
        yield "delivery"
        before = '>","List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},"substitutions":{'
        for value, tag in self._tags.items():
            yield before + quoted(tag) + ':"'
            yield value
            before = '",'
        end = '"' if self._tags else before
        yield from (end + '},"custom_args":{"delivery":"', "delivery", '"}}')

    def _base(self, *, with_html: bool) -> bytes:
        """What is the same for all, from behind the personalizations to the end."""
        headers = self._mailing.headers
        sample = self._mailing.template.assemble(
            self._mailing.recipient(Delivery(1, headers.from_email, "", 1, 0))
        )
        common = custom_headers(message_from_bytes(sample))
        content = [{"type": "text/plain", "value": self._slotted(self._mailing.text, escape=False)}]
        if with_html:
            html_ = self._slotted(self._mailing.html, escape=True)
            content.append({"type": "text/html", "value": html_})
        base = {
            "from": {"email": headers.from_email, "name": headers.from_name},
            **({"reply_to": {"email": headers.reply_to}} if headers.reply_to else {}),
            "subject": headers.subject,
            "content": content,
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
        return self._tags.setdefault(value, f"-{value}-{self._mark}-")


def _form(parts: Iterable[str]) -> tuple[bytes, Callable[[tuple[bytes, ...]], tuple[bytes, ...]]]:
    """A format for `%`, and what puts values in the order of _FIELDS into the format's own."""
    pieces = list(parts)
    static = [piece.replace("%", "%%").encode() for piece in pieces[::2]]
    return b"%b".join(static), itemgetter(*map(_FIELDS.index, pieces[1::2]))


def divided(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Divide *entries* into those that may stand in one request.

    That is: with HTML or without, and no address twice.
    """
    text_only = [entry for entry in entries if entry.delivery.is_text]
    if not text_only:
        return _without_repeats(entries)
    others = [entry for entry in entries if not entry.delivery.is_text]
    return [*_without_repeats(others), *_without_repeats(text_only)]


def _without_repeats(entries: Sequence[Entry]) -> list[list[Entry]]:
    if len({entry.email for entry in entries}) == len(entries):
        return [list(entries)] if entries else []
    seen: set[str] = set()
    first: list[Entry] = []
    again: list[Entry] = []
    for entry in entries:
        if entry.email in seen:
            again.append(entry)
        else:
            seen.add(entry.email)
            first.append(entry)
    return [first, *_without_repeats(again)]


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


def _text(value: str) -> bytes:
    """*value* as it stands between the quotation marks of JSON."""
    return quoted(value)[1:-1].encode()


def _without_delimiters(name: str) -> str:
    """For the member `name` of `to`, which loses what stands behind a comma or a semicolon.

    Spare spaces go too, as in a header.
    """
    return " ".join(filter(None, name.replace(",", " ").replace(";", " ").split(" ")))


def _rejected(reason: str) -> RecipientRejected:
    return RecipientRejected(f"this address cannot be mailed: {reason}", hint="correct the name")
