"""Bring link addresses into the form that the issue file gives them.

Refuses to invent: an address that leads nowhere outside of its page loses its
link, keeps its text and is noted.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

ALTERED = "NL910"

_SCHEMES = ("https", "http", "mailto")


def resolved(href: str, base: str | None = None) -> str | None:
    """*href* as an absolute address, percent-encoded; None where it is none.

    Relative addresses are completed with *base*, the address of the page itself.
    """
    from markdown_it.common.normalize_url import normalizeLink

    href = "".join(char for char in href.strip() if char not in "\t\n\r")
    if not href or href.startswith("#"):
        return None
    try:
        if base is not None:
            href = urljoin(base, href)
        parts = urlsplit(href)
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or "/cdn-cgi/l/email-protection" in href:
        return None
    return normalizeLink(href)
