"""Transport `outbox`: a folder with one `.eml` file per message, for looking and testing.

Names are deterministic and every file appears whole (RFC 5322 bytes, renamed into
place), so that doing it again overwrites and never duplicates.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import StorageError
from newsletter.issue.folder import shown


@dataclass(frozen=True)
class Outbox:
    """Messages of one edition go into *folder*."""

    folder: Path

    def open(self) -> None:
        """Make the folder. Raises StorageError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._error(error) from error

    def deliver(self, email: str, message: bytes) -> Path:
        """Write *message* for *email* and return its file. Raises StorageError."""
        path = self.folder / file_name(email)
        scratch = path.with_suffix(".part")
        try:
            scratch.write_bytes(message)
            scratch.replace(path)
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise self._error(error) from error
        return path

    def _error(self, error: OSError) -> StorageError:
        return StorageError(
            f"{shown(self.folder)} cannot be written: {error.strerror}",
            hint="make room or choose another folder with --to, then run the command again",
        )


def file_name(email: str) -> str:
    """Readable and unique: what is safe of the address, and a hash of all of it."""
    readable = re.sub(r"[^A-Za-z0-9@+_-]+", ".", email).strip(".")[:80]
    return f"{readable}-{hashlib.sha256(email.encode()).hexdigest()[:8]}.eml"
