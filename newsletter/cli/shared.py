"""What several commands need: the workspace, a checked issue, words for counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from newsletter import diagnostics as report
from newsletter.config import Workspace, open_workspace
from newsletter.diagnostics import Severity
from newsletter.errors import ContentError
from newsletter.issue.check import check_folder
from newsletter.issue.folder import IssueFolder, find_issue, newest_issue, shown
from newsletter.issue.model import Issue

DAY = click.DateTime(["%Y-%m-%d"])

today_option: Callable[[Any], Any] = click.option(
    "--today", type=DAY, hidden=True, help="Judge dates as on this day."
)


def workspace_at(start: str) -> Workspace:
    return open_workspace(Path(start))


def plural(number: int, word: str) -> str:
    """ "1 error", "2 errors", "1,024 messages"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def sound_issue(name: str | None, workspace: Workspace) -> tuple[IssueFolder, Issue]:
    """Check the named issue, else the newest, and return it.

    Raises:
        ContentError: it has errors; they are printed first.
    """
    folder = find_issue(name, workspace) if name else newest_issue(workspace)
    checked = check_folder(folder, workspace, today=date.today())  # noqa: DTZ011
    if checked.issue is None:
        errors = [d for d in checked.diagnostics if d.severity is Severity.ERROR]
        click.echo(report.as_text(errors), err=True, nl=False)
        raise ContentError(
            f"{shown(folder.path)} has {plural(len(errors), 'error')} and was not composed",
            hint="mend what is listed above, then run the command again",
        )
    warnings = report.count(checked.diagnostics, Severity.WARNING)
    if warnings:
        see = f"see newsletter check {folder.path.name}"
        click.echo(f"{shown(folder.path)}: {plural(warnings, 'warning')}; {see}", err=True)
    return folder, checked.issue
