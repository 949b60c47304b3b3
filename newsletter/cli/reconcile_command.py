"""`newsletter reconcile`: what is uncertain, and a person's or an event's word on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaigns import campaign_named, tag_option, title
from newsletter.cli.shared import LINE, actor, plural, workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.delivery.reconcile import UncertainDelivery
    from newsletter.store.engine import Store

SHOWN = 1_000  # uncertain deliveries that are listed


@dataclass(frozen=True, kw_only=True)
class _Decision:
    """What the options say: these addresses, or all, were accepted or failed."""

    is_accepted: bool
    addresses: tuple[str, ...] | None  # None: all
    reason: str


@click.command("reconcile")
@click.argument("issue", required=False)
@tag_option
@click.option("--from-events", is_flag=True, help="Settle those that the provider reported on.")
@click.option("--accepted", type=LINE, multiple=True, metavar="ADDRESS", help="This one arrived.")
@click.option("--failed", type=LINE, multiple=True, metavar="ADDRESS", help="This one did not.")
@click.option("--all-accepted", is_flag=True, help="All of them arrived.")
@click.option("--all-failed", is_flag=True, help="None of them arrived.")
@click.option("--journal-lost", is_flag=True, help="The journal is gone: nothing is known of it.")
@click.option("--reason", type=LINE, default="", help="How you know; kept in the audit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(
    start: str,
    issue: str | None,
    tag: str | None,
    from_events: bool,
    accepted: tuple[str, ...],
    failed: tuple[str, ...],
    all_accepted: bool,
    all_failed: bool,
    journal_lost: bool,
    reason: str,
    yes: bool,
) -> None:
    """List and settle deliveries whose outcome was missed.

    ISSUE is a number (2.20) or a folder; default: the campaign that is under way.
    Without options it lists them: nobody knows whether they arrived, so nothing is sent
    to them again by itself. Look into the server's log, or ask. --accepted and --failed
    may be given several times; what failed, newsletter resend --undelivered tries again.

    --journal-lost is for a campaign whose journal was deleted or lies on another
    machine: what was being sent at that time becomes uncertain.
    """
    from newsletter.store.engine import open_store

    decision = _decision(accepted, failed, all_accepted, all_failed, reason)
    if sum((decision is not None, from_events, journal_lost)) > 1:
        raise UsageError("one thing at a time", hint="give one of these options")
    workspace = workspace_at(start)
    with open_store(workspace) as store:
        with store.read() as conn:
            campaign = campaign_named(conn, issue, tag)
        if journal_lost:
            _give_up_journal(store, workspace, campaign, yes=yes)
        elif from_events:
            _settle_from_events(store, campaign)
        elif decision is not None:
            _settle(store, workspace, campaign, decision, yes=yes)
        _list(store, campaign)


def _decision(
    accepted: tuple[str, ...],
    failed: tuple[str, ...],
    all_accepted: bool,
    all_failed: bool,
    reason: str,
) -> _Decision | None:
    if sum(map(bool, (accepted, failed, all_accepted, all_failed))) > 1:
        raise UsageError(
            "some accepted and some failed: that is two decisions", hint="one command for each"
        )
    if not (accepted or failed or all_accepted or all_failed):
        return None
    if not reason.strip():
        raise UsageError(
            "a decision needs a reason, which is kept",
            hint='as in --reason "in the server\'s log of 9 January"',
        )
    return _Decision(
        is_accepted=bool(accepted or all_accepted),
        addresses=None if all_accepted or all_failed else accepted or failed,
        reason=reason,
    )


def _settle(
    store: Store, workspace: Workspace, campaign: Campaign, decision: _Decision, *, yes: bool
) -> None:
    from newsletter.delivery.model import Status
    from newsletter.delivery.reconcile import settle

    status = Status.ACCEPTED if decision.is_accepted else Status.FAILED
    with store.read() as conn:
        chosen = None if decision.addresses is None else _ids(conn, campaign, decision.addresses)
        number = len(chosen) if chosen is not None else _count(conn, campaign)
    if not number:
        return
    if not yes:
        click.confirm(f"Record {plural(number, 'delivery', 'deliveries')} as {status}?", abort=True)
    who = actor(workspace)
    with store.begin() as conn:
        settled = settle(
            conn,
            campaign.id,
            status=status,
            subscriber_ids=chosen,
            reason=decision.reason,
            actor=who,
            now=datetime.now(UTC),
        )
    click.echo(f"{title(campaign)}: {settled:,} recorded as {status}")


def _settle_from_events(store: Store, campaign: Campaign) -> None:
    from newsletter.delivery.reconcile import settle_from_events

    with store.begin() as conn:
        settled = settle_from_events(conn, campaign.id, now=datetime.now(UTC))
    click.echo(f"{title(campaign)}: {settled:,} settled by what the provider reported")


def _give_up_journal(store: Store, workspace: Workspace, campaign: Campaign, *, yes: bool) -> None:
    from newsletter.delivery.ledger import counts
    from newsletter.delivery.reconcile import give_up_journal

    with store.read() as conn:
        in_flight = counts(conn, campaign.id).in_flight
    if in_flight and not yes:
        what = plural(in_flight, "delivery", "deliveries")
        click.confirm(f"{what} become uncertain, and are not sent by itself. Go on?", abort=True)
    who = actor(workspace)
    given_up = give_up_journal(store, workspace, campaign.id, actor=who, now=datetime.now(UTC))
    click.echo(f"{title(campaign)}: {given_up:,} became uncertain")


def _ids(conn: sa.Connection, campaign: Campaign, addresses: Sequence[str]) -> list[int]:
    """The subscribers of *addresses*. Raises UsageError for one that is not uncertain here."""
    from newsletter.cli.subscribers.transaction import person_named
    from newsletter.delivery.reconcile import uncertain

    known = {delivery.subscriber_id for delivery in uncertain(conn, campaign.id)}
    found = [(address, person_named(conn, address).id) for address in addresses]
    for address, number in found:
        if number not in known:
            raise UsageError(
                f"nothing is uncertain about “{address}” in {title(campaign)}",
                hint="newsletter reconcile lists what is",
            )
    return [number for _, number in found]


def _count(conn: sa.Connection, campaign: Campaign) -> int:
    from newsletter.delivery.ledger import counts

    return counts(conn, campaign.id).uncertain


def _list(store: Store, campaign: Campaign) -> None:
    """Print what is uncertain: number, address, when, what was said."""
    from itertools import islice

    from newsletter.delivery.reconcile import uncertain

    with store.read() as conn:
        left = _count(conn, campaign)
        for delivery in islice(uncertain(conn, campaign.id), SHOWN):
            click.echo(_line(delivery))
    if left > SHOWN:
        click.echo(f"… and {left - SHOWN:,} more", err=True)
    click.echo(f"{title(campaign)}: {left:,} uncertain", err=True)


def _line(delivery: UncertainDelivery) -> str:
    said = f"  {delivery.reply}" if delivery.reply else ""
    email = delivery.email or f"subscriber {delivery.subscriber_id}, erased"
    return f"{delivery.updated_at:%Y-%m-%d %H:%M} UTC  {email}{said}"
