"""`newsletter serve`: the public pages, until it is stopped."""

from __future__ import annotations

import click

from newsletter.cli.shared import workspace_at


@click.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Listen here instead of web.port; 0: any."
)
@click.pass_obj
def command(start: str, port: int | None) -> None:
    """Serve the public pages: archive, sign-up, preferences, API, webhooks.

    Listens on web.host and web.port of newsletter.toml; a proxy with TLS stands before it.
    Sends the confirmations and welcomes that follow from sign-ups. newsletter run serves
    the same pages by itself, unless web.in_run is false. SIGTERM and Ctrl-C end it in order.
    """
    from newsletter.store.engine import open_store
    from newsletter.web.server import serve

    workspace = workspace_at(start)
    with open_store(workspace) as store:
        serve(
            workspace,
            store,
            port=port,
            on_ready=lambda address: click.echo(f"serving {address}", err=True),
        )
