"""The rejects file: the rows that were not taken, as they were, with the reason first.

Mend the rows and import it as it is; the column of reasons is passed over. An older
rejects file is never overwritten: somebody may be mending it.
"""

from __future__ import annotations

import csv
import filecmp
import os
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from newsletter.audience.importer.columns import PROBLEM
from newsletter.audience.importer.report import Reject
from newsletter.errors import StorageError
from newsletter.issue.folder import shown


class RejectsFile:
    """`<name>.rejects.csv` beside the import: made on the first reject, whole or not at all."""

    def __init__(self, source: Path, header: Sequence[str]) -> None:
        self._source = source
        self._stem = source.with_suffix("").name.removesuffix(".rejects")
        self._scratch = source.with_name(f".{self._stem}.rejects.{os.getpid()}")
        self._header = [name for name in header if name != PROBLEM]
        self._skip = header.index(PROBLEM) if PROBLEM in header else None
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> RejectsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._scratch.unlink(missing_ok=True)

    def write(self, rejects: Sequence[tuple[Reject, Sequence[str]]]) -> None:
        """Append rows. Raises StorageError where the folder takes none."""
        if not rejects:
            return
        try:
            if self._file is None:
                self._file = self._scratch.open("w", encoding="utf-8", errors="replace", newline="")
                csv.writer(self._file).writerow([PROBLEM, *self._header])
            writer = csv.writer(self._file)
            for reject, row in rejects:
                fields = [each for place, each in enumerate(row) if place != self._skip]
                writer.writerow([str(reject), *fields])
        except OSError as error:
            raise self._refused(error) from error

    def finish(self) -> Path | None:
        """Give the file its name and return it; None if there were no rejects."""
        if self._file is None:
            return None
        try:
            self._file.close()
            target = self._free_name()
            self._scratch.replace(target)
        except OSError as error:
            raise self._refused(error) from error
        return target

    def _free_name(self) -> Path:
        number = 1
        while True:
            suffix = "" if number == 1 else f".{number}"
            target = self._source.with_name(f"{self._stem}{suffix}.rejects.csv")
            if not target.exists() or filecmp.cmp(target, self._scratch, shallow=False):
                return target
            number += 1

    def _refused(self, error: OSError) -> StorageError:
        return StorageError(
            f"the rejects of {shown(self._source)} cannot be written: {error.strerror}",
            hint="copy the file into a folder that you can write to, and import it there",
        )
