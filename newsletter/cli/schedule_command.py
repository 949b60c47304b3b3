"""`newsletter schedule`: the slots, what stands in them, and what is left to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.output_file import output_file
from newsletter.cli.shared import workspace_at
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown

if TYPE_CHECKING:
    from newsletter.calendar.plan import Place
    from newsletter.config import Workspace

_PAST = 3
_CALENDAR = b"BEGIN:VCALENDAR"


@click.command("schedule")
@click.option(
    "--count",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    metavar="N",
    help="How many slots to come.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object a slot.")
@click.option(
    "--ical",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a calendar that people can subscribe to; “-” is stdout.",
)
@click.pass_obj
def command(start: str, count: int, as_json: bool, ical: Path | None) -> None:
    """Show the slots to come, what stands in each, and who must do what by when.

    The last few that were sent or skipped come first. Approved issues take the slots in
    the order of their numbers; drafts follow, as if they were approved in time. A
    calendar FILE that exists is written anew, so that cron can keep it up to date.
    """
    from newsletter.calendar.plan import plan
    from newsletter.cli.composing import composed_quietly
    from newsletter.cli.schedule_view import as_record, as_text, policy
    from newsletter.store.engine import open_store

    if as_json and ical is not None:
        raise UsageError("--json and --ical do not go together", hint="choose one")
    workspace = workspace_at(start)
    now = datetime.now(UTC)
    with open_store(workspace) as store:
        places = plan(
            store,
            workspace,
            lambda folder: composed_quietly(folder, workspace),
            now=now,
            count=count,
            past=_PAST,
        )
    if ical is not None:
        _write_calendar(places, workspace, ical, now)
    elif as_json:
        records = [as_record(place, workspace) for place in places]
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
    else:
        click.echo(as_text(places, workspace, now))
        click.echo(f"\n{policy(workspace)}", err=True)


def _write_calendar(places: list[Place], workspace: Workspace, to: Path, now: datetime) -> None:
    from newsletter.calendar.ical import calendar_of
    from newsletter.cli.schedule_view import as_entry

    content = calendar_of(map(as_entry, places), config=workspace.config, stamp=now)
    target = None if str(to) == "-" else to
    if target is not None and target.exists() and not _is_calendar(target):
        raise UsageError(f"{shown(target)} is there and is no calendar", hint="name another file")
    with output_file(target, force=True) as file:
        file.write(content.decode())
    if target is not None:
        target.chmod(0o644)  # a web server gives it out
        click.echo(f"{shown(target)}: {len(places)} slots", err=True)


def _is_calendar(path: Path) -> bool:
    """Whether a calendar lies there already, which may be replaced without asking."""
    try:
        with path.open("rb") as file:
            return file.read(len(_CALENDAR)) == _CALENDAR
    except (OSError, ValueError) as error:
        raise StorageError(f"{shown(path)} cannot be read: {error}") from error
