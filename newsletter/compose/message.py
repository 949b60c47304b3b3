"""Message: the edition's two bodies and its headers as bytes, one per reader.

Everything that is the same for all readers is encoded once; a reader's message
is these pieces joined around a few values, tens of thousands a second. The result
parses to exactly what `email.message.EmailMessage` would have written. Refuses a
name or an address that could break out of its header. Sends nothing.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from operator import attrgetter, itemgetter

import msgspec

from newsletter.compose import slots
from newsletter.compose.address import (
    ascii_address,
    has_control,
    mailbox,
    unstructured,
    utf8_address,
)
from newsletter.compose.quoted_printable import SOFT_BREAK, encode_static, encode_value
from newsletter.compose.slots import Slot
from newsletter.compose.view import View
from newsletter.config import Config
from newsletter.errors import ContentError

MAX_LINE = 998  # RFC 5322 §2.1.1

_HEADER_KEYS = ("To", "delivery", "unsubscribe_url")

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_URL = re.compile(r"https?://[!-+\--;=?-~]+")  # printable ASCII without comma and angle brackets
# What neither html.escape nor encode_value would alter: most addresses and links.
_PLAIN = re.compile(r"[A-EG-Za-z0-9][A-Za-z0-9@:/?#._~+-]{0,74}")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9@:/?#._~+-]{1,67}")


class Recipient(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One reader of one edition: a field for each slot of the same name.

    *delivery* is opaque: letters, digits, "-" and "_".
    """

    email: str
    name: str
    delivery: str
    unsubscribe_url: str
    preferences_url: str
    web_url: str

    @property
    def values(self) -> dict[Slot, str]:
        """What is filled into the slots."""
        return {slot: getattr(self, slot.value) for slot in Slot}


@dataclass(frozen=True, kw_only=True)
class Headers:
    """What all messages of an edition say about themselves. *date* is aware."""

    from_name: str
    from_email: str
    reply_to: str | None
    subject: str
    date: datetime
    list_name: str
    list_id: str
    archive_url: str
    help_email: str
    feedback_id: str
    language: str


def headers_of(view: View, config: Config, date: datetime) -> Headers:
    """Headers of the edition that *view* shows, sent at *date*."""
    sender = re.sub(r"[^a-z0-9]", "", config.sender.email.rpartition("@")[2].lower())
    return Headers(
        from_name=config.sender.name,
        from_email=config.sender.email,
        reply_to=config.sender.reply_to,
        subject=view.subject,
        date=date,
        list_name=view.title,
        list_id=config.list_id,
        archive_url=view.site_url + "/",
        help_email=view.publisher_contact,
        # a:b:c:SenderId; the same for every reader, else reports cannot be added up
        feedback_id=f"vol-{view.number.replace('.', '-')}:edition:newsletter:{sender[:15]}",
        language=view.language,
    )


class MessageTemplate:
    """One edition's message, ready to be joined around a reader's values.

    Without HTML ("") it is plain text alone, else both (multipart/alternative, text first).

    Raises (on making it):
        ContentError: a header holds a control character.
    """

    def __init__(self, headers: Headers, email_html: str, email_text: str) -> None:
        self._domain = ascii_address(headers.from_email).rpartition("@")[2]
        self._mailto = ascii_address(headers.help_email)
        self._unsubscribe_by_mail = f">, <mailto:{self._mailto}?subject=unsubscribe%20"
        self._unsubscribe_room = MAX_LINE - len(f"List-Unsubscribe: <{self._unsubscribe_by_mail}>")
        used = sorted({*slots.REQUIRED, *slots.count(email_html), *slots.count(email_text)})
        self._values = tuple((attrgetter(slot.value), _LINES[slot]) for slot in used)
        keys = [*_HEADER_KEYS, *(f"{kind}:{slot}" for slot in used for kind in ("html", "text"))]
        # Where each piece of the message is found among the values followed by the static pieces.
        places: list[int] = []
        static: list[bytes] = []
        for part in self._parts(headers, email_html, email_text):
            if isinstance(part, str):
                places.append(keys.index(part))
            elif places and places[-1] >= len(keys):
                static[-1] += part
            else:
                places.append(len(keys) + len(static))
                static.append(part)
        self._static = tuple(static)
        self._in_order = itemgetter(*places)

    def assemble(self, recipient: Recipient, *, smtputf8: bool = False) -> bytes:
        """Give the message for *recipient*; see `pieces`."""
        return b"".join(self.pieces(recipient, smtputf8=smtputf8))

    def pieces(self, recipient: Recipient, *, smtputf8: bool = False) -> tuple[bytes, ...]:
        """Give the message for *recipient* in pieces: CRLF, 7-bit, no line begins with a dot.

        *smtputf8*: the server takes internationalized addresses, so one that is not
        ASCII stands in To as it is (RFC 6532), and only there.

        Raises:
            RecipientRejected: the name or the address cannot stand in a header.
            ValueError: a link or the delivery token is malformed; that is our own fault.
        """
        delivery, unsubscribe_url = recipient.delivery, recipient.unsubscribe_url
        if not _TOKEN.fullmatch(delivery):
            raise ValueError("a delivery token is 1 to 64 letters, digits, “-” and “_”")
        if len(unsubscribe_url) + len(delivery) > self._unsubscribe_room:
            raise ValueError(f"List-Unsubscribe has more than {MAX_LINE} characters")
        email = utf8_address(recipient.email) if smtputf8 else ascii_address(recipient.email)
        pieces = [
            mailbox("To", recipient.name, email).encode(),
            delivery.encode("ascii"),
            unsubscribe_url.encode("utf-8"),  # which is refused below unless it is ASCII
        ]
        for text_of, lines_of in self._values:
            pieces += lines_of(text_of(recipient))
        pieces += self._static
        message: tuple[bytes, ...] = self._in_order(pieces)
        return message

    def _parts(self, headers: Headers, email_html: str, email_text: str) -> Iterator[bytes | str]:
        """Bytes that are the same for all, and the keys of values that are not."""
        content = repr(headers).encode() + email_html.encode() + email_text.encode()
        # "=_" cannot occur in quoted-printable (RFC 2045 §6.7).
        boundary = b"=_" + hashlib.sha256(content).hexdigest()[:32].encode()
        yield from self._header_parts(headers)
        if not email_html:
            yield from _entity("plain", email_text)
            return
        yield b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n'
        for kind, text in (("plain", email_text), ("html", email_html)):
            yield b"--" + boundary + b"\r\n"
            yield from _entity(kind, text)
            yield b"\r\n"
        yield b"--" + boundary + b"--\r\n"

    def _header_parts(self, headers: Headers) -> Iterator[bytes | str]:
        for text in (headers.from_name, headers.subject, headers.list_name):
            if has_control(text):
                raise ContentError(f"a header holds a control character: {text!r}")
        sender = ascii_address(headers.from_email)
        yield _header("From", mailbox("From", headers.from_name, sender))
        yield b"To: "
        yield "To"
        yield b"\r\n"
        if headers.reply_to is not None:
            yield _header("Reply-To", ascii_address(headers.reply_to))
        yield _header("Subject", unstructured("Subject", headers.subject))
        yield _header("Date", format_datetime(headers.date))
        yield b"Message-ID: <"
        yield "delivery"
        yield f"@{self._domain}>\r\nMIME-Version: 1.0\r\n".encode("ascii")
        # RFC 2919 and RFC 2369; nobody writes to a newsletter
        yield _header("List-Id", mailbox("List-Id", headers.list_name, headers.list_id))
        # RFC 8058 §3.1: https first. One line: a folded or encoded one breaks one-click.
        yield b"List-Unsubscribe: <"
        yield "unsubscribe_url"
        yield self._unsubscribe_by_mail.encode("ascii")
        yield "delivery"
        yield b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        yield _header("List-Help", f"<mailto:{self._mailto}?subject=help>")
        yield _header("List-Archive", f"<{headers.archive_url}>")
        yield _header("List-Post", "NO")
        yield _header("Precedence", "bulk")
        yield _header("Feedback-ID", headers.feedback_id)
        yield _header("Content-Language", headers.language)


def _entity(kind: str, text: str) -> Iterator[bytes | str]:
    yield f'Content-Type: text/{kind}; charset="utf-8"\r\n'.encode()
    yield b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    yield from _body_parts(text, "html:" if kind == "html" else "text:")


def _lines(text: str) -> tuple[bytes, bytes]:
    """A value as it stands in HTML, and as it stands in text."""
    if _PLAIN.fullmatch(text):
        line = text.encode("ascii") + SOFT_BREAK
        return line, line
    return encode_value(html.escape(text)), encode_value(text)


def _lines_of_url(url: str) -> tuple[bytes, bytes]:
    if _PLAIN_URL.fullmatch(url):
        line = url.encode("ascii") + SOFT_BREAK
        return line, line
    if not _URL.fullmatch(url):
        raise ValueError(f"a reader’s link is not a plain https address: {url!r}")
    return _lines(url)


_LINES: dict[Slot, Callable[[str], tuple[bytes, bytes]]] = {
    Slot.NAME: _lines,
    Slot.EMAIL: _lines,
    Slot.UNSUBSCRIBE_URL: _lines_of_url,
    Slot.PREFERENCES_URL: _lines_of_url,
    Slot.WEB_URL: lru_cache(maxsize=16)(_lines_of_url),  # the same for all readers of an edition
}


def _header(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _body_parts(text: str, prefix: str) -> Iterator[bytes | str]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    at = 0
    for match in slots.MARKER.finditer(text):
        yield encode_static(text[at : match.start()], before_value=True)
        yield prefix + Slot(match[1] or match[2])
        at = match.end()
    yield encode_static(text[at:], before_value=False)
