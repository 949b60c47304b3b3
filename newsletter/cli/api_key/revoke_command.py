"""`newsletter api-key revoke`: a key that is not needed any more, or known to the wrong people."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.shared import LINE, actor, workspace_at


@click.command("revoke")
@click.argument("name", type=LINE)
@click.pass_obj
def command(start: str, name: str) -> None:
    """End a key for good.

    It counts from the next request on. A new key may have the same name.
    """
    from newsletter.audience.api_keys import revoke
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace) as store, store.begin() as conn:
        revoke(conn, name, now=datetime.now(UTC), actor=who)
    click.echo(f"“{name}” is revoked")
