"""HTTP/1.1 with bounds: how large a request's head may be, and how long either side may take.

uvicorn's protocol on httptools reads heads of any size, and waits for ever for clients that
send slowly or do not read what they asked for. Ends such connections; leaves everything
else to uvicorn.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = 16 * 1024  # bytes: the request line and all header fields
PATIENCE = 15.0  # seconds for a whole request to come in
MIN_READ = 1024  # bytes a second: who reads an answer slower is not waited for
MAX_WAITING = 16  # requests of one connection that are not answered yet

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 29\r\nconnection: close\r\n\r\n"
    b"the request head is too large"
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. At most `MAX_HEAD` bytes of head and `PATIENCE` seconds for each request."""

    _head = 0  # bytes that came in for this request and are not of its body
    _body = 0
    _unread = 0  # bytes of answers that waited at the last look
    _deadline: asyncio.TimerHandle | None = None
    _look: asyncio.TimerHandle | None = None
    _is_in_head = True
    _cycles: tuple[RequestResponseCycle, ...] = ()  # that are not answered yet

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        self._look = self.loop.call_later(PATIENCE, self._look_after_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        if self._look is not None:
            self._look.cancel()
        self._nobody_hears()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        if self._is_in_head and self._deadline is None:
            self._wait()
        super().data_received(data)
        # Judged after parsing: what follows the head in the same piece is none of it.
        if self.transport.is_closing():
            return
        if self._is_in_head and self._head > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        elif self._head > MAX_HEAD + self._body // 4:  # sizes of chunks, trailers without end
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._unread = 0  # another answer begins: more may wait then, though it is read

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # trailers are for nobody here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head = self._body = 0
        super().on_headers_complete()
        waiting = [cycle for cycle in self._cycles if not cycle.response_complete]
        self._cycles = (*waiting, self.cycle)
        if len(self._cycles) > MAX_WAITING:
            self._abort()

    def on_body(self, body: bytes) -> None:
        self._head -= len(body)
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._wait_no_more()
        self._is_in_head = True
        self._head = self._body = 0
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

    def _look_after_reading(self) -> None:
        """End the connection of a client that does not read; closing would wait for it, too."""
        unread = self.transport.get_write_buffer_size()
        if unread and self._unread and unread > self._unread - MIN_READ * PATIENCE:
            self._abort()
            return
        self._unread = unread
        self._look = self.loop.call_later(PATIENCE, self._look_after_reading)

    def _abort(self) -> None:
        self._nobody_hears()
        self.transport.abort()

    def _nobody_hears(self) -> None:
        """uvicorn tells only the newest of several requests that the connection is gone."""
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()
