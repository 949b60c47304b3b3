"""HTTP/1.1 with bounds: how large the head of a request may be, and how long one may take.

uvicorn's protocol on httptools reads heads of any size and waits for slow clients for ever.
Ends such connections; leaves everything else to uvicorn.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 16 * 1024  # bytes: the request line and all header fields
PATIENCE = 15.0  # seconds for a whole request to come in

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 29\r\nconnection: close\r\n\r\n"
    b"the request head is too large"
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. At most `MAX_HEAD` bytes of head and `PATIENCE` seconds for each request."""

    _head = 0  # bytes of the head that is coming in
    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head += len(data)
            if self._deadline is None:
                self._wait()
        super().data_received(data)
        # Judged after parsing: what follows the head in the same piece is none of it.
        if self._is_in_head and self._head > MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._wait_no_more()
        self._is_in_head = True
        super().on_message_complete()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(PATIENCE, self._give_up)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
