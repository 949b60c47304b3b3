"""Sign messages with DKIM (RFC 6376): rsa-sha256, relaxed/relaxed.

For mail that leaves without a relay that signs. The signature covers the headers
of one-click unsubscribe, as RFC 8058 §4 demands. Refuses a key that is short, that
others may read, or that is not RSA; never shows it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import Workspace
from newsletter.errors import ConfigError
from newsletter.issue.folder import shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

MIN_BITS = 2048
MAX_KEY_BYTES = 50_000
WIDTH = 76  # of a line of the signature, where its parts allow

_MAKE_ONE = "make one with: openssl genrsa -out FILE 2048 && chmod 600 FILE"

# In this order, those that a message has. RFC 6376 §8.15: the second From finds none, so
# that nobody can add one.
_SIGNED = (
    *(b"from", b"from", b"to", b"reply-to", b"subject", b"date", b"message-id"),
    *(b"mime-version", b"content-type", b"content-language"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post"),
    *(b"list-help", b"list-archive", b"list-post", b"precedence", b"feedback-id"),
)
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_SPACES = re.compile(rb"[ \t\r\n]{2,}|\t")  # all but single spaces; CR and LF are of a fold


class Signer:
    """Sign for one domain with one key. Raises ConfigError for a key below 2048 bits."""

    __slots__ = ("_domain", "_key", "_selector")

    def __init__(self, key: RSAPrivateKey, *, domain: str, selector: str) -> None:
        if key.key_size < MIN_BITS:
            raise ConfigError(
                f"the DKIM key has {key.key_size:,} bits, and {MIN_BITS:,} are the least",
                hint=_MAKE_ONE,
            )
        self._key = key
        self._domain = domain
        self._selector = selector

    def sign(self, message: bytes) -> bytes:
        """Return the DKIM-Signature header of *message*, to be put in front of it.

        *message* has CRLF line ends, a From and a Date. The time of the signature is that
        of the Date: the same message is signed with the same bytes, whenever that is done.

        Raises:
            ValueError: From or Date is missing; that is our own fault.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        if b"from" not in fields or b"date" not in fields:
            raise ValueError("a message to be signed has a From and a Date")
        names = tuple(name for name in _SIGNED if name in fields)
        body_hash = hashlib.sha256(relaxed_body(body)).digest()
        unsigned = (
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
            f" d={self._domain};\r\n s={self._selector}; t={_seconds(fields[b'date'])};\r\n"
            f" {_names_tag(names)};\r\n bh={_base64(body_hash)};\r\n b="
        ).encode()
        signed = [_relaxed(name, fields[name]) + b"\r\n" for name in dict.fromkeys(names)]
        # RFC 6376 §3.7: the signature's own field comes last, with an empty b=, without CRLF.
        signed.append(_relaxed(b"dkim-signature", unsigned.partition(b":")[2]))
        signature = self._key.sign(b"".join(signed), PKCS1v15(), SHA256())
        return unsigned + _folded(_base64(signature)).encode() + b"\r\n"


def signer_of(workspace: Workspace) -> Signer | None:
    """The signer that newsletter.toml asks for; None: it asks for none.

    Raises:
        ConfigError: it is half configured, or the key cannot or must not be used.
    """
    config = workspace.config.dkim
    given = {"domain": config.domain, "selector": config.selector, "key_file": config.key_file}
    missing = [f"dkim.{name}" for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if config.domain is None or config.selector is None or config.key_file is None:
        raise ConfigError(
            f"DKIM is half configured: {' and '.join(missing)} is missing",
            hint="set all of [dkim] in newsletter.toml, or nothing of it",
        )
    key = _read_key(workspace.root / config.key_file)
    return Signer(key, domain=config.domain, selector=config.selector)


def relaxed_body(body: bytes) -> bytes:
    """Canonicalize *body* (RFC 6376 §3.4.4). Passes over it in C, and copies only what changes."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n")
    if body.endswith(b" "):
        body = body[:-1]
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The values by lower-case name; of several the last, which is signed first (§5.4.2)."""
    fields = {}
    for field in _FIELD_END.split(head):
        name, _, value = field.partition(b":")
        fields[name.rstrip(b" \t").lower()] = value
    return fields


def _relaxed(name: bytes, value: bytes) -> bytes:
    """A header field without its CRLF, as §3.4.2 has it."""
    return name + b":" + _SPACES.sub(b" ", value).strip(b" ")


@lru_cache(maxsize=16)
def _names_tag(names: tuple[bytes, ...]) -> str:
    """h=, folded behind colons."""
    lines, line = [], "h="
    for name in names:
        part = name.decode() + ":"
        if len(line) + len(part) > WIDTH - 1:
            lines.append(line)
            line = ""
        line += part
    return "\r\n ".join([*lines, line.removesuffix(":")])


@lru_cache(maxsize=16)
def _seconds(date: bytes) -> int:
    return int(parsedate_to_datetime(date.decode().strip()).timestamp())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _folded(value: str) -> str:
    """Base64 behind “ b=”, in lines of at most 76 characters."""
    first, width = WIDTH - len(" b="), WIDTH - 1
    rest = [value[at : at + width] for at in range(first, len(value), width)]
    return "\r\n ".join([value[:first], *rest])


def _read_key(path: Path) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    name = f"the DKIM key {shown(path)}"
    try:
        with path.open("rb") as file:
            others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
            text = file.read(MAX_KEY_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no file's name"
        raise ConfigError(
            f"{name} cannot be read: {reason}", hint=f"is dkim.key_file right? else {_MAKE_ONE}"
        ) from None
    if others:
        raise ConfigError(
            f"{name} may be read or written by other users of this machine",
            hint=f"chmod 600 {shown(path)}",
        )
    try:
        key = load_pem_private_key(text, password=None)
    except TypeError:
        raise ConfigError(
            f"{name} is locked with a password", hint="store it without one, for its owner alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):  # from None: nothing of the key is ever shown
        raise ConfigError(f"{name} is not a private key in PEM", hint=_MAKE_ONE) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{name} is not an RSA key", hint=_MAKE_ONE)
    return key
