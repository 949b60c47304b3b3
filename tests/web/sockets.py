"""A world's application behind the real server, in a thread; and bytes as no client sends them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from newsletter.web.server import uvicorn_config
from tests.web.worlds import World

PATIENCE = 30.0  # seconds for anything to happen


@contextmanager
def listening(world: World, **settings: Any) -> Iterator[int]:
    """Serve *world* as `newsletter serve` does; the port. *settings* replace uvicorn's."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn_config(world.context)
    for name, value in settings.items():
        setattr(config, name, value)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


@contextmanager
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        yield client


def everything(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
    except ConnectionResetError:
        pass  # it would not hear the rest
    return found


def tell(port: int, data: bytes) -> bytes:
    """Send *data* on a connection of its own; all that is answered."""
    with connection(port) as client:
        client.sendall(data)
        return everything(client)


def ask(
    port: int, target: str = "/healthz", *fields: str, method: str = "GET", body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """One request as it should be; status, header fields in lower case, and body."""
    lines = [f"{method} {target} HTTP/1.1", "connection: close", *fields]
    if not any(field.lower().startswith("host:") for field in fields):
        lines.append("host: digest.example.org")
    if body:
        lines.append(f"content-length: {len(body)}")
    answer = tell(port, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *found = head.decode("latin-1").split("\r\n")
    named = {name.lower(): value.strip() for name, _, value in (f.partition(":") for f in found)}
    return int(status.split()[1]), named, rest


def statuses(answer: bytes) -> list[int]:
    """The status of each answer of a connection."""
    parts = answer.split(b"HTTP/1.1 ")[1:]
    return [int(part[:3]) for part in parts]
