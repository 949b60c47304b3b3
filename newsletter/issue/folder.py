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

ISSUE_FILE = "issue.md"

_HEADLINE = re.compile(rb"^ {0,3}##[ \t]+(.*?)[ \t#]*$", re.MULTILINE)
_NUMBER = re.compile(rb"^issue:[ \t]*[\"']?([0-9.]+)", re.MULTILINE)
_DATE = re.compile(rb"^date:[ \t]*[\"']?(\d{4}-\d{2}-\d{2})", re.MULTILINE)


def shown(path: Path) -> str:
    """*path* as people like to read it: relative where it lies below the current folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except (ValueError, OSError):
        return str(path)


@dataclass(frozen=True)
class IssueFolder:
    """The folder of one issue; `path / issue.md` may or may not be sound."""

    path: Path
    shown: Callable[[Path], str] = shown

    @property
    def file(self) -> Path:
        return self.path / ISSUE_FILE

    def read(self) -> Document:
        """Read and parse the issue file. Raises StorageError where there is nothing to read."""
        return parse_bytes(read_regular(self.file, self.path), self.file)


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
    except OSError as error:
        raise StorageError(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, RuntimeError) as error:  # a NUL in the name, a loop of links
        raise StorageError(f"{name!r} cannot be read: {error}") from error


def issue_folders(issues: Path) -> list[IssueFolder]:
    """Every issue folder below *issues*, in the order of publication; others are passed over."""
    if not issues.is_dir():
        return []
    found = [
        (number, IssueFolder(path))
        for path in issues.iterdir()
        if path.is_dir() and (number := _folder_number(path.name)) is not None
    ]
    return [folder for _, folder in sorted(found, key=lambda pair: pair[0])]


def odd_folders(issues: Path) -> list[IssueFolder]:
    """Folders below *issues* that hold an issue file under a name that is no issue number."""
    if not issues.is_dir():
        return []
    return [
        IssueFolder(path)
        for path in sorted(issues.iterdir())
        if _folder_number(path.name) is None and (path / ISSUE_FILE).exists()
    ]


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
    wanted = re.sub(r"(?i)^vol(?:ume|\.)?\s*(?=\d)", "", name.strip())
    try:
        folder = workspace.issues / IssueNumber.parse(wanted).folder
    except ValueError:
        path = Path(name)
        if path.name == ISSUE_FILE:
            path = path.parent
        folder = path if path.is_dir() else workspace.issues / name
    if "\0" not in name and folder.is_dir():
        return IssueFolder(folder)
    known = [found.path.name for found in issue_folders(workspace.issues)]
    listing = ", ".join(known[-5:]) if known else "none yet: newsletter new makes one"
    raise UsageError(f"there is no issue “{name}”", hint=f"issues here: {listing}")


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
    here = os.path.realpath(folder.file)
    return [issue for issue in issues if os.path.realpath(issue.path) != here]


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
