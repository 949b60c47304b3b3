"""`newsletter cancel`: end a campaign for good; what was accepted cannot be called back."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaigns import campaign_named, tag_option, title
from newsletter.cli.shared import LINE, actor, plural, workspace_at

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.store.engine import Store


@click.command("cancel")
@click.argument("issue", required=False)
@tag_option
@click.option("--reason", type=LINE, default="", help="Why; status shows it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(start: str, issue: str | None, tag: str | None, reason: str, yes: bool) -> None:
    """End a campaign for good.

    ISSUE is a number (2.20) or a folder; default: the campaign that is under way. What
    is pending is never sent by it. The issue may be sent anew afterwards, changed or not:
    it goes to those who have not got it.
    """
    from newsletter.delivery.campaign import cancel
    from newsletter.delivery.ledger import counts
    from newsletter.delivery.model import State
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace)
    with open_store(workspace) as store:
        with store.read() as conn:
            campaign = campaign_named(conn, issue, tag)
            found = counts(conn, campaign.id)
        if campaign.state in (State.CANCELLED, State.COMPLETED):
            _settle_crash(store, workspace, campaign)
            click.echo(f"{title(campaign)} is {campaign.state}; nothing changed")
            return
        if not yes:
            click.confirm(
                f"Cancel {title(campaign)}? {plural(found.pending, 'message')} will not be sent; "
                f"{found.accepted:,} went out. This cannot be taken back",
                abort=True,
            )
        with store.begin() as conn:
            cancelled = cancel(conn, campaign.id, reason=reason, actor=who, now=datetime.now(UTC))
        said = "is cancelled" if cancelled else "ended meanwhile; nothing changed"
        click.echo(f"{title(campaign)} {said}")
        _settle_crash(store, workspace, campaign)


def _settle_crash(store: Store, workspace: Workspace, campaign: Campaign) -> None:
    """What a crashed sender left in its hands; a sender that is at work settles it itself."""
    from newsletter.delivery.sender import SenderBusy, settle_crash

    with suppress(SenderBusy):
        settle_crash(store, workspace, campaign.id)
