"""Issue folders: find them, read them safely, know their neighbours.

Refuses to follow a symbolic link out of the workspace, and to read what is not
a regular file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsletter.config import Workspace
from newsletter.errors import StorageError, UsageError
from newsletter.issue.document import Document
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import MAX_BYTES, parse_bytes
from newsletter.issue.rules import Neighbour
from newsletter.issue.texts import shortened

ISSUE_FILE = "issue.md"

_HEADLINE = re.compile(rb"^ {0,3}##[ \t]+(.*?)[ \t#]*$", re.MULTILINE)
_NUMBER = re.compile(rb"^issue:[ \t]*[\"']?([0-9.]+)", re.MULTILINE)
_DATE = re.compile(rb"^date:[ \t]*[\"']?(\d{4}-\d{2}-\d{2})", re.MULTILINE)


def shown(path: Path) -> str:
    """*path* as people like to read it: relative where it lies below the current folder."""
    try:
        # Textually: where a link leads is no concern of the reader, and may lead in a circle.
        return str(Path(os.path.abspath(path)).relative_to(Path.cwd()))  # noqa: PTH100
    except (ValueError, OSError):
        return str(path)


@dataclass(frozen=True)
class IssueFolder:
    """The folder of one issue; `path / issue.md` may or may not be sound.

    *inside* is the folder that it must not lead out of, where it was found in one.
    """

    path: Path
    inside: Path | None = None
    shown: Callable[[Path], str] = shown

    @property
    def file(self) -> Path:
        return self.path / ISSUE_FILE

    def read(self) -> Document:
        """Read and parse the issue file. Raises StorageError where there is nothing to read."""
        if self.inside is not None and not _lies_below(self.path, self.inside):
            raise StorageError(
                f"{shown(self.path)} is a link that leads out of {shown(self.inside)}",
                hint="put the folder itself there, not a link",
            )
        return parse_bytes(read_regular(self.file, self.path), self.file)


def _lies_below(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def read_regular(path: Path, inside: Path, limit: int = MAX_BYTES + 1) -> bytes:
    """Read at most *limit* bytes of a regular file that really lies below *inside*."""
    name = shown(path)
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(inside.resolve()):
            raise StorageError(
                f"{name} leads out of its folder", hint="put the file itself there, not a link"
            )
        if not real.is_file():
            raise StorageError(f"{name} is not a file", hint="put a regular file there")
        with real.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError as error:
        raise StorageError(
            f"{name} is missing", hint=f"an issue is a folder with an {ISSUE_FILE} in it"
        ) from error
    except NotADirectoryError as error:
        raise StorageError(
            f"{shown(path.parent)} is a file, not a folder",
            hint=f"an issue is a folder with an {ISSUE_FILE} in it: rename or move the file",
        ) from error
    except OSError as error:
        raise StorageError(
            f"{name} cannot be read: {error.strerror}", hint="look at its permissions"
        ) from error
    except RuntimeError as error:
        raise StorageError(
            f"{name} is a link that leads in a circle", hint="put the file itself there, not a link"
        ) from error
    except ValueError as error:  # a NUL in the name
        raise StorageError(f"{name!r} cannot be read: {error}") from error


def issue_folders(issues: Path) -> list[IssueFolder]:
    """Whatever has an issue's name below *issues*, in the order of publication.

    A file or a broken link of that name is among them: reading it says what is wrong.

    Raises:
        StorageError: *issues* is there but cannot be listed.
    """
    found = [
        (number, IssueFolder(path, issues))
        for path in _entries(issues)
        if (number := _folder_number(path.name)) is not None
    ]
    return [folder for _, folder in sorted(found, key=lambda pair: pair[0])]


def odd_folders(issues: Path) -> list[IssueFolder]:
    """Folders below *issues* that hold an issue file under a name that is no issue number."""
    return [
        IssueFolder(path, issues)
        for path in sorted(_entries(issues))
        if _folder_number(path.name) is None and os.path.lexists(path / ISSUE_FILE)
    ]


def _entries(issues: Path) -> list[Path]:
    """What lies in *issues*; nothing where there is no such folder yet."""
    if not os.path.lexists(issues):
        return []
    try:
        return list(issues.iterdir())
    except OSError as error:
        raise StorageError(
            f"the folder {shown(issues)} cannot be listed: {error.strerror}",
            hint="the issues lie in it, one folder each: vol-2-20/issue.md",
        ) from error


def _folder_number(name: str) -> IssueNumber | None:
    try:
        return IssueNumber.from_folder(name)
    except ValueError:
        return None


def find_issue(name: str, workspace: Workspace) -> IssueFolder:
    """Find an issue by number (2.20), folder name, or path to its folder or file.

    Raises:
        UsageError: there is no such issue; the hint lists those there are.
    """
    folders = issue_folders(workspace.issues)
    wanted = re.sub(r"(?i)^vol(?:ume|\.)?\s*(?=\d)", "", name.strip())
    try:
        folder_name = IssueNumber.parse(wanted).folder
    except ValueError:
        folder_name = name.strip().rstrip("/")
    for folder in folders:
        if folder.path.name == folder_name:
            return folder
    path = Path(name)
    if path.name == ISSUE_FILE:
        path = path.parent
    # os.path never raises, whatever the name: too long, a NUL in it.
    if name.strip() and os.path.isdir(path):  # noqa: PTH112
        if os.path.lexists(path / ISSUE_FILE) or _folder_number(path.resolve().name) is not None:
            return IssueFolder(path)
        raise UsageError(
            f"{shortened(shown(path))} is a folder without an {ISSUE_FILE}", hint=_listing(folders)
        )
    raise UsageError(f"there is no issue “{shortened(name)}”", hint=_listing(folders))


def _listing(folders: Sequence[IssueFolder]) -> str:
    names = [folder.path.name for folder in folders[-5:]]
    return f"issues here: {', '.join(names) if names else 'none yet: newsletter new makes one'}"


def newest_issue(workspace: Workspace) -> IssueFolder:
    """The issue with the highest number. Raises UsageError where there is none."""
    folders = issue_folders(workspace.issues)
    if not folders:
        raise UsageError(
            f"{shown(workspace.issues)} holds no issue", hint="newsletter new makes the next one"
        )
    return folders[-1]


def all_issues(issues: Path) -> list[Neighbour]:
    """Every issue of the workspace, by a quick look at its file."""
    return [_glance(folder) for folder in (*issue_folders(issues), *odd_folders(issues))]


def others(folder: IssueFolder, issues: Sequence[Neighbour]) -> list[Neighbour]:
    """*issues* without the one in *folder*."""
    here = os.path.realpath(folder.path)
    # By name first: following every path of every issue would take most of a check.
    names = {folder.path.name, os.path.basename(here)}  # noqa: PTH119
    return [
        issue
        for issue in issues
        if issue.folder not in names or os.path.realpath(issue.path.parent) != here
    ]


def _glance(folder: IssueFolder) -> Neighbour:
    try:
        data = read_regular(folder.file, folder.path)
    except StorageError:
        data = b""  # the folder still takes its number
    headlines = tuple(m[1].decode("utf-8", "replace") for m in _HEADLINE.finditer(data))
    return Neighbour(
        path=folder.file,
        folder=folder.path.name,
        folder_number=_folder_number(folder.path.name),
        number=_number_in(data),
        date=_date_in(data),
        headlines=headlines,
    )


def _number_in(data: bytes) -> IssueNumber | None:
    match = _NUMBER.search(data)
    try:
        return IssueNumber.parse(match[1].decode()) if match else None
    except ValueError:
        return None


def _date_in(data: bytes) -> date | None:
    match = _DATE.search(data)
    try:
        return date.fromisoformat(match[1].decode()) if match else None
    except ValueError:
        return None
