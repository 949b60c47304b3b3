"""Live below a path: https://example.org/digest/, behind a proxy that strips "/digest" or not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


def prefix_of(site_url: str) -> str:
    """ "/digest" of "https://example.org/digest"; "" where the site has the whole host."""
    return urlsplit(site_url).path.rstrip("/")


class PathPrefix:
    """ASGI middleware: take *prefix* off the path where it is; what has none is taken as it is."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        if self._prefix and path.startswith(self._prefix):
            rest = path[len(self._prefix) :]
            if not rest or rest.startswith("/"):
                scope = {**scope, "path": rest or "/"}
        await self._app(scope, receive, send)
