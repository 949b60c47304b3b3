"""What several commands need: the workspace, a checked issue, words for counts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter import diagnostics as report
from newsletter.config import Workspace, open_workspace
from newsletter.diagnostics import Diagnostic, Severity
from newsletter.errors import ContentError, UsageError
from newsletter.issue.check import check_folder
from newsletter.issue.folder import IssueFolder, find_issue, newest_issue, shown
from newsletter.issue.model import Issue

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition


class FolderType(click.Path):
    """A folder that need not exist; an empty name, as from an unset variable, is refused."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name of the folder is empty", param, ctx)
        return super().convert(value, param, ctx)


class LineType(click.types.StringParamType):
    """A text that is kept or looked up: one line, no control characters, no broken UTF-8."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in value):
            self.fail("it holds a line break, a control character or broken UTF-8", param, ctx)
        return value


FOLDER = FolderType()
LINE = LineType()
DAY = click.DateTime(["%Y-%m-%d"])

today_option: Callable[[Any], Any] = click.option(
    "--today", type=DAY, hidden=True, help="Judge dates as on this day."
)


def workspace_at(start: str) -> Workspace:
    return open_workspace(Path(start))


as_option: Callable[[Any], Any] = click.option(
    "--as", "name", type=LINE, help="Who you are; default: NEWSLETTER_ACTOR, git, the login."
)


def actor(workspace: Workspace, *, name: str | None = None, about: str = "") -> str:
    """Who is at the keyboard, for the audit: NEWSLETTER_ACTOR, git's user.email, the login name.

    A *name* that was given goes before them. The audit outlives an erasure, so it is never
    the address that the change is *about*: operators may be on the list too.

    Raises:
        UsageError: NEWSLETTER_ACTOR, or *name*, holds something that is no name.
    """
    given = (os.environ.get("NEWSLETTER_ACTOR", "") if name is None else name).strip()
    if len(given) > 200 or not given.isprintable() or (name is not None and not given):
        raise UsageError(
            f"{'NEWSLETTER_ACTOR' if name is None else '--as'} is no name: it is empty, too long, "
            "or holds control characters",
            hint="write a name or an e-mail address",
        )
    found = given or _git_email(workspace.root)
    is_about_them = "@" in about and about.casefold() in found.casefold()
    return _login() if not found or is_about_them else found


def _git_email(root: Path) -> str:
    import subprocess

    command = ["git", "-C", str(root), "config", "user.email"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    found = done.stdout.decode("utf-8", "replace").strip()
    return found if done.returncode == 0 and found.isprintable() else ""


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"


def plural(number: int, word: str, many: str | None = None) -> str:
    """ "1 error", "2 errors", "1,024 messages"; *many* where it takes more than an “s”."""
    return f"{number:,} {word if number == 1 else many or word + 's'}"


def sound_issue(name: str | None, workspace: Workspace) -> tuple[IssueFolder, Issue]:
    """Check the named issue, else the newest, and return it.

    Raises:
        ContentError: it has errors; they are printed first.
    """
    folder = find_issue(name, workspace) if name is not None else newest_issue(workspace)
    issue, diagnostics = without_errors(folder, workspace)
    warnings = report.count(diagnostics, Severity.WARNING)
    if warnings:
        see = f"see newsletter check {folder.path.name}"
        click.echo(f"{shown(folder.path)}: {plural(warnings, 'warning')}; {see}", err=True)
    return folder, issue


def without_errors(
    folder: IssueFolder, workspace: Workspace
) -> tuple[Issue, tuple[Diagnostic, ...]]:
    """Check the issue in *folder*; return it with what was found besides errors.

    Raises:
        ContentError: it has errors; they are printed first.
    """
    checked = check_folder(folder, workspace, today=date.today())  # noqa: DTZ011
    if checked.issue is not None:
        return checked.issue, checked.diagnostics
    errors = [d for d in checked.diagnostics if d.severity is Severity.ERROR]
    click.echo(report.as_text(errors), err=True, nl=False)
    raise ContentError(
        f"{shown(folder.path)} has {plural(len(errors), 'error')} and was not composed",
        hint="mend what is listed above, then run the command again",
    )


def composed_issue(name: str | None, workspace: Workspace) -> tuple[Issue, Edition]:
    """Check and compose the named issue, else the newest; what the gates found is printed.

    Raises:
        ContentError: it has errors; they are printed first.
    """
    from newsletter.compose.edition import compose

    folder, issue = sound_issue(name, workspace)
    edition = compose(issue, folder, workspace)
    click.echo(report.as_text(edition.findings), err=True, nl=False)
    return issue, edition
