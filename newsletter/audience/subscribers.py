"""Read subscribers from the CSV files of a workspace: columns `email` and `name`.

A bad row is reported with its place and passed over; it never stops the file.
An address counts once, whatever the letter case of its domain.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.email_address import normalized
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown

MAX_FIELD = 1_000  # characters; longer is not a name


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """*name* may be empty; *email* is valid and normalised."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """A row that was passed over, and why; *line* counts from 1."""

    path: Path
    line: int
    reason: str


def read_folder(folder: Path) -> Iterator[Subscriber | Reject]:
    """Read every `*.csv` of *folder*, in order of name; an address is yielded once.

    Raises:
        UsageError: there is no CSV file.
        StorageError: a file cannot be read, is not UTF-8 or has no email column.
    """
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    if not files:
        raise UsageError(
            f"{shown(folder)} holds no subscribers", hint="put a CSV file there: email,name"
        )
    seen: set[str] = set()
    for file in files:
        for row in read_file(file):
            if isinstance(row, Reject):
                yield row
            elif row.email not in seen:
                seen.add(row.email)
                yield row


def read_file(path: Path) -> Iterator[Subscriber | Reject]:
    """Read one CSV file, row by row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(rows, [])]
            if header.count("email") != 1:
                raise StorageError(
                    f"{shown(path)}:1: the header has no column “email”",
                    hint="begin the file with the line: email,name",
                )
            email, name = header.index("email"), _index(header, "name")
            for fields in rows:
                if fields:
                    yield _row(path, rows.line_num, fields, email, name)
    except UnicodeDecodeError as error:
        raise StorageError(f"{shown(path)} is not UTF-8", hint="save it as UTF-8") from error
    except csv.Error as error:
        raise StorageError(f"{shown(path)} is not a CSV file: {error}") from error
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror}") from error


def _index(header: list[str], column: str) -> int | None:
    return header.index(column) if column in header else None


def _row(
    path: Path, line: int, fields: list[str], email: int, name: int | None
) -> Subscriber | Reject:
    address = fields[email].strip() if email < len(fields) else ""
    display = fields[name].strip() if name is not None and name < len(fields) else ""
    if len(display) > MAX_FIELD or len(address) > MAX_FIELD:
        return Reject(path=path, line=line, reason=f"more than {MAX_FIELD:,} characters")
    odd = next((char for char in display if unicodedata.category(char) in ("Cc", "Zl", "Zp")), None)
    if odd is not None:
        reason = f"the name holds the control character U+{ord(odd):04X}"
        return Reject(path=path, line=line, reason=reason)
    try:
        return Subscriber(email=normalized(address), name=display)
    except ValueError as error:
        return Reject(path=path, line=line, reason=f"“{address}”: {error}")
