"""Serve the archive: pages and files that are the same for everybody, from memory.

The one part that must be fast: a look-up, an If-None-Match, two writes. Only paths that
the site lists exist; nothing that a client sends ever becomes a file's name.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from newsletter.issue.number import IssueNumber
from newsletter.site.editions import PDF
from newsletter.web.headers import content_security_policy
from newsletter.web.observed import ROUTE
from newsletter.web.search import query_of, search_page
from newsletter.web.views import is_robot

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from newsletter.site.pages import Page
    from newsletter.site.site import Site
    from newsletter.web.context import Context

Fields = list[tuple[bytes, bytes]]

NAME = "archive"  # of the route, in logs and metrics
SEARCHED = "/archive/"
_PAGES, _FILES = b"public, max-age=60", b"public, max-age=86400"
_TEXT = ("text/", "application/xml", "application/atom+xml", "application/feed+json", "image/svg")
_MIN_GZIP = 1_000  # bytes; less is not worth it


def is_to_come(context: Context, path: str) -> bool:
    """Whether *path* is of an issue after the newest: a test mail leads there before it is sent."""
    site = context.site.current_or_none
    try:
        number = IssueNumber.from_folder(path.split("/")[1])
    except (ValueError, IndexError):
        return False
    return site is not None and all(number > edition.number for edition in site.editions)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page ready to be sent; *body* is None for a file, which is read each time."""

    page: Page
    etag: bytes
    fields: Fields
    body: bytes | None


class Archive:
    """An ASGI application below the routes: what none of them took comes here."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._site: Site | None = None
        self._answers: dict[tuple[str, bool], _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise HTTPException(404)
        path: str = scope["path"]
        headers = dict(scope["headers"])
        answer = self._answer(path, b"gzip" in headers.get(b"accept-encoding", b""))
        if answer is None:
            await self._redirect_or_refuse(path, send)
            return
        scope["state"][ROUTE] = NAME
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"allow": "GET, HEAD"})
        if path == SEARCHED and (query := query_of(scope["query_string"])):
            response = await run_in_threadpool(search_page, self._context, query)
            await response(scope, receive, send)
            return
        if _matches(headers.get(b"if-none-match"), answer.etag):
            await _send(send, 304, answer.fields, b"")
            return
        self._count(answer.page, scope["method"], headers)
        body = answer.page.read() if answer.body is None else answer.body
        length = (b"content-length", str(len(body)).encode())
        await _send(send, 200, [*answer.fields, length], body)

    def _answer(self, path: str, takes_gzip: bool) -> _Answer | None:
        site = self._context.site.current
        if site is not self._site:
            self._site, self._answers = site, {}
        key = (path, takes_gzip)
        found = self._answers.get(key)
        if found is None and (page := site.pages.get(path)) is not None:
            found = self._answers[key] = _prepared(page, takes_gzip=takes_gzip)
        return found

    async def _redirect_or_refuse(self, path: str, send: Send) -> None:
        if f"{path}/" not in self._context.site.current.pages:
            raise HTTPException(404)
        to = quote(f"{self._context.prefix}{path}/")
        await _send(send, 308, [(b"location", to.encode()), (b"content-length", b"0")], b"")

    def _count(self, page: Page, method: str, headers: dict[bytes, bytes]) -> None:
        form = "pdf" if page.path.endswith(f"/{PDF}") else "web" if page.path[-1] == "/" else ""
        if page.number is None or not form or method != "GET":
            return
        if not is_robot(headers.get(b"user-agent", b"")) and b"range" not in headers:
            self._context.views.count(page.number, form, self._context.clock())


def _prepared(page: Page, *, takes_gzip: bool) -> _Answer:
    is_text = page.media_type.startswith(_TEXT)
    body = page.body if isinstance(page.body, bytes) else None
    is_zipped = takes_gzip and is_text and body is not None and len(body) >= _MIN_GZIP
    # Another encoding is another representation (RFC 9110 §8.8.3).
    etag = f'"{page.etag}-gz"' if is_zipped else f'"{page.etag}"'
    fields = [
        (b"content-type", page.media_type.encode()),
        (b"etag", etag.encode()),
        (b"cache-control", _PAGES if is_text else _FILES),
        # Pictures stand in mail, which is read on other sites.
        (b"cross-origin-resource-policy", b"same-origin" if is_text else b"cross-origin"),
    ]
    if page.style_hashes:
        policy = content_security_policy(page.style_hashes)
        fields.append((b"content-security-policy", policy.encode()))
    if page.last_modified is not None:
        fields.append((b"last-modified", format_datetime(page.last_modified, usegmt=True).encode()))
    if is_text:
        fields.append((b"vary", b"accept-encoding"))
    if is_zipped:
        assert body is not None
        body = gzip.compress(body, 9, mtime=0)
        fields.append((b"content-encoding", b"gzip"))
    return _Answer(page=page, etag=etag.encode(), fields=fields, body=body)


def _matches(wanted: bytes | None, etag: bytes) -> bool:
    """RFC 9110 §13.1.2, compared weakly."""
    if wanted is None:
        return False
    if wanted.strip() == b"*":
        return True
    return any(part.strip().removeprefix(b"W/") == etag for part in wanted.split(b","))


async def _send(
    send: Send, status: int, fields: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(fields)})
    await send({"type": "http.response.body", "body": body})
