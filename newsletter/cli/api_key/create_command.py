"""`newsletter api-key create`: a key for one program, with no more than it needs."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.shared import LINE, actor, workspace_at

SCOPES = ("metrics", "status", "subscribe")  # of `api_keys.Scope`; a test keeps them equal


@click.command("create")
@click.argument("name", type=LINE)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    required=True,
    help="What it is for; may be given several times.",
)
@click.option(
    "--origin",
    "origins",
    type=LINE,
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may use it from the browser, as in https://www.example.org.",
)
@click.pass_obj
def command(start: str, name: str, scopes: tuple[str, ...], origins: tuple[str, ...]) -> None:
    """Make a key, and show it once.

    NAME is for you: say who uses it. The key goes to stdout; it cannot be shown again.
    subscribe may ask for the newsletter with an address, and learns nothing by it; status
    sees how a campaign goes; metrics reads /metrics. A key that stands in a page, where
    everybody can read it, is for subscribe only.
    """
    from newsletter.audience.api_keys import Scope, create
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace) as store, store.begin() as conn:
        text = create(conn, name, map(Scope, scopes), origins, now=datetime.now(UTC), actor=who)
    click.echo(text)
    click.echo("keep it now: it is not shown again", err=True)
