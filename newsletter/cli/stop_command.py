"""`newsletter stop`: what is held at its slot does not go out."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.shared import actor, as_option, workspace_at


@click.command("stop")
@as_option
@click.pass_obj
def command(start: str, name: str | None) -> None:
    """Stop what is held at its slot, before it is sent.

    Works while newsletter run holds an issue at its slot (schedule.hold). Nothing goes
    out at that slot then, unless newsletter send-late says so. What is being sent
    already is paused or cancelled instead.
    """
    from newsletter.calendar.decisions import stop
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace, name=name)
    with open_store(workspace) as store, store.begin() as conn:
        row = stop(conn, workspace.config.schedule, now=datetime.now(UTC), actor=who)
    click.echo(f"Vol {row.number} is stopped: nothing is sent at the slot of {row.day}")
    click.echo(f"newsletter send-late {row.day} sends after all what is approved", err=True)
