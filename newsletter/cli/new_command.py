"""`newsletter new`: the next issue's folder, with number, date and five headings."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import click

from newsletter.cli.shared import DAY, today_option, workspace_at
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import ISSUE_FILE, all_issues, shown
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Neighbour
from newsletter.issue.write import skeleton

FORTNIGHT = timedelta(days=14)


@click.command("new")
@click.option(
    "--volume",
    metavar="[N]",
    type=int,
    is_flag=False,
    flag_value=0,
    help="Start a new volume: the next one, or volume N.",
)
@click.option("--date", "published", type=DAY, help="Day of publication; default: two weeks on.")
@today_option
@click.pass_obj
def command(
    start: str, volume: int | None, published: datetime | None, today: datetime | None
) -> None:
    """Make the folder of the next issue, ready to fill in.

    The number follows the newest issue; --volume starts a new year. The date is
    two weeks after the newest issue, moved on by fortnights until it is not past.
    """
    workspace = workspace_at(start)
    issues = all_issues(workspace.issues)
    day = today.date() if today else date.today()  # noqa: DTZ011  the editor's own date
    number = next_number(issues, volume)
    try:
        when = published.date() if published else next_date(issues, day)
    except OverflowError as error:
        raise UsageError(
            "the calendar ends before the next issue", hint="give the day: --date 2023-10-31"
        ) from error
    folder = workspace.issues / number.folder
    write_skeleton(folder, number, when)
    click.echo(f"{shown(folder / ISSUE_FILE)}: Vol {number}, {when.isoformat()}")
    first_year = workspace.config.newsletter.first_year
    expected = when.year - first_year + 1 if first_year is not None else number.volume
    if expected != number.volume and 1 <= expected <= 999:
        click.echo(
            f"note: {when.year} is the year of volume {expected}; "
            f"newsletter new --volume {expected} would start it",
            err=True,
        )
    click.echo(
        f"next: write the issue, then newsletter check {number} and newsletter preview {number}",
        err=True,
    )


def next_number(issues: list[Neighbour], volume: int | None) -> IssueNumber:
    """The number after the newest; with *volume* the first of that one (0: of the next).

    Raises:
        UsageError: that volume has issues already, or lies behind the newest.
    """
    numbers = sorted(number for issue in issues if (number := issue.folder_number) is not None)
    if not numbers:
        return IssueNumber(volume or 1, 1)
    newest = numbers[-1]
    if volume is None:
        if newest.number == 999:
            raise UsageError(f"volume {newest.volume} is full", hint="newsletter new --volume")
        return newest.following()
    wanted = volume or newest.volume + 1
    if wanted <= newest.volume:
        raise UsageError(
            f"volume {wanted} does not come after Vol {newest}",
            hint=f"newsletter new goes on with Vol {newest.following()}; "
            f"newsletter new --volume starts Vol {newest.volume + 1}.1",
        )
    if wanted > 999:
        raise UsageError(f"volume {wanted} is too high", hint="volumes run from 1 to 999")
    return IssueNumber(wanted, 1)


def next_date(issues: list[Neighbour], today: date) -> date:
    """Two weeks after the newest date, moved on by fortnights until it is not before *today*."""
    dates = [issue.date for issue in issues if issue.date is not None]
    if not dates:
        return today + FORTNIGHT
    following = max(dates) + FORTNIGHT
    behind = max(0, -(-(today - following).days // FORTNIGHT.days))
    return following + behind * FORTNIGHT


def write_skeleton(folder: Path, number: IssueNumber, when: date) -> None:
    """Make *folder* with its issue file. Raises StorageError; an existing folder is left alone."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        (folder / ISSUE_FILE).write_text(skeleton(number, when), encoding="utf-8")
    except FileExistsError as error:
        raise StorageError(
            f"{shown(folder)} exists already", hint="finish that issue, or rename the folder"
        ) from error
    except OSError as error:
        raise StorageError(
            f"{shown(folder)} cannot be made: {error.strerror}",
            hint="look at the permissions of the folder and the room on the disk",
        ) from error
