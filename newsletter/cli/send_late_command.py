"""`newsletter send-late`: send at a slot that has passed without."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import click

from newsletter.cli.shared import DAY, actor, as_option, plural, workspace_at
from newsletter.errors import UsageError


@click.command("send-late")
@click.argument("day", type=DAY, metavar="DAY")
@as_option
@click.pass_obj
def command(start: str, day: datetime, name: str | None) -> None:
    """Send what is approved at the slot of DAY, which was late, stopped or skipped.

    DAY is as in 2026-12-01. newsletter run holds it first, as at any slot, so that
    newsletter stop still works. Possible until the next slot is near.
    """
    from newsletter.calendar.candidates import next_to_send
    from newsletter.calendar.decisions import send_late
    from newsletter.calendar.lease import is_at_work
    from newsletter.cli.composing import composed_apart
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    schedule = workspace.config.schedule
    who = actor(workspace, name=name)
    with open_store(workspace) as store:
        compose = partial(composed_apart, workspace=workspace, is_quiet=True)
        approved, reasons = next_to_send(store, workspace, lambda folder: compose(folder))
        if approved is None:
            raise UsageError(
                "no issue can be sent: " + ("; ".join(reasons) or "none is approved"),
                hint="newsletter approve approves one",
            )
        with store.begin() as conn:
            row = send_late(conn, schedule, day.date(), now=datetime.now(UTC), actor=who)
        is_attended = is_at_work(store)
    hold = f"held for {plural(schedule.hold, 'minute')}, then sent" if schedule.hold else "sent"
    click.echo(f"Vol {approved.number} is {hold}, at the slot of {row.day}")
    if not is_attended:
        click.echo("newsletter run is not at work: start it, or nothing happens", err=True)
