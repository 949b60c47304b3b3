"""Read the replies of an SMTP server (RFC 5321 §4.2), and judge what a refusal means.

A reply is kept as the bytes of its lines, joined by line feeds: b"250 2.0.0 Ok". That is all
the parsing that most replies ever need. Refuses lines without end, codes that are none, and
replies whose lines contradict each other: whoever talks like that is not to be believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LINE = 4_096  # octets; 512 is the most that is allowed (RFC 5321 §4.5.3.1.5)
MAX_LINES = 200

# All went well: a message was taken (group 1), and MAIL, RCPT and DATA of the next one. Most of
# what a server ever says to a sender that pipelines; what does not match need not be wrong.
ROUND_TRIP = re.compile(
    rb"(250 [^\r\n]{0,500})\r\n2\d\d [^\r\n]{0,500}\r\n2\d\d [^\r\n]{0,500}\r\n"
    rb"354 [^\r\n]{0,500}\r\n"
)

_QUEUE_ID = re.compile(
    rb"queued as <?([^\s<>;,()]{1,100})"  # Postfix
    rb"|\bid=<?([^\s<>;,()]{1,100})"  # Exim
    rb"|^250 2\.0\.0 (\w{8,40}) [Mm]essage accepted"  # sendmail
    rb"|^250 (?:2\.\d\.\d )?[Oo][Kk] ([\w.-]{16,100})$"  # Amazon
)
_CONNECTION_IS_FULL = re.compile(
    rb"too many (messages|mails|transactions)|messages? (limit|per (connection|session))", re.I
)
_ABOUT_THE_SENDER = re.compile(rb"^53[058]|relay|authenticat|sender address", re.I)


class ReplyError(Exception):
    """What came is no SMTP, or answers nothing that was asked."""


class ReplyReader:
    """Cut what arrives into replies; keeps at most one unfinished line and reply."""

    __slots__ = ("_lines", "_rest")

    def __init__(self) -> None:
        self._lines: list[bytes] = []  # of a reply that is not finished
        self._rest = b""

    @property
    def is_within_reply(self) -> bool:
        return bool(self._rest or self._lines)

    def read(self, data: bytes) -> list[bytes]:
        """Return the replies that *data* completes.

        Raises:
            ReplyError: it cannot be a reply, or has no end.
        """
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        replies = []
        unfinished = self._lines
        for line in lines:
            line = line.removesuffix(b"\r")
            code, mark = line[:3], line[3:4]
            # RFC 5321 §4.2: first digit 2 to 5; then a space, or a hyphen where more follow
            if len(code) < 3 or not code.isdigit() or code[0] not in b"2345" or mark not in b" -":
                raise ReplyError("what the server says is not SMTP")
            if len(line) > MAX_LINE:
                raise ReplyError("a line of the server is too long")
            if unfinished and (code != unfinished[0][:3] or len(unfinished) >= MAX_LINES):
                raise ReplyError("the lines of a reply contradict each other or do not end")
            if mark == b"-":
                unfinished.append(line)
            elif unfinished:
                replies.append(b"\n".join([*unfinished, line]))
                unfinished.clear()
            else:
                replies.append(line)
        if len(self._rest) > MAX_LINE:
            raise ReplyError("a line of the server does not end")
        return replies


def shown(reply: bytes, hidden: Sequence[str] = ()) -> str:
    """*reply* as one line for people, without control characters.

    The code stands once, at the front; *hidden* texts are left out.
    """
    first, *more = reply.decode("utf-8", "replace").split("\n")
    text = " ".join([first[:3], first[4:], *(line[4:] for line in more)])
    for secret in hidden:
        text = text.replace(secret, "…")
    text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())


def queue_id(reply: bytes) -> str:
    """The name under which the server keeps the message, where its 250 tells; else ""."""
    match = _QUEUE_ID.search(reply)
    if match is None or match.lastindex is None:
        return ""
    return match[match.lastindex].decode("ascii", "replace")


@dataclass(frozen=True, kw_only=True, slots=True)
class Capabilities:
    """What a server says after EHLO."""

    pipelining: bool = False  # RFC 2920
    smtputf8: bool = False  # RFC 6531
    starttls: bool = False  # RFC 3207
    size: int | None = None  # RFC 1870: octets, 0 for no fixed limit; None: not supported
    auth: frozenset[str] = frozenset()  # RFC 4954: names of mechanisms

    @classmethod
    def of(cls, reply: bytes) -> Capabilities:
        """Read the reply to EHLO; a greeting to HELO has none."""
        words: dict[str, list[str]] = {}
        for line in reply.decode("ascii", "replace").upper().split("\n")[1:]:
            # “AUTH=PLAIN” is what some servers of old write.
            name, *values = line[4:].replace("AUTH=", "AUTH ").split() or [""]
            words.setdefault(name, []).extend(values)
        size = words.get("SIZE")
        return cls(
            pipelining="PIPELINING" in words,
            smtputf8="SMTPUTF8" in words,
            starttls="STARTTLS" in words,
            size=None if size is None else int(size[0] if size and size[0].isdigit() else 0),
            auth=frozenset(words.get("AUTH", ())),
        )


def is_connection_full(reply: bytes) -> bool:
    """Whether a refusal says that the connection has carried enough messages."""
    return _CONNECTION_IS_FULL.search(reply) is not None


class Verdict(StrEnum):
    """What a 4xx or a 5xx is about."""

    FOR_NOW = "this message, for now"
    FOR_GOOD = "this message, for good"
    BUSY = "the server takes no mail for now"
    CONNECTION = "this connection has carried enough"
    SENDER = "the server takes nothing from us"


def judge(command: str, reply: bytes) -> Verdict:
    """Judge a refusal of *command*: MAIL, RCPT, DATA, or BODY for what comes after the final dot.

    MAIL does not name the recipient, so its refusal is hardly about one; and servers that
    put off all checks until RCPT (Postfix does) are recognized by what they say.
    """
    permanent = reply.startswith(b"5")
    if command == "MAIL":
        if permanent:
            return Verdict.SENDER
        full = reply.startswith(b"421") or is_connection_full(reply)
        return Verdict.CONNECTION if full else Verdict.BUSY
    if not permanent:
        return Verdict.FOR_NOW
    if command in ("RCPT", "DATA") and _ABOUT_THE_SENDER.search(reply):
        return Verdict.SENDER
    return Verdict.FOR_GOOD
