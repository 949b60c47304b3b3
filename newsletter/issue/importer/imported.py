"""What an import gives: the result that the reader makes and the folder is written from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsletter.diagnostics import Diagnostic
from newsletter.issue.model import Issue
from newsletter.issue.number import IssueNumber


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One source, read.

    *issue_file* is the text to write, None where an error stands in the way.
    *issue* is what it says; None too for an issue file taken over that has faults
    of its own (`check` lists them).
    """

    source: Path
    diagnostics: tuple[Diagnostic, ...]
    number: IssueNumber | None = None
    issue: Issue | None = None
    issue_file: bytes | None = None
    hero: tuple[str, bytes] | None = None  # file name and bytes

    @property
    def writable(self) -> bool:
        return self.number is not None and self.issue_file is not None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be read, and what the caller knows about it."""

    path: Path
    number: IssueNumber | None
    published: date | None
    first_year: int | None
