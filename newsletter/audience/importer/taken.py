"""Which files were imported, by content: the same bytes under another name are the same file."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from newsletter.errors import StorageError
from newsletter.issue.folder import shown
from newsletter.store.insert import add_new
from newsletter.store.tables import import_file


def fingerprint(path: Path) -> bytes:
    """SHA-256 of the file's bytes. Raises StorageError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror}") from error


def is_taken(conn: sa.Connection, sha256: bytes) -> bool:
    """Whether a file of this content was imported to its end."""
    found = sa.select(import_file.c.name).where(import_file.c.sha256 == sha256)
    return conn.scalars(found).first() is not None


def note_taken(conn: sa.Connection, name: str, sha256: bytes, rows: int, now: datetime) -> None:
    """Remember a file that was imported to its end; again changes nothing."""
    add_new(conn, import_file, {"sha256": sha256, "name": name, "at": now, "rows": rows})
