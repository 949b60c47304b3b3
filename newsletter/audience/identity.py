"""When are two spellings of an address one person? And the hash that outlives the address.

The domain is compared as in IDNA2008 (A-labels), in any letter case. The part before
the @ is the receiving server's business (RFC 5321 §2.4): `Ada@` and `ada@` are two
people, and so are `ada+news@` and `ada@`. Refuses to know the habits of providers
(dots in Gmail names): a guess there would merge strangers.
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
        """Keyed BLAKE2b (RFC 7693) of *identity* (from `identity_of`) in lower case, 16 bytes.

        So a suppression holds for every spelling: whoever left as `Ada@` is not mailed as
        `ada@`. Most servers ignore case, and mailing again who left is the greater harm.
        """
        text = identity.lower()
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)  # lower case may have taken it apart
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._key).digest()
