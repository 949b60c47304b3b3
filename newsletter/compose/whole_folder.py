"""A folder that is written whole or not at all, in the place of what stood there.

Whatever interrupts, the old folder or the new one is there. Looks at nothing in the old
one: whether it may go is for the caller to say.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import StorageError


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside *target*, an absolute path, that becomes it at the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name[:80]}-", dir=target.parent))
    try:
        fresh = scratch / "new"
        fresh.mkdir()
        yield fresh
        sync(fresh)
        _swap(fresh, target, scratch / "old")
        sync(target.parent)
    finally:
        _remove(scratch)


@contextmanager
def disk_errors(to: Path) -> Iterator[None]:
    """Turn what the disk refuses about *to* into StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{to} cannot be written: {error.strerror or error}",
            hint="choose a folder that you may write to, on a disk with room",
        ) from error
    except (ValueError, RuntimeError) as error:  # a NUL in the name, a loop of links
        raise StorageError(f"{str(to)!r} cannot be written: {error}") from error


def refuse_occupied(target: Path, to: Path, *, hint: str) -> None:
    """Raise StorageError where *target* can be no folder of ours; *to* is how it was called."""
    if target == Path.cwd() or target in Path.cwd().parents:
        raise StorageError(f"{to} is the folder that you are in, or above it", hint=hint)
    if target.exists() and not target.is_dir():
        raise StorageError(f"{to} is a file, not a folder", hint=hint)


def refuse_foreign(names: set[str], to: Path, *, hint: str) -> None:
    """Raise StorageError that lists *names*, which replacing the folder *to* would delete."""
    foreign = sorted(names)
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise StorageError(
            f"{to} also holds {', '.join(foreign[:3])}{more}; replacing it would delete that",
            hint=f"move it away, or {hint}",
        )


def sync(folder: Path) -> None:
    """Make the names in *folder* as durable as the bytes behind them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(scratch: Path) -> None:
    """Remove the folder even where Ctrl-C falls into the removing."""
    try:
        shutil.rmtree(scratch, ignore_errors=True)
    finally:
        if scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put *fresh* in the place of *target*; whatever interrupts, one of them is there."""
    try:
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
