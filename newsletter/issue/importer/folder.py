"""Write an imported issue into its folder, whole or not at all.

Everything goes into a new folder beside the final one, which is then renamed:
Ctrl-C, a full disk or a crash leave no half an issue. Refuses to touch a folder
that exists unless told to; even then files that the import does not bring stay.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from newsletter.diagnostics import Severity
from newsletter.errors import ContentError, StorageError, UsageError
from newsletter.issue.folder import ISSUE_FILE, shown
from newsletter.issue.importer.imported import Imported


def write_import(imported: Imported, into: Path, *, force: bool = False) -> Path:
    """Write *imported* to its own folder below *into* and return that folder.

    With *force*, an issue file that is there is replaced.

    Raises:
        ContentError: *imported* has errors, so there is nothing to write.
        UsageError: the folder exists and *force* was not given.
        StorageError: the disk refused; nothing was changed.
    """
    if imported.number is None or imported.issue_file is None:
        raise ContentError(
            f"{shown(imported.source)} was not imported: {_first_error(imported)}",
            hint="mend the source, then import it again",
        )
    target = into / imported.number.folder
    if os.path.lexists(target):
        if not target.is_dir() or target.is_symlink():
            raise UsageError(
                f"{shown(target)} exists and is no folder", hint="move it away, then import again"
            )
        if not force:
            raise UsageError(
                f"{shown(target)} exists already", hint="import with --force to replace its issue"
            )
    mark = secrets.token_hex(4)
    fresh = into / f".{imported.number.folder}.{mark}.new"
    try:
        into.mkdir(parents=True, exist_ok=True)
        try:
            if target.is_dir():
                shutil.copytree(target, fresh, symlinks=True)
            else:
                fresh.mkdir()
            _write(fresh / ISSUE_FILE, imported.issue_file)
            if imported.hero is not None:
                _write(fresh / imported.hero[0], imported.hero[1])
            _swap(fresh, target, into / f".{imported.number.folder}.{mark}.old")
        finally:
            shutil.rmtree(fresh, ignore_errors=True)  # gone already where all went well
    except OSError as error:
        raise StorageError(
            f"{shown(target)} cannot be written: {error.strerror or error}",
            hint="nothing was changed; look at the disk and the permissions",
        ) from error
    return target


def _first_error(imported: Imported) -> str:
    errors = (d.message for d in imported.diagnostics if d.severity is Severity.ERROR)
    return next(errors, "it has no issue")


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # a symbolic link must not be written through
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _swap(fresh: Path, target: Path, aside: Path) -> None:
    """Put *fresh* in the place of *target*; what was there waits at *aside* until that is done."""
    if not target.is_dir():
        fresh.rename(target)
        return
    target.rename(aside)
    try:
        fresh.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
