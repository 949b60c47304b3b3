"""`newsletter check`: every finding at once, in the form that its reader takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache

import click

from newsletter import diagnostics as report
from newsletter.cli.shared import plural, today_option, workspace_at
from newsletter.config import Workspace
from newsletter.diagnostics import Diagnostic, Severity
from newsletter.issue import fix as fixes
from newsletter.issue.check import Checked, check_folder
from newsletter.issue.folder import (
    IssueFolder,
    all_issues,
    find_issue,
    issue_folders,
    odd_folders,
    shown,
)

FORMATS = {"text": report.as_text, "json": report.as_json, "github": report.as_github}


@click.command("check")
@click.argument("issues", metavar="[ISSUE]...", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="Output for people, for programs, or as annotations of a code host.",
)
@click.option("--fix", is_flag=True, help="Mend what can be mended safely: spaces, quotes.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@today_option
@click.pass_obj
def command(
    start: str, issues: tuple[str, ...], form: str, fix: bool, strict: bool, today: datetime | None
) -> int:
    """Check issues against the house rules.

    ISSUE is a number (2.20), a folder or a file; without one, every issue is
    checked. Exits with 0 when there is nothing but warnings, 1 when there are
    errors, 2 when the check could not be made.
    """
    workspace = workspace_at(start)
    folders = _folders(issues, workspace)
    day = today.date() if today else date.today()  # noqa: DTZ011  the editor's own date
    results = list(_check(folders, workspace, day, fix=fix))
    found = [_strict(d) if strict else d for result in results for d in result.diagnostics]
    click.echo(FORMATS[form](found), nl=False)
    click.echo(_summary(len(folders), found, fix=fix), err=True)
    return 1 if report.has_errors(found) else 0


def _folders(names: Sequence[str], workspace: Workspace) -> list[IssueFolder]:
    if names:
        found = [find_issue(name, workspace) for name in names]
        return list({os.path.realpath(folder.path): folder for folder in found}.values())
    return [*issue_folders(workspace.issues), *odd_folders(workspace.issues)]


def _check(
    folders: Sequence[IssueFolder], workspace: Workspace, today: date, *, fix: bool
) -> Iterator[Checked]:
    find_issues = lru_cache(maxsize=1)(lambda: all_issues(workspace.issues))
    for folder in folders:
        checked = check_folder(folder, workspace, today=today, find_issues=find_issues)
        mended = 0
        # One mend can bring out another: a space that stood before an invisible character.
        for _ in range(fixes.ROUNDS if fix else 0):
            count = fixes.write(checked.document, checked.diagnostics)
            if not count:
                break
            mended += count
            checked = check_folder(folder, workspace, today=today, find_issues=find_issues)
        if mended:
            click.echo(f"{shown(folder.file)}: mended {plural(mended, 'place')}", err=True)
        yield checked


def _strict(diagnostic: Diagnostic) -> Diagnostic:
    warning = diagnostic.severity is Severity.WARNING
    return replace(diagnostic, severity=Severity.ERROR) if warning else diagnostic


def _summary(issues: int, found: Sequence[Diagnostic], *, fix: bool) -> str:
    if issues == 0:
        return "no issues here yet; newsletter new makes the first one"
    checked = f"{plural(issues, 'issue')} checked"
    if not found:
        return f"{checked}: all good"
    counts = ", ".join(
        plural(number, word)
        for severity, word in (
            (Severity.ERROR, "error"),
            (Severity.WARNING, "warning"),
            (Severity.INFO, "note"),
        )
        if (number := report.count(found, severity))
    )
    fixable = sum(diagnostic.fixable for diagnostic in found)
    tail = f"; {fixable} can be mended with --fix" if fixable and not fix else ""
    return f"{checked}: {counts}{tail}. newsletter explain CODE tells more about a rule"
