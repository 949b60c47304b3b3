"""`newsletter skip`: nothing goes out at a slot."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.shared import DAY, actor, as_option, workspace_at


@click.command("skip")
@click.argument("day", type=DAY, metavar="DAY")
@as_option
@click.pass_obj
def command(start: str, day: datetime, name: str | None) -> None:
    """Send nothing at the slot of DAY; what is approved waits for the next one.

    DAY is as in 2026-12-01. Also ends the reminders, and settles a slot that is late or
    was stopped. newsletter postpone brings a skipped slot back.
    """
    from newsletter.calendar.decisions import skip
    from newsletter.calendar.slot_rows import local_time
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    schedule, now = workspace.config.schedule, datetime.now(UTC)
    who = actor(workspace, name=name)
    with open_store(workspace) as store, store.begin() as conn:
        row = skip(conn, schedule, day.date(), now=now, actor=who)
    click.echo(f"skipped: nothing is sent at the slot of {local_time(row.starts_at, schedule)}")
