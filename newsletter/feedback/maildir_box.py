"""The mailbox as a Maildir, where a local delivery agent puts bounces (maildir(5) of qmail).

A message that was read moves to the subfolder that [feedback].imap_done names, marked as
seen (Maildir++: “.Processed/cur”); one for a person stays, with the flag F. IMAP servers on
the same Maildir show both as such. Opens regular files only, and follows no link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from newsletter.errors import ConfigError
from newsletter.feedback.mailbox import (
    BATCH,
    MAX_MESSAGE,
    MAX_MESSAGES,
    Incoming,
    MailboxError,
)

_OVER = frozenset("FT")  # flagged, for a person; trashed


class MaildirBox:
    """The Maildir *folder*; what was read moves to its subfolder *done*.

    Raises:
        ConfigError: there is no Maildir.
    """

    def __init__(self, folder: Path, *, done: str) -> None:
        self._folder = folder
        self._done = folder / ("." + done.strip("/.").replace("/", "."))
        if not all((folder / part).is_dir() for part in ("new", "cur")):
            raise ConfigError(
                f"feedback.maildir: {folder} is no Maildir",
                hint="let your mail server deliver bounces there, or make it empty, with the "
                f"folders new, cur and tmp: mkdir -p {folder} && cd {folder} && mkdir new cur tmp",
            )

    @property
    def name(self) -> str:
        return f"Maildir {self._folder}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def batches(self) -> Iterator[list[Incoming]]:
        """As `Mailbox.batches`."""
        waiting = self._waiting()
        for start in range(0, len(waiting), BATCH):
            found = (self._read(key) for key in waiting[start : start + BATCH])
            yield [message for message in found if message is not None]

    def done(self, messages: Sequence[Incoming]) -> None:
        """As `Mailbox.done`."""
        try:
            for part in ("cur", "new", "tmp"):
                (self._done / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(self._done, error) from error
        for message in messages:
            self._move(message.key, self._done / "cur" / _with_flags(message.key, "S"))

    def leave(self, messages: Sequence[Incoming]) -> None:
        """As `Mailbox.leave`."""
        for message in messages:
            self._move(message.key, self._folder / "cur" / _with_flags(message.key, "F"))

    def _waiting(self) -> list[str]:
        """Names from the folder on, oldest first."""
        found = []
        try:
            for part in ("new", "cur"):
                with os.scandir(self._folder / part) as entries:
                    for entry in entries:
                        if entry.name.startswith(".") or _flags(entry.name) & _OVER:
                            continue
                        with suppress(FileNotFoundError):  # a mail reader was faster
                            status = entry.stat(follow_symlinks=False)
                            if stat.S_ISREG(status.st_mode):
                                found.append((status.st_mtime_ns, f"{part}/{entry.name}"))
        except OSError as error:
            raise _unusable(self._folder, error) from error
        return [key for _, key in sorted(found)[:MAX_MESSAGES]]

    def _read(self, key: str) -> Incoming | None:
        """None: a mail reader has moved it; the next look finds it."""
        try:
            with open(self._folder / key, "rb", opener=_without_links) as file:
                arrived = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                return Incoming(key=key, data=file.read(MAX_MESSAGE), at=arrived)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, OverflowError):  # not ours to read, or of the year 10⁹
            return Incoming(key=key, data=None, at=None)

    def _move(self, key: str, place: Path) -> None:
        try:
            (self._folder / key).rename(place)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _unusable(place.parent, error) from error


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _flags(name: str) -> set[str]:
    """The letters behind “:2,”."""
    return set(name.partition(":2,")[2])


def _with_flags(key: str, letters: str) -> str:
    """The file's name with *letters* among its flags, in the order of the alphabet."""
    name = key.partition("/")[2]
    flags = sorted(_flags(name) | set(letters))
    return f"{name.partition(':')[0]}:2,{''.join(flags)}"


def _unusable(folder: Path, error: OSError) -> MailboxError:
    return MailboxError(
        f"the Maildir {folder} cannot be used: {error.strerror}",
        hint="make it yours to read and write, on a disk with room",
    )
