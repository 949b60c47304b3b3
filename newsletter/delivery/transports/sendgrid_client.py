"""The SendGrid SDK, over connections that stay open, with the key out of its reach.

The SDK opens a connection for every request, waits for an answer for ever, and
writes the key to its debug log. Here it makes the request; this module puts it on
the wire, adds the key there, and tells apart what surely never left from what may
have arrived. Never sends a request twice.
"""

from __future__ import annotations

import http.client
import re
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from types import TracebackType
from typing import Any
from urllib.request import Request

import msgspec
import python_http_client
from sendgrid import SendGridAPIClient

from newsletter.config.secrets import Secret

_CONNECT = 10.0  # seconds; a thread that connects cannot be interrupted
_IDLE = 15.0  # seconds after which a connection is not trusted to be still open


class NotSent(Exception):  # noqa: N818 - what happened, not a fault of the program
    """Nothing of the request has left. The text says why."""


class Missed(Exception):  # noqa: N818 - as above
    """Something of the request has left, and no answer can be read. The text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """One member of an answer's `errors`. *field* is as in "personalizations.17.to"."""

    text: str
    field: str

    @property
    def position(self) -> int | None:
        """Of the personalization that it names."""
        found = re.match(r"personalizations[.\[](\d{1,4})\b", self.field)
        return int(found[1]) if found else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What SendGrid said. *wait* is in seconds, if it asked for a pause."""

    status: int
    message_id: str
    wait: float | None
    complaints: tuple[Complaint, ...]

    @property
    def text(self) -> str:
        """For people: the status and the first complaint."""
        said = next((complaint.text for complaint in self.complaints if complaint.text), "")
        return f"{self.status} {said}".strip()[:500]


class SendGridClient:
    """One process's way to SendGrid; `post` may be called by several threads at once.

    *region* is “global” or “eu”; *url* goes before it. *timeout* is in seconds. Leaving its
    context breaks off what is under way in other threads: that ends with NotSent or Missed.
    """

    def __init__(self, key: Secret, *, region: str, url: str | None, timeout: float) -> None:
        self._key = key
        self._wire = _Wire(key, timeout)
        sdk = SendGridAPIClient(api_key="added on the wire")
        sdk.set_sendgrid_data_residency(region)
        headers = dict(sdk.client.request_headers)
        del headers["Authorization"]
        # Any other type than plain application/json keeps the SDK from serialising once more.
        headers["Content-Type"] = "application/json; charset=utf-8"
        client = _Client(
            host=(url or sdk.host).rstrip("/"), version=3, request_headers=headers, timeout=timeout
        )
        client.wire = self._wire
        self.host: str = client.host
        self._send = client.mail.send

    def __enter__(self) -> SendGridClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._wire.close()

    def post(self, body: bytes) -> Answer:
        """Send a request to Mail Send and return the answer, whatever it is.

        Raises:
            NotSent, Missed: there is none.
        """
        response = self._send.post(request_body=_Body(body))
        headers: Message = response.headers
        return Answer(
            status=response.status_code,
            message_id=self._without_key(str(headers.get("X-Message-Id", ""))),
            wait=_wait(headers, time.time()),
            complaints=tuple(
                Complaint(text=self._without_key(error.message or ""), field=error.field or "")
                for error in _errors(bytes(response.body))
            ),
        )

    def _without_key(self, said: str) -> str:
        return said.replace(self._key.reveal(), "…")  # it is shown and kept, and may repeat it


class _Body(bytes):
    """JSON that the SDK leaves as it is and cannot write to a log: it holds addresses."""

    def encode(self, *_: object) -> _Body:
        return self

    def __repr__(self) -> str:
        return f"{len(self):,} bytes"

    __str__ = __repr__


class _Client(python_http_client.Client):  # type: ignore[misc]
    """The SDK's client, with `_Wire` in place of urllib."""

    wire: _Wire

    def _build_client(self, name: str | None = None) -> _Client:
        client = _Client(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )
        client.wire = self.wire
        return client

    def _make_request(self, opener: Any, request: Request, timeout: float | None = None) -> _Reply:
        return self.wire.exchange(request)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reply:
    """What the SDK expects of urllib; an answer of any status."""

    status: int
    headers: Message
    body: bytes

    def getcode(self) -> int:
        return self.status

    def read(self) -> _Body:
        return _Body(self.body)

    def info(self) -> Message:
        return self.headers


class _Wire:
    """HTTP/1.1 (RFC 9112) connections that stay open; a request has one to itself."""

    def __init__(self, key: Secret, timeout: float) -> None:
        self._key = key
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: list[tuple[HTTPConnection, float]] = []  # and since when
        self._busy: set[HTTPConnection] = set()
        self._closed = False

    def exchange(self, request: Request) -> _Reply:
        """Write *request* once and read its answer. Raises NotSent or Missed."""
        connection = self._take(request)
        reusable = False
        headers = dict(request.header_items())
        headers["Authorization"] = f"Bearer {self._key.reveal()}"
        try:
            try:
                connection.request("POST", request.selector, request.data, headers)
                whole = True
            except (BrokenPipeError, ConnectionResetError):
                whole = False  # it may have answered before it had read everything: 413
            with connection.getresponse() as response:
                if response.length is None and not response.chunked:
                    # Its end is the connection's end: it may be all or half of an answer.
                    raise http.client.IncompleteRead(b"")
                body = response.read()
            reusable = whole and not response.will_close
        except (OSError, http.client.HTTPException) as error:
            raise Missed(_reason(error)) from None
        finally:
            self._give_back(connection, reusable)
        return _Reply(status=response.status, headers=response.headers, body=body)

    def close(self) -> None:
        """Close what is idle and shut down what is busy, so that no thread waits on."""
        with self._lock:
            self._closed = True
            for connection, _ in self._idle:
                connection.close()
            self._idle.clear()
            for connection in self._busy:
                with suppress(OSError, TypeError):  # it may be closing by itself
                    # Not SSLSocket's: between its two steps a writer would write in the clear.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _take(self, request: Request) -> HTTPConnection:
        """A connection that is still open, or a new one. Raises NotSent."""
        while (connection := self._next_idle()) is not None:
            if not _has_news(connection.sock):
                return connection
            self._give_back(connection, reusable=False)
        kind = http.client.HTTPSConnection if request.type == "https" else HTTPConnection
        connection = kind(request.host, timeout=min(self._timeout, _CONNECT))
        connection.set_debuglevel(0)  # it would print the key
        connection.auto_open = 0  # no second connection behind our back
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotSent(_reason(error)) from None
        connection.sock.settimeout(self._timeout)
        with self._lock:
            if self._closed:
                connection.close()
                raise NotSent("stopped")
            self._busy.add(connection)
        return connection

    def _next_idle(self) -> HTTPConnection | None:
        with self._lock:
            while self._idle:
                connection, since = self._idle.pop()
                if time.monotonic() - since < _IDLE:
                    self._busy.add(connection)
                    return connection
                connection.close()
        return None

    def _give_back(self, connection: HTTPConnection, reusable: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            if reusable and not self._closed:
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()


def _has_news(sock: socket.socket) -> bool:
    """Whether there is anything to read between two requests: the end, as a rule."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _reason(error: Exception) -> str:
    """In words of our own: what the other side wrote may hold anything."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "the connection broke"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, http.client.HTTPException):
        return "the answer is not HTTP"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


class _Error(msgspec.Struct):
    message: str | None = None
    field: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


def _errors(body: bytes) -> list[_Error]:
    try:
        return msgspec.json.decode(body, type=_Errors).errors if body else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _wait(headers: Message, now: float) -> float | None:
    """Seconds of Retry-After (RFC 9110 §10.2.3), else until X-RateLimit-Reset if none remain."""
    after = str(headers.get("Retry-After", "")).strip()
    if after.isdecimal() and len(after) < 10:
        return float(after)
    if after:
        with suppress(ValueError):
            return max(0.0, parsedate_to_datetime(after).timestamp() - now)
    reset = str(headers.get("X-RateLimit-Reset", "")).strip()
    if headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal() and len(reset) < 12:
        return max(0.0, int(reset) - now)  # a Unix time
    return None
