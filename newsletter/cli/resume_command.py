"""`newsletter resume`: go on with the frozen edition, in this terminal."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from newsletter.cli.campaigns import campaign_named, tag_option, title
from newsletter.cli.sending import CACHE, patience_option
from newsletter.cli.shared import actor, workspace_at
from newsletter.errors import UsageError

PAUSING = 45.0  # seconds that a sender may take to end after a pause


@click.command("resume")
@click.argument("issue", required=False)
@tag_option
@patience_option
@click.pass_obj
def command(start: str, issue: str | None, tag: str | None, patience: float) -> int:
    """Go on with a campaign that is paused or was stopped.

    ISSUE is a number (2.20) or a folder; default: the campaign that is under way. Sends
    in this terminal, as newsletter send does, what was frozen: an issue that was
    changed since makes no difference. Exits as newsletter send does.
    """
    from newsletter.cli.sending import run_sender
    from newsletter.delivery.campaign import resume
    from newsletter.delivery.lock import is_held
    from newsletter.delivery.model import State
    from newsletter.delivery.transports import transport_of
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace, cache=CACHE) as store:
        with store.read() as conn:
            campaign = campaign_named(conn, issue, tag)
        if campaign.state is State.COMPLETED:
            click.echo(f"{title(campaign)} is completed; nothing to do")
            return 0
        if campaign.state is State.CANCELLED:
            raise UsageError(
                f"{title(campaign)} is cancelled",
                hint=f"newsletter send {campaign.number} sends it to those who have not got it",
            )
        transport = transport_of(workspace, campaign.transport)  # a bad one resumes nothing
        with store.begin() as conn:
            was_paused = resume(conn, campaign.id, actor=who, now=datetime.now(UTC))
        deadline = time.monotonic() + (PAUSING if was_paused else 0)
        while is_held(store, campaign.id) and time.monotonic() < deadline:
            time.sleep(0.2)
        return run_sender(store, workspace, campaign, transport, patience=patience)
