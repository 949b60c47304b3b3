"""What an import has done: counts that add up, the first rejects, what to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """A row that was not taken. Never holds the row: that is in the rejects file."""

    line: int  # where the row begins, from 1
    column: str  # the header's name of it; "" where the row as a whole is wrong
    reason: str

    def __str__(self) -> str:
        where = f", {self.column}" if self.column else ""
        return f"line {self.line:,}{where}: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an import is."""

    bytes_read: int
    bytes_total: int
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """Rows by what became of them; *read* is the sum of the seven counts below it."""

    path: Path
    form: str  # whose file it was taken for, as in “Mailchimp”
    dry_run: bool
    interrupted: bool  # Ctrl-C: what is counted is kept; the same command goes on
    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0  # the address stands in the file before; only its tags were added
    left_alone: int = 0  # left or suppressed earlier, whatever the file says
    suppressed: int = 0  # because the file says that they left or bounced
    rejected: int = 0
    rejects: tuple[Reject, ...] = ()  # the first of them
    rejects_file: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """Rows that changed something in the database."""
        return self.added + self.updated + self.suppressed
