"""Let scripts on pages of other sites call the API: those whose origins a key names.

Errors too are theirs to read: a form that cannot learn why it was refused can tell its
reader nothing. Answers of an origin that no key names stay closed (Fetch Standard, CORS).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from newsletter.audience.api_keys import list_keys
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from newsletter.web.context import Context

PATH = "/api/v1/subscriptions"
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}
_VARY = (b"vary", b"origin")
_EXPOSED = (b"access-control-expose-headers", b"retry-after")


def is_known(context: Context, origin: str) -> bool:
    """Whether a key that is in use names *origin*, as browsers write it.

    Raises:
        StorageError: the database refused.
    """
    with context.store.read() as conn:
        return any(key.revoked_at is None and origin in key.origins for key in list_keys(conn))


class CrossOrigin:
    """ASGI middleware: say which origin may read the answer, whatever the answer is."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        origin = dict(scope["headers"]).get(b"origin")
        fields = [_VARY]
        # Where the database is gone nobody is known; the answer will be an error, and unread.
        with suppress(NewsletterError):
            if origin is not None and await run_in_threadpool(
                is_known, self._context, origin.decode("latin-1")
            ):
                fields += [(b"access-control-allow-origin", origin), _EXPOSED]

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *fields]}
            await send(message)

        await self._app(scope, receive, send_with_fields)
