"""Logs of the server: one JSON object a line on stderr, or lines for people at a terminal.

Never holds an address, of mail or of the network, nor a token: requests are named by
their route. What is not ours (uvicorn) comes out only where something is wrong, and
without details of the request.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_OTHERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio", "fastapi")


def configure() -> None:
    """Send our logs to stderr; quieten those that may hold addresses."""
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _type_only,
    ]
    is_terminal = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=True, pad_event_to=10)
        if is_terminal
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
    for name in _OTHERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.addHandler(_ToStructlog())
        logger.setLevel(logging.ERROR)


def log() -> Any:
    """The logger of the server."""
    return structlog.get_logger("newsletter.web")


def _type_only(
    _logger: Any, _name: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Of an exception its type and where it was raised: messages may quote what a reader sent."""
    error = entry.pop("error", None)
    if isinstance(error, BaseException):
        entry["error"] = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            entry["at"] = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
    return entry


class _Stderr:
    """stderr as it is now. Who read it may be gone: no request fails for want of a log."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


class _ToStructlog(logging.Handler):
    """What other packages log as an error: which package, and the type of the exception."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log().error("library", logger=record.name, error=error or "no exception")
