"""A file that a command writes: whole or not at all, and never over another one by accident."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown


@contextmanager
def output_file(to: Path | None, *, force: bool) -> Iterator[TextIO]:
    """Yield a UTF-8 file that becomes *to* at the end, readable by its owner alone; else stdout.

    Line ends are written as they are.

    Raises:
        UsageError: *to* exists, and *force* is not given.
        StorageError: it cannot be written.
    """
    if to is None:
        if isinstance(sys.stdout, io.TextIOWrapper):  # data, whatever the terminal can show
            sys.stdout.reconfigure(encoding="utf-8", errors="strict", newline="")
        yield sys.stdout
        return
    if to.exists() and not (force and to.is_file()):
        what = "is a folder" if to.is_dir() else "exists already"
        raise UsageError(f"{shown(to)} {what}", hint="name another file, or say --force")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{to.name[:80]}-", dir=to.parent)
        scratch = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            _put(scratch, to, force=force)
        finally:
            with suppress(FileNotFoundError):
                scratch.unlink()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise StorageError(
            f"{shown(to)} cannot be written: {reason}",
            hint="choose a folder that you may write to, on a disk with room",
        ) from error


def _put(scratch: Path, to: Path, *, force: bool) -> None:
    if force:
        scratch.replace(to)
        return
    try:
        os.link(scratch, to)  # unlike a rename, it fails where somebody was faster
    except FileExistsError as error:
        raise UsageError(f"{shown(to)} exists already", hint="name another file") from error
