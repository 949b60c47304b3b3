"""A fake of SendGrid's v3 Mail Send: real HTTP on 127.0.0.1, the documented limits, misbehaviour.

In tests it runs in a thread and keeps what it accepted. As a program it only counts,
fast enough to measure against: python tests/delivery/sendgrid_fake.py PORT [DELAY],
then GET /stats.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

KEY = "SG.test-key-0123456789"
RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type"),
    *("content-transfer-encoding", "to", "from", "subject", "reply-to", "cc", "bcc"),
}


@dataclass(frozen=True, kw_only=True)
class Act:
    """What to do with one request. *status* 202 accepts, if the request keeps the limits."""

    status: int = 202
    errors: tuple[tuple[str, str | None], ...] = ()  # message, field
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None  # written instead of an answer; *accepts* says what it means
    accepts: bool = False  # with *raw*
    hang: bool = False  # no answer, the connection stays
    close: bool = False  # close afterwards without having said so
    early: bool = False  # answer and close before the body is read
    delay: float = 0


ACCEPT = Act()
HANG = Act(hang=True, accepts=True)
DROP_AFTER_ACCEPT = Act(raw=b"", accepts=True, close=True)
DROP_BEFORE_ACCEPT = Act(raw=b"", close=True)
TRUNCATE = Act(raw=b"HTTP/1.1 202 Accepted\r\nX-Message", accepts=True, close=True)
TRUNCATE_BODY = Act(raw=b"HTTP/1.1 202 OK\r\nContent-Length: 9\r\n\r\nab", accepts=True, close=True)
GARBAGE = Act(raw=b"\x16\x03\x01 hello\r\n\r\n", accepts=True, close=True)
CLOSE_KEPT_ALIVE = Act(close=True)


def refuse(status: int, *errors: tuple[str, str | None], **headers: str) -> Act:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Act(status=status, errors=errors, headers=named)


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request, whatever became of it."""

    connection: int
    headers: dict[str, str]
    body: dict[str, Any]
    size: int


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One message that a mailbox would have got."""

    message_id: str
    request: dict[str, Any]
    personalization: dict[str, Any]

    @property
    def token(self) -> str:
        return self.personalization["custom_args"]["delivery"]

    @property
    def email(self) -> str:
        return self.personalization["to"][0]["email"]

    @property
    def headers(self) -> dict[str, str]:
        return {**self.request.get("headers", {}), **self.personalization.get("headers", {})}

    def rendered(self, kind: str) -> str:
        """A body with the substitutions made, four times over (they nest, SendGrid says)."""
        values = self.personalization.get("substitutions", {})
        text = next(c["value"] for c in self.request["content"] if c["type"] == kind)
        for _ in range(4):
            for tag, value in values.items():
                text = text.replace(tag, value)
        return text


@dataclass
class SendGridFake:
    """`with SendGridFake() as fake:` serves at `fake.url`. *script* is used up, then ACCEPT."""

    script: deque[Act] = field(default_factory=deque)
    refused: dict[str, str | None] = field(default_factory=dict)  # address → field to name, if any
    delay: float = 0  # seconds before each answer
    tls: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    connections: int = 0
    under_way: int = 0
    most_under_way: int = 0
    url: str = ""

    def __enter__(self) -> SendGridFake:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)))
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def is_quiet(self) -> bool:
        """Whether nobody is connected: all that was on its way has been read."""
        return not self._open

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._open: set[asyncio.BaseTransport] = set()
        server = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, ssl=self.tls
        )
        scheme = "https" if self.tls else "http"
        self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await self._stop.wait()
        server.close()
        for transport in list(self._open):
            transport.abort()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    def answer(self, request: Received) -> tuple[Act, bytes]:
        """Decide and remember; returns what to write."""
        self.received.append(request)
        act = self.script.popleft() if self.script else ACCEPT
        sandbox = request.body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable")
        status, errors = act.status, list(act.errors)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            status, errors = 401, [("The provided authorization grant is invalid", None)]
        elif act.raw is None and act.status == 202:
            errors = [*problems(request), *self._refusals(request.body)]
            status = (413 if request.size >= 30_000_000 else 400) if errors else 202
        if sandbox and status == 202:
            status = 200
        if status == 202 and (act.raw is None or act.accepts) and (not act.hang or act.accepts):
            self._accept(request.body)
        if act.raw is not None:
            return act, act.raw
        return act, _response(status, errors, act.headers, f"id{len(self.received)}")

    def _refusals(self, body: dict[str, Any]) -> list[tuple[str, str | None]]:
        found: list[tuple[str, str | None]] = []
        for position, personalization in enumerate(body["personalizations"]):
            email = personalization["to"][0]["email"]
            if email in self.refused:
                name = self.refused[email]
                place = None if name is None else f"personalizations.{position}.{name}"
                found.append(("Does not contain a valid address.", place))
        return found if all(place for _, place in found) else [("Bad Request", None)]

    def _accept(self, body: dict[str, Any]) -> None:
        message_id = f"id{len(self.received)}"
        self.accepted += [
            Accepted(message_id=message_id, request=body, personalization=personalization)
            for personalization in body["personalizations"]
        ]


class _Connection(asyncio.Protocol):
    """HTTP/1.1, as much as a client that sends Content-Length needs."""

    def __init__(self, fake: SendGridFake) -> None:
        self.fake = fake
        self.buffer = bytearray()
        self.head: dict[str, str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.fake.connections += 1
        self.number = self.fake.connections
        self.transport: Any = transport
        self.fake._open.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.fake._open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            lines = self.buffer[:end].decode("latin-1").split("\r\n")
            assert lines[0] == "POST /v3/mail/send HTTP/1.1", lines[0]
            pairs = (line.partition(":") for line in lines[1:])
            self.head = {name.lower(): value.strip() for name, _, value in pairs}
            del self.buffer[: end + 4]
            script = self.fake.script
            if script and script[0].early:
                act = script.popleft()
                self.transport.write(_response(act.status, list(act.errors), act.headers, ""))
                self.transport.close()
                return
        length = int(self.head["content-length"])
        if len(self.buffer) < length:
            return
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        head, self.head = self.head, None
        self.fake.under_way += 1
        self.fake.most_under_way = max(self.fake.most_under_way, self.fake.under_way)
        request = Received(connection=self.number, headers=head, body=json.loads(body), size=length)
        act, response = self.fake.answer(request)
        if act.hang:
            return
        asyncio.get_running_loop().call_later(
            act.delay or self.fake.delay, self.respond, act, response
        )

    def respond(self, act: Act, response: bytes) -> None:
        self.fake.under_way -= 1
        self.transport.write(response)
        if act.close:
            self.transport.close()


def _response(
    status: int,
    errors: list[tuple[str, str | None]],
    headers: tuple[tuple[str, str], ...],
    message_id: str,
) -> bytes:
    body = b""
    if errors:
        members = [{"message": text, "field": place, "help": None} for text, place in errors]
        body = json.dumps({"errors": members}).encode()
    lines = [
        f"HTTP/1.1 {status} Whatever",
        f"Content-Length: {len(body)}",
        *([f"X-Message-Id: {message_id}"] if status == 202 else []),
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


# ── the documented limits ───────────────────────────────────────────────────


def problems(request: Received) -> list[tuple[str, str | None]]:
    """Every breach of the documentation: message, and the field it is about."""
    body = request.body
    found: list[tuple[str, str | None]] = []
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        found.append(("not JSON", None))
    if request.size >= 30_000_000:
        found.append(("request too large", None))
    people = body.get("personalizations", [])
    if not 1 <= len(people) <= 1_000:
        found.append((f"there are {len(people)} personalizations", "personalizations"))
    addresses = [to["email"].lower() for person in people for to in person["to"]]
    if len(addresses) > 1_000 or len(set(addresses)) != len(addresses):
        found.append(("each unique email address should only be included once", "personalizations"))
    if sum(len(person.get("substitutions", {})) for person in people) > 10_000:
        found.append(("more than 10,000 substitutions", "personalizations"))
    for position, person in enumerate(people):
        found += [
            (text, f"personalizations.{position}.{place}")
            for text, place in _problems_of_one(person, body.get("custom_args", {}))
        ]
    return found + _problems_of_message(body)


def _problems_of_one(person: dict[str, Any], common: dict[str, str]) -> list[tuple[str, str]]:
    found = []
    unknown = set(person) - {"to", "headers", "substitutions", "custom_args", "subject"}
    if unknown:
        found.append((f"unknown {unknown}", ""))
    for place, to in enumerate(person["to"]):
        if not to["email"].isascii() or to["email"].count("@") != 1:
            found.append(("Does not contain a valid address.", f"to.{place}.email"))
        if any(char in to.get("name", "") for char in ";,\r\n"):
            found.append(("a name with a delimiter", f"to.{place}.name"))
    values = person.get("substitutions", {})
    if len(values) > 150 or _size(values) > 10_000:
        found.append(("substitutions are limited to 10,000 bytes", "substitutions"))
    if "substitutions" in person and not values:
        found.append(("substitutions are empty", "substitutions"))
    arguments = person.get("custom_args", {})
    if _size({**common, **arguments}) > 10_000 or _not_texts(arguments):
        found.append(("custom_args are limited to 10,000 bytes of text", "custom_args"))
    return found + [(text, "headers") for text in _header_problems(person.get("headers", {}))]


def _problems_of_message(body: dict[str, Any]) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    if not body.get("from", {}).get("email", "").isascii():
        found.append(("from is required", "from.email"))
    if not body.get("subject"):
        found.append(("subject is required", "subject"))
    kinds = [content["type"] for content in body.get("content", [])]
    if kinds not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
        found.append(("content is out of order", "content"))
    if any(not content["value"] for content in body.get("content", [])):
        found.append(("content is empty", "content"))
    return found + [(text, "headers") for text in _header_problems(body.get("headers", {}))]


def _header_problems(headers: dict[str, str]) -> list[str]:
    found = [f"{name} is reserved" for name in headers if name.lower() in RESERVED]
    for name, value in headers.items():
        if not name.isascii() or " " in name or not str(value).isascii() or "\n" in str(value):
            found.append(f"{name} is not properly encoded")
    return found + (["a header is no text"] if _not_texts(headers) else [])


def _not_texts(values: dict[str, Any]) -> bool:
    return not all(isinstance(value, str) for value in values.values())


def _size(values: dict[str, Any]) -> int:
    return len(json.dumps(values, ensure_ascii=False).encode())


# ── as a program: count, and be fast ────────────────────────────────────────


class _Person(msgspec.Struct):
    custom_args: dict[str, str]


class _Request(msgspec.Struct):
    personalizations: list[_Person]


class _Counter(asyncio.Protocol):
    """Reads the JSON, counts the personalizations, answers."""

    counts = {"requests": 0, "recipients": 0, "connections": 0}  # noqa: RUF012
    decode: Callable[[bytes], _Request] = staticmethod(msgspec.json.Decoder(_Request).decode)

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.buffer = bytearray()
        self.need = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.counts["connections"] += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.need:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            if head.startswith(b"get /stats"):
                self.buffer.clear()
                body = json.dumps(self.counts).encode()
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
                self.transport.write(body)
                return
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.start = end + 4
            self.need = self.start + int(length)
        if len(self.buffer) < self.need:
            return
        with memoryview(self.buffer) as view, view[self.start : self.need] as body_view:
            people = self.decode(body_view).personalizations
        assert len(people) <= 1_000
        del self.buffer[: self.need]
        self.need = 0
        self.counts["requests"] += 1
        self.counts["recipients"] += len(people)
        asyncio.get_running_loop().call_later(self.delay, self.respond)

    def respond(self) -> None:
        number = self.counts["requests"]
        self.transport.write(
            b"HTTP/1.1 202 Accepted\r\nX-Message-Id: id%d\r\nContent-Length: 0\r\n\r\n" % number
        )


async def _count(port: int, delay: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Counter(delay), "127.0.0.1", port
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_count(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
