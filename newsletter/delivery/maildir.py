"""A Maildir: a folder of messages, one file each, that mail readers open too.

Messages are written to `tmp`, secured many at a time, and then shown by renaming
(maildir(5) of qmail). A name that is there already, read or unread, is overwritten
where it is. Everything is for its owner alone. Raises OSError as it comes.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# One call for a batch of files: several times faster than fsync for each, see syncfs(2).
_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


class Maildir:
    """The Maildir *folder*, made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._tmp, self._new, self._cur = (folder / name for name in ("tmp", "new", "cur"))
        for part in (self._tmp, self._new, self._cur):
            _make(part)
        self._changed: set[Path] = set()
        self._read: dict[str, str] = {}  # name → name in cur, with flags
        self._read_at = -1

    def write(self, name: str, content: bytes) -> None:
        """Write *content*; nobody sees it yet."""
        path = self._tmp / name
        try:
            with open(path, "wb", opener=_for_the_owner) as file:
                file.write(content)
        except OSError:
            self.discard(name)  # what there is of it may be what fills the disk
            raise

    def secure(self) -> None:
        """Return when all that was written survives a power cut."""
        if _syncfs is None:  # not Linux
            os.sync()
            return
        with _opened(self._tmp) as descriptor:
            if _syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))

    def show(self, name: str) -> None:
        """Put what was written and secured in its place."""
        self._look_into_cur()
        flagged = self._read.get(name)
        place = self._new / name if flagged is None else self._cur / flagged
        os.replace(self._tmp / name, place)  # noqa: PTH105 - thousands a second
        self._changed.add(place.parent)

    def confirm(self) -> None:
        """Return when all that was shown survives a power cut in its place."""
        for folder in self._changed:
            _sync(folder)
        self._changed.clear()

    def discard(self, name: str) -> None:
        """Delete what was written and not shown, if that can be done."""
        with suppress(OSError):
            (self._tmp / name).unlink()

    def _look_into_cur(self) -> None:
        """Mail readers move messages there at any time, and add flags: “name:2,S”."""
        changed_at = self._cur.stat().st_mtime_ns
        if changed_at != self._read_at:
            names = os.listdir(self._cur)  # noqa: PTH208 - only the names
            self._read = {name.partition(":")[0]: name for name in names}
            self._read_at = changed_at


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make(folder: Path) -> None:
    """Make *folder* and what is missing above it; what was made survives a power cut."""
    if folder.is_dir():
        return
    _make(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # a file, or another process was first
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
