"""SQLite: make the file for its owner alone, look into it before touching it, back it up.

WAL, so that readers and one writer do not wait for each other; synchronous=FULL,
so that what was committed survives a power cut; secure_delete, so that what was
deleted is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

WAIT = 10.0  # seconds for another process's lock
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA recursive_triggers = ON",  # else INSERT OR REPLACE passes by the delete triggers
    "PRAGMA temp_store = MEMORY",  # addresses of an import leave no temporary file
)
CACHE = 65_536  # KiB of pages that a connection keeps: an import looks everywhere


def create_engine(path: Path, wait: float, *, cache: int = CACHE) -> sa.Engine:
    """An engine whose transactions are ours: see `Store.begin` and `Store.read`."""
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": wait})

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in (*_PRAGMAS, f"PRAGMA cache_size = -{cache}"):
            connection.execute(pragma)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer asks for the lock at once: a read that turns into a write cannot wait.
        reads = connection.get_execution_options().get("newsletter_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def prepare(path: Path, wait: float) -> None:
    """Make the file, for its owner alone, and put it into WAL mode.

    Raises OSError or sqlite3.Error.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    try:
        _use_wal(connection, wait)
    finally:
        connection.close()


def _use_wal(connection: sqlite3.Connection, wait: float) -> None:
    """Changing the mode does not wait for a lock as other statements do: try for a while."""
    deadline = time.monotonic() + wait
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            if mode == "wal":
                return
            if time.monotonic() > deadline:
                raise sqlite3.OperationalError(f"the journal stays in mode {mode}")
        time.sleep(0.02)


def revision(path: Path, wait: float) -> str | None:
    """Read which revision the file holds, changing nothing; None for a new or missing file.

    Raises sqlite3.Error: it is not a database, or is damaged.
    """
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=wait)
    try:
        named = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(named).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    finally:
        connection.close()


def back_up(path: Path, target: Path) -> None:
    """Copy the committed database to *target*, whole or not at all, for its owner alone.

    May be called while our own transaction holds the write lock and has written nothing.
    """
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    os.close(os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        source, copy = sqlite3.connect(path), sqlite3.connect(scratch)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()
        _sync(scratch)
        scratch.replace(target)
        _sync(target.parent)
    finally:
        scratch.unlink(missing_ok=True)


def backups(path: Path) -> list[Path]:
    """The copies that were made before migrations, and what a killed one left."""
    return sorted(path.parent.glob(f"{path.name}.before-*"))


def compact(engine: sa.Engine) -> None:
    """Rewrite the file without what was deleted, and empty the WAL. Raises sqlite3.Error."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        result = cursor.fetchone()  # busy, frames in the WAL, frames written
        if result is None or result[0]:
            raise sqlite3.OperationalError("a reader holds the WAL")
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
