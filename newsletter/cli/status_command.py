"""`newsletter status`: what became of the messages, once or all the time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaign_view import View, as_record, as_text, look, recent_speed, state_words
from newsletter.cli.campaigns import campaign_named, number_named, tag_option
from newsletter.cli.sending import CACHE, INTERRUPTED
from newsletter.cli.shared import workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.store.engine import Store

NEWEST = 10  # campaigns that are listed without ISSUE
_HEADINGS = ("issue", "audience", "accepted", "failed", "uncertain", "pending", "state")


@click.command("status")
@click.argument("issue", required=False)
@tag_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object a campaign.")
@click.option("--watch", "watched", is_flag=True, help="Go on looking until the campaign ends.")
@click.pass_obj
def command(start: str, issue: str | None, tag: str | None, as_json: bool, watched: bool) -> int:
    """Show how sending goes, or went.

    ISSUE is a number (2.20) or a folder; without it the newest campaigns are listed.
    “Accepted” means that the next server took the message; it may still bounce.
    “Pending” is what may be sent yet. --watch follows the campaign that is under way;
    in a pipe it prints a line whenever something has changed.
    """
    from newsletter.store.engine import open_store

    if as_json and watched:
        raise UsageError("--json and --watch do not go together", hint="choose one")
    workspace = workspace_at(start)
    with open_store(workspace, cache=CACHE) as store:
        if watched:
            return _watch(store, workspace, issue, tag)
        views = [_look(store, workspace, campaign) for campaign in _chosen(store, issue, tag)]
    if as_json:
        click.echo(json.dumps([as_record(view) for view in views], ensure_ascii=False, indent=2))
    elif not views:
        click.echo("nothing was sent yet; newsletter send sends an issue")
    elif issue is None and tag is None and len(views) > 1:
        _list(views)
    else:
        click.echo("\n\n".join(as_text(view) for view in views))
    return 0


def _chosen(store: Store, issue: str | None, tag: str | None) -> list[Campaign]:
    """The campaigns to show, newest first. Raises UsageError if the issue has none."""
    from newsletter.delivery.campaign import audience_of, campaigns

    with store.read() as conn:
        if issue is None and tag is None:
            return campaigns(conn)[:NEWEST]
        found = campaigns(conn, None if issue is None else number_named(issue))
        if tag is not None:
            found = [campaign for campaign in found if campaign.audience == audience_of(tag)]
        return found or [campaign_named(conn, issue, tag)]  # which says what there is


def _look(store: Store, workspace: Workspace, campaign: Campaign) -> View:
    view = look(store, workspace, campaign, datetime.now(UTC))
    return view.measured(recent_speed(store, view)) if view.is_sender_at_work else view


def _watch(store: Store, workspace: Workspace, issue: str | None, tag: str | None) -> int:
    from newsletter.cli.watching import watch
    from newsletter.delivery.campaign import get

    with store.read() as conn:
        chosen = campaign_named(conn, issue, tag)

    def read_campaign() -> Campaign:
        with store.read() as conn:
            return get(conn, chosen.id)

    try:
        watch(read_campaign, store, workspace)
    except KeyboardInterrupt:
        click.echo("this only watched; the campaign goes on without it", err=True)
        return INTERRUPTED
    return 0


def _list(views: list[View]) -> None:
    rows = [_HEADINGS, *(_row(view) for view in views)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            text.rjust(width) if 2 <= column <= 5 else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    click.echo(f"newsletter status {views[0].campaign.number} tells more", err=True)


def _row(view: View) -> tuple[str, ...]:
    counts = view.counts
    numbers = (counts.accepted, counts.failed, counts.uncertain, counts.pending)
    return (
        f"Vol {view.campaign.number}",
        view.campaign.tag or "everyone",
        *(f"{number:,}" for number in numbers),
        state_words(view),
    )
