"""Mail addresses and names as they stand in a header: RFC 5322, RFC 2047, IDNA2008.

Refuses what could break out of a header (line breaks, control characters) and,
unless the server takes SMTPUTF8, a non-ASCII local part, each with a reason.
"""

from __future__ import annotations

import re
import unicodedata
from binascii import b2a_base64
from email.header import Header
from functools import lru_cache

from newsletter.errors import RecipientRejected

LINE = 76  # characters of a header line with encoded words (RFC 2047 §2)

MAX_LOCAL = 64  # octets (RFC 5321 §4.5.3.1.1)
MAX_ADDRESS = 254  # octets (RFC 5321 §4.5.3.1.3, without the angle brackets)

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})+"
_ADDRESS = re.compile(rf"(?=.{{6,{MAX_ADDRESS}}}\Z){_LOCAL}@{_DOMAIN}")
_UTF8_LOCAL = re.compile(_LOCAL.replace("A-Z", r"\u0080-\U0010ffffA-Z"))  # RFC 6531 §3.3

# RFC 2047 §5.3: what may stand in a phrase as it is
_QUOTED = {
    byte: chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in range(256)
}
_QUOTED |= {ord(" "): "_"} | {ord(char): char for char in "!*+-/"}

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


@lru_cache(maxsize=16)  # each is asked for twice in a row: for To, and for the envelope
def ascii_address(email: str) -> str:
    """*email* with its domain in A-labels (RFC 5891), as it goes over the wire.

    Raises:
        RecipientRejected: it is no address, or only SMTPUTF8 (RFC 6531) could carry it.
    """
    if _ADDRESS.fullmatch(email) and email.find("@") <= MAX_LOCAL:
        return email
    local, wire = _parts(email)
    if not local.isascii():
        raise _rejected(
            "the part before the @ is not ASCII",
            hint="few servers take such an address yet: ask for another one",
        )
    if len(local) > MAX_LOCAL or not _ADDRESS.fullmatch(wire):
        raise _rejected("it is not an address that servers take")
    return wire


def utf8_address(email: str) -> str:
    """*email* as a server with SMTPUTF8 takes it: only the domain is in A-labels (RFC 6532).

    The same as `ascii_address` for all that the latter takes.

    Raises:
        RecipientRejected: it is no address.
    """
    if email.isascii():
        return ascii_address(email)
    local, wire = _parts(email)
    takes = _UTF8_LOCAL.fullmatch(local) and not any(char.isspace() for char in local)
    if not takes or len(local.encode()) > MAX_LOCAL or len(wire.encode()) > MAX_ADDRESS:
        raise _rejected("it is not an address that servers take")
    ascii_address("x" + wire[len(local) :])  # the domain by the same rules
    return wire


def _parts(email: str) -> tuple[str, str]:
    """The local part, and the whole with its domain in A-labels.

    Raises:
        RecipientRejected: it is no address.
    """
    local, at, domain = email.rpartition("@")
    if has_control(email):
        raise _rejected("the address holds a control character or a line break")
    if not at or not local or not domain:
        raise _rejected("it is not an address: there is no name@domain")
    return local, f"{local}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    # Not the codec of the standard library: IDNA2003 turns straße.example into another domain.
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise _rejected("the part behind the @ is not a domain") from error


def _rejected(reason: str, hint: str = "correct the address or remove it") -> RecipientRejected:
    # Without the address itself: messages end up in logs.
    return RecipientRejected(f"this address cannot be mailed: {reason}", hint=hint)


def has_control(text: str) -> bool:
    """Whether *text* holds a control character, a line or paragraph separator, or half a pair."""
    if text.isprintable():  # true for nearly all, and ten times faster
        return False
    return any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in text)


def mailbox(header: str, name: str, email: str) -> str:
    """A name and an address as the value of *header*, folded; *email* as `ascii_address` gives it.

    Spaces around the name are dropped, several in a row are one, as parsers read them anyway.

    Raises:
        RecipientRejected: the name holds a control character.
    """
    room = LINE - len(header) - len(": ")
    if _ATOMS.fullmatch(name) and len(name) + len(email) + 3 <= room and "=?" not in name:
        return f"{name} <{email}>"  # as below, for most names and in a third of the time
    if has_control(name):
        raise _rejected(
            "the name holds a control character or a line break", hint="correct the name"
        )
    if "  " in name or name[:1] == " " or name[-1:] == " ":
        name = " ".join(filter(None, name.split(" ")))
    if not name:
        return email
    phrase = _phrase(name)
    if phrase is None or len(phrase) > room:
        phrase = _encoded_words(header, name, room)
    last = phrase.rpartition("\r\n")[2]
    used = len(last) + (0 if "\r\n" in phrase else len(header) + len(": "))
    return f"{phrase} <{email}>" if used + len(email) + 3 <= LINE else f"{phrase}\r\n <{email}>"


def _phrase(name: str) -> str | None:
    """*name* as atoms or as a quoted string; None where only encoded words can say it."""
    if not name.isascii() or "=?" in name:
        return None
    if _ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(header: str, text: str, room: int) -> str:
    """*text* as `Header` writes it, which takes many times as long where one word is enough."""
    if len(text) <= room:
        data = text.encode()
        quoted = data.decode("latin-1").translate(_QUOTED)
        if (len(data) + 2) // 3 * 4 < len(quoted):
            word = f"=?utf-8?b?{b2a_base64(data, newline=False).decode('ascii')}?="
        else:
            word = f"=?utf-8?q?{quoted}?="
        if len(word) <= room:
            return word
    return Header(text, "utf-8", maxlinelen=LINE, header_name=header).encode(linesep="\r\n")


def unstructured(header: str, text: str) -> str:
    """*text* as the value of an unstructured header such as Subject, folded."""
    words = text.split(" ")
    room = LINE - len(header) - len(": ")
    plain = text.isascii() and "=?" not in text and all(words)
    if plain and all(len(word) <= room for word in words):
        return _folded(words, room)
    return _encoded_words(header, text, room)


def _folded(words: list[str], room: int) -> str:
    lines, line = [], words[0]
    for word in words[1:]:
        if len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = word, LINE - 1
        else:
            line += " " + word
    return "\r\n ".join([*lines, line])
