"""`newsletter resend --undelivered`: another try for what was refused; never for the uncertain."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from newsletter.cli.campaigns import campaign_named, command_for, tag_option, title
from newsletter.cli.sending import CACHE, patience_option
from newsletter.cli.shared import actor, plural, workspace_at
from newsletter.errors import UsageError

SHOWN_REPLIES = 10


@click.command("resend")
@click.argument("issue", required=False)
@tag_option
@click.option("--undelivered", is_flag=True, help="Those that failed; the only choice there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@patience_option
@click.pass_obj
def command(
    start: str, issue: str | None, tag: str | None, undelivered: bool, yes: bool, patience: float
) -> int:
    """Try failed messages of a campaign again.

    ISSUE is a number (2.20) or a folder; default: the newest campaign. Only what a
    server refused is sent, to those who may still be mailed. What was accepted is never
    sent again, and what is uncertain is first settled by newsletter reconcile. Exits as
    newsletter send does.
    """
    from newsletter.cli.sending import run_sender
    from newsletter.delivery.history import replies
    from newsletter.delivery.ledger import counts, retry_failed
    from newsletter.delivery.model import State, Status
    from newsletter.delivery.transports import transport_of
    from newsletter.store.engine import open_store

    if not undelivered:
        raise UsageError(
            "nobody gets an issue twice; only what failed can be sent again",
            hint="say so: newsletter resend --undelivered",
        )
    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace, cache=CACHE) as store:
        with store.read() as conn:
            campaign = campaign_named(conn, issue, tag)
            failed = counts(conn, campaign.id).failed
            why = replies(conn, campaign.id, Status.FAILED, limit=SHOWN_REPLIES)
        if campaign.state in (State.CANCELLED, State.PAUSED):
            verb = "resume" if campaign.state is State.PAUSED else "send"
            raise UsageError(
                f"{title(campaign)} is {campaign.state}",
                hint=f"{command_for(verb, campaign)} comes first",
            )
        if not failed:
            click.echo(f"{title(campaign)}: nothing failed, nothing to do")
            return 0
        click.echo(f"{title(campaign)}: {plural(failed, 'message')} failed")
        for reply, times in why:
            click.echo(f"{times:>7,}  {reply}")
        transport = transport_of(workspace, campaign.transport)
        if not yes:
            click.confirm("Send them again?", abort=True)
        with store.begin() as conn:
            retry_failed(conn, campaign.id, actor=who, now=datetime.now(UTC))
        return run_sender(store, workspace, campaign, transport, patience=patience)
