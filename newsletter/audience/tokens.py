"""Signed tokens of links in mail, and the random ones of confirmations.

A signed token names a subscriber and one purpose, never expires, and is short
enough (32 characters at most) that no header folds. The first key signs, all
verify: put a new key first to rotate. Refuses to hold state: what a token may do
is decided where it is used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
from binascii import Error as DecodeError
from binascii import b2a_base64
from collections.abc import Iterable, Sequence
from pathlib import Path

from newsletter.config import Workspace
from newsletter.errors import ConfigError, StorageError

VARIABLE = "NEWSLETTER_SECRET"
MIN_LENGTH = 32  # characters of a key
_SIGNATURE = 16  # bytes: 128 bits
_MAX_TOKEN = 32  # characters: an id of 8 bytes and the signature
_MAKE_ONE = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"


class Tokens:
    """Sign and verify with the keys of one newsletter; they stay in this object."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("no key")
        self._keys = tuple(map(_mac_key, keys))
        self._begun: dict[str, hashlib.blake2b] = {}  # by purpose: key and purpose are hashed

    def sign(self, purpose: str, subscriber_id: int) -> str:
        """base64url of the id (big-endian, as short as it goes) and 128 bits of keyed BLAKE2b.

        RFC 7693 §2.9: a MAC by itself, at a third of what HMAC-SHA256 costs; a message has
        three of them.
        """
        mac = (self._begun.get(purpose) or self._mac(purpose)).copy()
        subject = _subject(subscriber_id)
        mac.update(subject)
        return _text(subject + mac.digest())

    def sign_all(self, purpose: str, numbers: Iterable[int]) -> list[bytes]:
        """`sign` for many at once, in half the time; each as ASCII."""
        begun = self._mac(purpose)
        lines = []
        for number in numbers:
            subject = _subject(number)
            mac = begun.copy()
            mac.update(subject)
            lines.append(b2a_base64(subject + mac.digest()))
        return b"".join(lines).translate(_URL_SAFE, b"=").split()

    def _mac(self, purpose: str) -> hashlib.blake2b:
        begun = self._begun.get(purpose)
        if begun is None:
            begun = self._begun[purpose] = _mac(self._keys[0], purpose)
        return begun

    def verify(self, purpose: str, token: str) -> int | None:
        """Return the subscriber's id, or None for anything that `sign` has not made."""
        if len(token) > _MAX_TOKEN or not token.isascii():
            return None
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except DecodeError:
            return None
        subject, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
        # One spelling only: base64 can carry unused bits, an id leading zeros.
        if not subject or (len(subject) > 1 and subject[0] == 0):
            return None
        if _text(data) != token:
            return None
        known = [
            hmac.compare_digest(_signature(key, purpose, subject), signature) for key in self._keys
        ]
        return int.from_bytes(subject, "big") if any(known) else None


_URL_SAFE = bytes.maketrans(b"+/", b"-_")  # RFC 4648 §5


def _text(data: bytes) -> str:
    """base64url without padding: `base64` would take twice as long, thrice a message."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def _mac_key(key: bytes) -> bytes:
    """BLAKE2b takes keys of 64 bytes at most; a longer one is hashed."""
    return key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()


def _subject(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


def _signature(key: bytes, purpose: str, subject: bytes) -> bytes:
    return _mac(key, purpose, subject).digest()


def _mac(key: bytes, purpose: str, subject: bytes = b"") -> hashlib.blake2b:
    message = purpose.encode() + b"\0" + subject
    return hashlib.blake2b(message, digest_size=_SIGNATURE, key=key)


def new_confirmation() -> tuple[str, bytes]:
    """Return a random token (128 bits, 22 characters) and the hash that is kept of it."""
    token = secrets.token_urlsafe(16)
    return token, confirmation_hash(token)


def confirmation_hash(token: str) -> bytes:
    """SHA-256, 32 bytes; any text has one."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


# ── keys ────────────────────────────────────────────────────────────────────


def tokens_of(workspace: Workspace) -> Tokens:
    """The tokens of *workspace*; its key is made on first use.

    Keys come from NEWSLETTER_SECRET (several: comma-separated), else from
    `.newsletter/secret` (a key a line), readable by its owner alone.

    Raises:
        ConfigError: a key is too short.
        StorageError: the file cannot be read or made.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        keys = _keys(given.split(","))
        if not keys or any(len(key) < MIN_LENGTH for key in keys):
            raise ConfigError(
                f"{VARIABLE} has a key of fewer than {MIN_LENGTH} characters", hint=_MAKE_ONE
            )
        return Tokens(keys)
    path = workspace.root / ".newsletter" / "secret"
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            _create(path, secrets.token_urlsafe(32))
        keys = _keys(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{path} cannot be used: {error}", hint=f"mend it, or set {VARIABLE} instead"
        ) from error
    if not keys or any(len(key) < MIN_LENGTH for key in keys):
        raise ConfigError(
            f"{path} holds a key that is too short to be one", hint="restore it from a backup"
        )
    return Tokens(keys)


def _keys(texts: Sequence[str]) -> list[bytes]:
    return [text.strip().encode() for text in texts if text.strip()]


def _create(path: Path, secret: str) -> None:
    """Write the whole file under another name, then link it: two first uses agree on one."""
    scratch = path.with_name(f"secret.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(scratch, path)
    except FileExistsError:
        pass  # the other one was first
    finally:
        scratch.unlink()
