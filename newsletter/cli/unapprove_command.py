"""`newsletter unapprove`: what was approved may not go out after all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaigns import number_named
from newsletter.cli.shared import LINE, actor, as_option, workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.calendar.plan import Place
    from newsletter.config import Workspace
    from newsletter.store.engine import Store


@click.command("unapprove")
@click.argument("issue")
@click.option("--reason", type=LINE, required=True, help="Why; it is kept on record.")
@as_option
@click.pass_obj
def command(start: str, issue: str, reason: str, name: str | None) -> None:
    """Take an approval back, so that nothing is sent.

    ISSUE is a number (2.20) or a folder; it need not be there any more. Works until
    sending begins, also while the issue is held at its slot. The next approved issue,
    if there is one, takes its place.
    """
    from newsletter.calendar.approval import unapprove
    from newsletter.store.engine import open_store

    if not reason.strip():
        raise UsageError("--reason says nothing", hint="write why, for the record")
    workspace = workspace_at(start)
    number = number_named(issue)
    who = actor(workspace, name=name)
    now = datetime.now(UTC)
    with open_store(workspace) as store:
        before = _place_of(store, workspace, number, now)
        with store.begin() as conn:
            taken = unapprove(conn, number, reason=reason, now=now, actor=who)
        if not taken:
            click.echo(f"Vol {number} was not approved; nothing changed")
            return
        click.echo(f"Vol {number} is no longer approved" + _meaning(store, workspace, before, now))


def _place_of(store: Store, workspace: Workspace, number: str, now: datetime) -> Place | None:
    """Where the approved issue stands."""
    return next((place for place in _places(store, workspace, now) if place.number == number), None)


def _meaning(store: Store, workspace: Workspace, before: Place | None, now: datetime) -> str:
    from newsletter.calendar.approval import Standing

    if before is None:
        return ": nothing is sent"
    local = before.slot.local
    slot = f"the slot of {local:%A} {local.day} {local:%B}"
    for place in _places(store, workspace, now):
        next_one = place.contender if place.slot.day == before.slot.day else None
        if next_one is not None and next_one.state.standing is Standing.APPROVED:
            return f": Vol {next_one.number} now stands in {slot}"
    return f": nothing is sent at {slot}"


def _places(store: Store, workspace: Workspace, now: datetime) -> list[Place]:
    from newsletter.calendar.plan import plan
    from newsletter.cli.composing import composed_quietly

    if not workspace.config.schedule.is_set:
        return []
    return plan(
        store, workspace, lambda folder: composed_quietly(folder, workspace), now=now, count=4
    )
