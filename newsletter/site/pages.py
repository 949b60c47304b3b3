"""A page: its path, its bytes, and what a server says about them.

Bytes from memory, or of a file that is held to its hash each time it is read: what is
not what was frozen is not shown.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from newsletter.errors import StorageError
from newsletter.issue.folder import shown

HTML = "text/html; charset=utf-8"

# Comments come first: what stands in one is no element.
_STYLE = re.compile(rb"<!--.*?-->|<style\b[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Page:
    """*path* is below the site's root, with a slash at its beginning: "/vol-2-20/".

    *etag* is strong and without quotes (RFC 9110 §8.8.3). *style_hashes* are the sources
    that a Content-Security-Policy must allow: 'sha256-…', with their quotes. *number* is
    the issue's whose edition this is or belongs to.
    """

    path: str
    media_type: str
    body: bytes | Path = field(repr=False)
    size: int
    etag: str
    last_modified: datetime | None = None
    is_indexable: bool = True
    style_hashes: tuple[str, ...] = ()
    number: str | None = None

    def read(self) -> bytes:
        """Return the bytes.

        Raises:
            StorageError: the file is gone, or is not what was frozen any more.
        """
        if isinstance(self.body, bytes):
            return self.body
        try:
            data = self.body.read_bytes()
        except OSError as error:
            raise StorageError(f"{shown(self.body)} cannot be read: {error.strerror}") from error
        if _tag_of(data) != self.etag:
            raise StorageError(
                f"{shown(self.body)} is not what was frozen", hint="restore it from a backup"
            )
        return data


def page_of(
    path: str,
    body: bytes,
    *,
    media_type: str = HTML,
    last_modified: datetime | None = None,
    is_indexable: bool = True,
    number: str | None = None,
) -> Page:
    """A page of these bytes."""
    return Page(
        path=path,
        media_type=media_type,
        body=body,
        size=len(body),
        etag=_tag_of(body),
        last_modified=last_modified,
        is_indexable=is_indexable,
        style_hashes=style_hashes(body) if media_type == HTML else (),
        number=number,
    )


def style_hashes(html: bytes) -> tuple[str, ...]:
    """The sources of each <style> element for a policy (CSP 3 §8.4): "'sha256-…'"."""
    found = (match[1] for match in _STYLE.finditer(html) if match[1] is not None)
    digests = (hashlib.sha256(text.replace(b"\r\n", b"\n")).digest() for text in found)
    return tuple(dict.fromkeys(f"'sha256-{b64encode(digest).decode()}'" for digest in digests))


def tag_of_sha256(sha256: str) -> str:
    """The entity tag of the bytes with this SHA-256 (hexadecimal): half of it is plenty."""
    return sha256[:32]


def _tag_of(data: bytes) -> str:
    return tag_of_sha256(hashlib.sha256(data).hexdigest())
