"""Look for words in the archive: `/archive/?q=`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

from newsletter.site.pages import HTML, style_hashes
from newsletter.web.headers import content_security_policy

if TYPE_CHECKING:
    from newsletter.web.context import Context


def query_of(query_string: bytes) -> str:
    """What is looked for; "" where nothing is."""
    try:
        found = parse_qs(query_string.decode("ascii", "replace"), max_num_fields=20).get("q", [""])
    except ValueError:
        return ""
    return " ".join(found[0].split())


def search_page(context: Context, query: str) -> Response:
    """The issues that hold every word of *query*."""
    site = context.site.current
    body = site.render_search(query, site.search(query)).encode()
    policy = content_security_policy(style_hashes(body))
    fields = {"x-robots-tag": "noindex", "content-security-policy": policy}
    return Response(body, media_type=HTML, headers=fields)
