"""`newsletter publish`: back issues into the archive, without sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.progress import progress_bar
from newsletter.cli.shared import actor, as_option, today_option, workspace_at
from newsletter.errors import ContentError, UsageError
from newsletter.issue.folder import IssueFolder, all_issues, find_issue, issue_folders, shown

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.store.engine import Store


@click.command("publish")
@click.argument("issues", nargs=-1, metavar="[ISSUE]...")
@click.option("--all", "every", is_flag=True, help="Every issue that is not dated in the future.")
@today_option
@as_option
@click.pass_obj
def command(
    start: str, issues: Sequence[str], every: bool, today: datetime | None, name: str | None
) -> int:
    """Put back issues into the archive without sending them.

    ISSUE is a number (2.20), a folder or a file. It is composed and frozen as it is now,
    and stands on the web from then on; the same command again publishes what was changed
    since. What was sent is in the archive by itself. No approval is asked for.

    Exits with 1 when an issue has errors; the others are published.
    """
    from newsletter.store.engine import open_store

    if bool(issues) == every:
        raise UsageError(
            "say which issues, or --all",
            hint="newsletter publish 2.20 2.21, or: newsletter publish --all",
        )
    workspace = workspace_at(start)
    who = actor(workspace, name=name)
    day = today.date() if today else date.today()  # noqa: DTZ011
    chosen = _past(workspace, day) if every else [find_issue(issue, workspace) for issue in issues]
    told: list[str] = []
    failed: list[str] = []
    try:
        with open_store(workspace) as store, progress_bar(len(chosen), "composing") as show:
            for done, folder in enumerate(chosen, start=1):
                try:
                    told.append(_published(store, workspace, folder, who, day))
                except ContentError as error:
                    failed.append(f"{shown(folder.path)}: {error.message}")
                show(done)
    finally:  # what was done before something broke is said too
        for text in told:
            click.echo(text)
        for text in failed:
            click.echo(f"error: {text}", err=True)
    if not chosen:
        click.echo("there is no issue to publish", err=True)
    return 1 if failed else 0


def _published(store: Store, workspace: Workspace, folder: IssueFolder, who: str, day: date) -> str:
    """Publish the issue in *folder*; return what became of it, in words."""
    from newsletter.cli.composing import composed_quietly
    from newsletter.site.publishing import Outcome, publish

    sent = _sent_number(store, folder)
    if sent is not None:
        return f"Vol {sent}: {Outcome.SENT}"
    edition = composed_quietly(folder, workspace)
    outcome = publish(store, workspace, edition, now=datetime.now(UTC), actor=who)
    early = f"; it is dated {edition.view.date_text}" if edition.view.date > day else ""
    return f"Vol {edition.number}: {outcome}, edition {edition.hash[:16]}{early}"


def _sent_number(store: Store, folder: IssueFolder) -> str | None:
    """The number of the issue if it was sent, by its folder's name: composing takes longer."""
    from newsletter.issue.number import IssueNumber
    from newsletter.site.publishing import standing

    try:
        number = str(IssueNumber.from_folder(folder.path.resolve().name))
    except ValueError:
        return None
    with store.read() as conn:
        stands = standing(conn, number)
    return number if stands is not None and stands.was_sent else None


def _past(workspace: Workspace, day: date) -> list[IssueFolder]:
    """Every issue that is not dated after *day*; one without a readable date is among them."""
    future = {
        issue.folder
        for issue in all_issues(workspace.issues)
        if issue.date is not None and issue.date > day
    }
    return [folder for folder in issue_folders(workspace.issues) if folder.path.name not in future]
