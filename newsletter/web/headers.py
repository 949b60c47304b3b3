"""Response headers that keep a page to itself: nothing from anywhere else, in nobody's frame.

Every response gets them, errors too. OWASP ASVS 5.0, V3; CSP Level 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # addresses of pages hold readers' tokens
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
    "x-frame-options": "DENY",
}
_YEAR = 31_536_000  # seconds


def content_security_policy(style_hashes: Iterable[str] = (), *, scripts: bool = False) -> str:
    """Allow pictures and forms of this site, the <style> elements with these hashes, no more.

    The hashes are as `newsletter.site.pages.style_hashes` gives them. *scripts*: files of this
    site too; inline scripts never.
    """
    styles = " ".join(style_hashes) or "'none'"
    parts = [
        "default-src 'none'",
        f"style-src {styles}",
        "img-src 'self'",
        *(["script-src 'self'"] if scripts else []),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    return "; ".join(parts)


NOTHING = content_security_policy()


class SecurityHeaders:
    """ASGI middleware: add what a response does not set itself."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        fields = {**_COMMON, "content-security-policy": NOTHING}
        if https:
            fields["strict-transport-security"] = f"max-age={_YEAR}"
        self._app = app
        self._fields = [(name.encode(), value.encode()) for name, value in fields.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                given += [field for field in self._fields if field[0] not in names]
                message = {**message, "headers": given}
            await send(message)

        await self._app(scope, receive, send_with_headers)
