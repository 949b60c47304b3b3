"""When are two spellings of an address one person? And the hash that outlives the address.

The domain is compared as in IDNA2008 (A-labels), and letter case never makes
another person. Plus-tags do: `ada+news@` and `ada@` are two. Refuses to know the
habits of providers (dots in Gmail names): a guess there would merge strangers.
"""

from __future__ import annotations

import hashlib
import unicodedata

from newsletter.email_address import normalized


def identity_of(email: str) -> str:
    """Return the one spelling that identifies the person behind *email*.

    Raises:
        ValueError: it is no address; the message says why.
    """
    local, _, domain = normalized(email).rpartition("@")
    if not domain.isascii():
        import idna  # the standard library's encoding is IDNA2003: another domain for “faß”

        domain = idna.encode(domain, uts46=True).decode("ascii")
    local = local.lower()
    if not local.isascii():
        local = unicodedata.normalize("NFC", local)
    return f"{local}@{domain.lower()}"


class Hasher:
    """Hash identities with the key of one database, so that nobody can test a list against them.

    The key lives in the database (`setting`): a copy of the database stays able to
    keep erased people away, and without it the hashes say nothing.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, identity: str) -> bytes:
        """Keyed BLAKE2b (RFC 7693), 16 bytes. *identity* comes from `identity_of`."""
        return hashlib.blake2b(identity.encode(), digest_size=16, key=self._key).digest()
