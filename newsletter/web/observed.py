"""Log and count every request by its route, never by its path: paths hold readers' tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from newsletter.web.logs import log

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from newsletter.web.metrics import Metrics

ROUTE = "newsletter.route"  # key in the scope: set by whoever answers outside of FastAPI's routes
UNKNOWN = "unknown"
_QUIET = frozenset(("archive", "/healthz", "/readyz", "/metrics"))  # not logged where all is well
_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS"))  # others are one word: labels are few


class Observed:
    """ASGI middleware, outside of everything that can fail."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        started, status = time.perf_counter(), 500

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        found = scope["state"].get(ROUTE)
        route = scope.get("route")
        name = found or (getattr(route, "path", None) if route is not None else None) or UNKNOWN
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(name, method, str(status)).inc()
        self._metrics.seconds.labels(name).observe(seconds)
        if status >= 500 or name not in _QUIET:
            log().info(
                "request",
                route=name,
                method=method,
                status=status,
                ms=round(seconds * 1000, 1),
            )
