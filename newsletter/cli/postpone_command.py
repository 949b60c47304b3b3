"""`newsletter postpone`: move one slot, and no other."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from newsletter.cli.shared import DAY, actor, as_option, workspace_at


@click.command("postpone")
@click.argument("day", type=DAY, metavar="DAY")
@click.option(
    "--to",
    type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]),
    required=True,
    help="Local time, as in “2026-12-02 10:00”.",
)
@as_option
@click.pass_obj
def command(start: str, day: datetime, to: datetime, name: str | None) -> None:
    """Move the slot of DAY to another time; the others stay where they are.

    DAY is as in 2026-12-01. The slot may be to come, held, stopped, late or skipped; its
    new time may be earlier. A time that daylight saving leaves out is moved forward.
    """
    from newsletter.calendar.decisions import postpone, require_known
    from newsletter.calendar.slot_rows import local_time
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    schedule, now = workspace.config.schedule, datetime.now(UTC)
    require_known(to.date())  # the conversion fails at both ends of time
    moment = to.replace(tzinfo=ZoneInfo(schedule.timezone)).astimezone(UTC)
    who = actor(workspace, name=name)
    with open_store(workspace) as store, store.begin() as conn:
        row = postpone(conn, schedule, day.date(), to=moment, now=now, actor=who)
    click.echo(f"the slot of {row.day} is now {local_time(row.starts_at, schedule)}")
