"""Read a mail that came back: its own header, its texts, and the header of what it returns.

Anybody can send such a mail, so all is bounded: bytes, parts, depth, line lengths.
Never raises, whatever the bytes; what cannot be read is not there. Refuses to look
into what was returned further than its header.
"""

from __future__ import annotations

import codecs
import email
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from functools import cached_property

MAX_BYTES = 1 << 19  # reports come first, what is returned last
MAX_HEAD = 1 << 16
MAX_TEXT = 1 << 17  # characters of one part
_MAX_CONTAINERS = 20  # multiparts: a deeper one would cost the parser time squared
_MAX_PARTS = 100
_MAX_VALUE = 2_000  # characters of a header field
# Codecs that are slow on long texts, or no charset of mail at all.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})

# What the standard library raises on malformed mail, besides the errors that it documents.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, MessageError)

_CONTAINER = re.compile(rb"^content-type\s*:\s*\"?multipart/", re.IGNORECASE | re.MULTILINE)
# The parser of the standard library would take these apart, and fails where they are encoded
# or broken. As leaves they are decoded like any text.
_REPORT = re.compile(
    rb"^(content-type\s*:\s*)\"?message/(?:global-)?(delivery-status|feedback-report)",
    re.IGNORECASE | re.MULTILINE,
)
_RETURNED = re.compile(
    rb"^(content-type\s*:\s*)\"?(?:message/(?:rfc822|global|news)(?:-headers)?|text/rfc822-headers?)"
    rb"(?![\w-])",
    re.IGNORECASE | re.MULTILINE,
)
_RETURNED_TYPE = "text/x-returned"
_TAG = re.compile(r"<(?:/?[a-z!][^<>@]{0,2000})>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A leaf of the mail: *kind* is its type (“text/plain”); *text* is decoded."""

    kind: str
    text: str

    @property
    def is_returned(self) -> bool:
        return self.kind == _RETURNED_TYPE


@dataclass(frozen=True)
class ReturnedMail:
    """One mail, read. Headers are looked up in any case; one that is missing is empty."""

    message: Message

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        return tuple(_parts(self.message))

    @property
    def texts(self) -> Iterator[str]:
        """All that somebody says here, without what is returned."""
        return (part.text for part in self.parts if not part.is_returned)

    @property
    def returned(self) -> Iterator[str]:
        """The messages that come back, or as much of each as there is."""
        return (part.text for part in self.parts if part.is_returned)

    def header(self, name: str) -> str:
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        try:
            return [_decoded(str(value)) for value in self.message.get_all(name, [])]
        except _MALFORMED:
            return []


def read(data: bytes) -> ReturnedMail:
    """Read *data* as a mail; of a long one only the beginning."""
    data = data[:MAX_BYTES].replace(b"\0", b"")
    if b"\n" not in data:  # line ends of an old Mac, or of a gateway that lost the other half
        data = data.replace(b"\r", b"\n")
    containers = [found.start() for found in _CONTAINER.finditer(data)]
    if len(containers) > _MAX_CONTAINERS:
        data = data[: containers[_MAX_CONTAINERS]]
    head, separator, body = _split(data)
    head = head[:MAX_HEAD]
    data = head + separator + _RETURNED.sub(rb"\1" + _RETURNED_TYPE.encode(), body)
    data = _REPORT.sub(rb"\1text/x-\2", data)
    try:
        return ReturnedMail(email.message_from_bytes(data))
    except _MALFORMED:
        return ReturnedMail(Message())


def field_of(text: str, name: str) -> str:
    """Return the first field *name* of the header that *text* begins with or contains, or ""."""
    pattern = rf"^[ \t>]*{re.escape(name)}[ \t]*:[ \t]*(.*(?:\n[ \t]+\S.*)*)"
    found = re.search(pattern, text, re.IGNORECASE | re.MULTILINE)
    return "" if found is None else _decoded(" ".join(found[1].split()))


def _split(data: bytes) -> tuple[bytes, bytes, bytes]:
    end = re.search(rb"\r?\n\r?\n", data)
    if end is None:
        return data, b"", b""
    return data[: end.start()], end[0], data[end.end() :]


def _parts(message: Message) -> Iterator[Part]:
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            return
        if part.is_multipart():
            continue
        try:
            payload = part.get_payload(decode=True)
            kind = part.get_content_type()
            charset = str(part.get_content_charset() or "utf-8")
        except _MALFORMED:
            continue
        if isinstance(payload, bytes) and kind.startswith(("text/", "application/octet")):
            text = _text(payload[: MAX_TEXT * 4], charset)[:MAX_TEXT]
            if kind == "text/html":
                text = _TAG.sub(" ", text)
            yield Part(kind=kind, text=text)


def _text(payload: bytes, charset: str) -> str:
    try:
        if codecs.lookup(charset).name in _NO_CHARSETS:
            charset = "utf-8"
        text = payload.decode(charset, "replace")
    except (LookupError, ValueError):
        text = payload.decode("utf-8", "replace")
    return _storable(text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(value: str) -> str:
    """RFC 2047 decoded where that works, on one line."""
    value = " ".join(value[:_MAX_VALUE].split())
    if "=?" in value:
        with suppress(*_MALFORMED):
            value = str(make_header(decode_header(value)))
    return _storable(" ".join(value.split()))


def _storable(text: str) -> str:
    """Without what no database takes: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
