"""`newsletter unpublish`: take out of the archive what `publish` put there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from newsletter.cli.campaigns import number_named
from newsletter.cli.shared import actor, as_option, workspace_at


@click.command("unpublish")
@click.argument("issues", nargs=-1, required=True, metavar="ISSUE...")
@as_option
@click.pass_obj
def command(start: str, issues: Sequence[str], name: str | None) -> None:
    """Take issues out of the archive that were put there by hand.

    ISSUE is a number (2.20) or a folder; it need not be there any more. What was sent
    stays: its readers have links to it. All of the issues are taken out, or none.
    """
    from newsletter.site.publishing import unpublish
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    numbers = list(dict.fromkeys(number_named(issue) for issue in issues))
    who = actor(workspace, name=name)
    now = datetime.now(UTC)
    with open_store(workspace) as store, store.begin() as conn:
        taken = {number: unpublish(conn, number, now=now, actor=who) for number in numbers}
    for number, was_there in taken.items():
        what = "out of the archive" if was_there else "was not in the archive; nothing changed"
        click.echo(f"Vol {number}: {what}")
