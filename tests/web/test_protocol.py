"""Connections have bounds: large heads and slow clients are cut off, the others served."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from newsletter.web import protocol
from newsletter.web.protocol import MAX_HEAD, MAX_WAITING, BoundedProtocol

PATIENCE = 0.6


LARGE = 30_000_000  # bytes: more than the buffers between two sockets hold


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body, more = b"took " if scope["path"] == "/" else b"x" * LARGE, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    fields = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "PATIENCE", PATIENCE)
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            echo, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        yield client


def everything(client: socket.socket) -> bytes:
    found = b""
    while piece := client.recv(65536):
        found += piece
    return found


def test_a_usual_request_is_answered(port: int):
    with connection(port) as client:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
        client.sendall(head + b"hi")
        assert everything(client).endswith(b"took hi")


def test_a_head_that_is_too_large_is_refused(port: int):
    with connection(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * (MAX_HEAD + 1000))
        assert everything(client).startswith(b"HTTP/1.1 431")


def test_many_small_fields_are_refused_too(port: int):
    with connection(port) as client:
        fields = b"".join(b"x-%d: y\r\n" % number for number in range(3000))
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n" + fields)
        assert everything(client).startswith(b"HTTP/1.1 431")


def test_requests_on_one_connection_are_counted_apart(port: int):
    head = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * (MAX_HEAD // 2) + b"\r\n\r\n"
    with connection(port) as client:
        for _ in range(5):
            client.sendall(head)
            assert b"200 OK" in client.recv(65536)


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\r\n"])
def test_a_head_that_does_not_come_in_time_ends_the_connection(port: int, start: bytes):
    with connection(port) as client:
        client.sendall(start)
        assert everything(client) == b""


def test_a_body_that_does_not_come_in_time_ends_the_connection(port: int):
    with connection(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nonly this")
        assert everything(client) == b""


def test_a_body_in_pieces_that_comes_in_time_is_taken(port: int):
    with connection(port) as client:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\nconnection: close\r\n\r\n"
        for piece in (head[:20], head[20:], b"abc", b"def"):
            client.sendall(piece)
        assert everything(client).endswith(b"took abcdef")


LARGE_ONE = b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def test_who_does_not_read_what_was_asked_for_is_cut_off(port: int):
    with connection(port) as client:
        client.sendall(LARGE_ONE)
        found = b""
        while len(found) < 1000:
            found += client.recv(100)
        assert is_closed_within(10, client)


def is_closed_within(seconds: float, client: socket.socket) -> bool:
    deadline = time.monotonic() + seconds
    with suppress(OSError):
        while time.monotonic() < deadline:  # a closed connection answers what is sent to it
            client.sendall(b" ")
            time.sleep(0.05)
        return False
    return True


def test_who_reads_slowly_but_steadily_gets_everything(port: int):
    with connection(port) as client:
        client.sendall(LARGE_ONE)
        read = 0
        while piece := client.recv(1_000_000):
            read += len(piece)
            time.sleep(0.02)
    assert read > LARGE


def test_who_sends_many_requests_without_waiting_is_cut_off(port: int):
    with connection(port) as client:
        head = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n"
        client.sendall(head * (MAX_WAITING + 2))
        with suppress(ConnectionResetError):
            assert len(everything(client)) < LARGE * MAX_WAITING
    with connection(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * (MAX_WAITING - 1) + LARGE_ONE)
        assert everything(client).count(b"200 OK") == MAX_WAITING


@pytest.mark.parametrize(
    "piece", [b"1;" + b"x" * 4_000 + b"\r\na\r\n", b"0\r\nx-a: " + b"b" * 9_000]
)
def test_trailers_and_sizes_of_chunks_without_end_are_cut_off(port: int, piece: bytes):
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with connection(port) as client:
        client.sendall(head)
        sent = 0
        with suppress(OSError):
            while sent < 50_000_000:
                client.sendall(piece)
                sent += len(piece)
    assert sent < 20_000_000


def test_small_chunks_that_end_are_taken(port: int):
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    with connection(port) as client:
        chunk = b"400\r\n" + b"a" * 1024 + b"\r\n"
        client.sendall(head + chunk * 1000 + b"0\r\nx-trailer: y\r\n\r\n")
        assert everything(client).count(b"a") >= 1024 * 1000
