"""Say what a database error means and what to do. Never repeats values, addresses or secrets."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa

from newsletter.errors import StorageError

# SQLite's result code (the first two words of it) → what it means, what to do.
_SQLITE = {
    "SQLITE_BUSY": (
        "is locked by another process",
        "wait until it has finished, then run the command again; what was committed is kept",
    ),
    "SQLITE_READONLY": ("is read-only", "make the file and its folder writable for you"),
    "SQLITE_PERM": ("may not be written", "make the file and its folder writable for you"),
    "SQLITE_CANTOPEN": (
        "cannot be opened",
        "is its folder there, and is it yours to read and write?",
    ),
    "SQLITE_FULL": ("cannot grow: the disk is full", "make room, then run the command again"),
    "SQLITE_IOERR": (
        "cannot be read or written",
        "is the disk full or failing? make room, then run the command again",
    ),
    "SQLITE_NOTADB": ("is not a database", "move the file away, or restore it from a backup"),
    "SQLITE_CORRUPT": ("is damaged", "restore it from a backup; sqlite3 FILE .recover may help"),
}
_SQLITE["SQLITE_LOCKED"] = _SQLITE["SQLITE_BUSY"]

# SQLSTATE, whole or its class (PostgreSQL, appendix A).
_POSTGRESQL = {
    "25006": ("is read-only", "is it a standby? write to the primary server"),
    "28": ("refused user or password", "check the URL, and pg_hba.conf on the server"),
    "3D": ("does not exist on the server", "make it with: createdb"),
    "40": ("had two writers in each other's way", "run the command again"),
    "42501": ("forbids this to the user", "grant the user all rights on the database"),
    "53100": ("cannot grow: the server's disk is full", "make room on the server"),
    "53": ("has no resources left", "wait, or raise the server's limits"),
    "55P03": (
        "is locked by another process",
        "wait until it has finished, then run the command again",
    ),
    "57": ("is not available now", "wait until the server is up, then run the command again"),
    "08": ("lost the connection", "is the server up? then run the command again"),
}
# libpq says it in words where the connection was never made.
_CONNECTING = {
    "password authentication failed": _POSTGRESQL["28"],
    "no password supplied": _POSTGRESQL["28"],
    "no pg_hba.conf entry": _POSTGRESQL["28"],
    'role "': _POSTGRESQL["28"],
    "does not exist": _POSTGRESQL["3D"],
    "starting up": _POSTGRESQL["57"],
    "too many clients": _POSTGRESQL["53"],
}
_NO_CONNECTION = ("OperationalError", "ConnectionTimeout")  # of psycopg, which may be missing
_UNREACHABLE = ("cannot be reached", "is the server up, and are host and port of the URL right?")


def explained(error: BaseException, name: str) -> StorageError:
    """Return the StorageError for a database exception; *name* is how people call the database."""
    what, hint = _meaning(_cause(error))
    return StorageError(f"the database {name} {what}", hint=hint)


def _cause(error: BaseException) -> BaseException:
    original = getattr(error, "orig", None) if isinstance(error, sa.exc.StatementError) else None
    return original if isinstance(original, BaseException) else error


def _meaning(error: BaseException) -> tuple[str, str | None]:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorname", None) or ""
        general = "_".join(code.split("_")[:2])
        return _SQLITE.get(general) or (f"refused: {_first_line(str(error))}", None)
    if isinstance(error, OSError):
        return f"cannot be used: {error.strerror}", "is its folder there, and is it yours to write?"
    state = getattr(error, "sqlstate", None)
    if state:
        known = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
        # Only the primary message: the detail line repeats values of the row.
        diagnosis: Any = getattr(error, "diag", None)
        primary = getattr(diagnosis, "message_primary", None) or state
        return known or (f"refused: {_first_line(primary)}", None)
    text = str(error)
    if type(error).__name__ not in _NO_CONNECTION:
        return f"refused: {_first_line(text)}", None
    for words, meaning in _CONNECTING.items():
        if words in text:
            return meaning
    return _UNREACHABLE


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0][:200]
