"""Run the server: listen, answer, end in order. uvicorn speaks HTTP; this sets its bounds."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from newsletter.errors import UsageError
from newsletter.web.app import make_app
from newsletter.web.chores import Chores
from newsletter.web.context import Context, context_of
from newsletter.web.logs import configure, log
from newsletter.web.protocol import BoundedProtocol

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.store.engine import Store

_MAX_CONNECTIONS = 1_000
_KEEP_ALIVE = 10  # seconds
_PATIENCE = 10  # seconds that requests under way have at the end


def serve(
    workspace: Workspace,
    store: Store,
    *,
    port: int | None = None,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Serve the public pages until SIGTERM or Ctrl-C. *on_ready* gets the address.

    *port* goes before [web].port; 0 takes any that is free.

    Raises:
        UsageError: the port is taken.
        ConfigError, StorageError, TemplateError: as for `context_of` and the first pages.
    """
    configure()
    context = context_of(workspace, store)
    context.site.refresh()
    config = workspace.config.web
    listener = _listen(config.host, config.port if port is None else port)
    server = _Server(
        uvicorn_config(context),
        lambda: _say_ready(address, on_ready),
    )
    host, bound = listener.getsockname()[:2]
    address = (f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}") + (
        f"{context.prefix}/"
    )
    chores = Chores(context)
    chores.start()
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
        chores.stop()
        log().info("stopped")


def uvicorn_config(context: Context) -> uvicorn.Config:
    """How uvicorn runs the application of *context*: the bounds of connections and of trust."""
    proxies = context.config.web.trusted_proxies
    # As a socket for both families shows an IPv4 proxy (RFC 4291 §2.5.5.2).
    mapped = [f"::ffff:{proxy}" for proxy in proxies if ":" not in proxy and "/" not in proxy]
    return uvicorn.Config(
        make_app(context),
        http=BoundedProtocol,
        ws="none",
        loop="uvloop",
        lifespan="off",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[*proxies, *mapped],
        server_header=False,
        access_log=False,
        log_config=None,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_PATIENCE,
    )


def _say_ready(address: str, on_ready: Callable[[str], object] | None) -> None:
    log().info("serving", at=address)
    if on_ready is not None:
        on_ready(address)


class _Server(uvicorn.Server):
    """Ends at a signal without raising it again afterwards: there is more to put in order.

    Calls *on_started* once it listens and a signal would end it so.
    """

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(where)
            listener.listen(1024)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"{host} port {port} cannot be listened on: {error.strerror or error}",
            hint="another server may be running; choose another port: web.port in newsletter.toml",
        ) from error
    return listener
