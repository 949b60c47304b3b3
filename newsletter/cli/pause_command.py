"""`newsletter pause`: hand nothing more over until somebody resumes."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.campaigns import campaign_named, command_for, tag_option, title
from newsletter.cli.shared import LINE, actor, workspace_at


@click.command("pause")
@click.argument("issue", required=False)
@tag_option
@click.option("--reason", type=LINE, default="", help="Why; status shows it.")
@click.pass_obj
def command(start: str, issue: str | None, tag: str | None, reason: str) -> None:
    """Pause a campaign, from any terminal.

    ISSUE is a number (2.20) or a folder; default: the campaign that is under way. The
    sender stops within a second; what it has handed over is recorded, the rest waits
    for newsletter resume.
    """
    from newsletter.delivery.campaign import pause
    from newsletter.delivery.model import State
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace) as store, store.begin() as conn:
        campaign = campaign_named(conn, issue, tag)
        if not pause(conn, campaign.id, reason=reason, actor=who, now=datetime.now(UTC)):
            was = "paused already" if campaign.state is State.PAUSED else str(campaign.state)
            click.echo(f"{title(campaign)} is {was}; nothing changed")
            return
    click.echo(f"{title(campaign)} is paused; {command_for('resume', campaign)} goes on with it")
