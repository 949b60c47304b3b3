"""`newsletter send`: freeze an issue and its audience, and send; or go on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaign_view import transport_words
from newsletter.cli.campaigns import command_for, number_named, title
from newsletter.cli.sending import CACHE, patience_option
from newsletter.cli.shared import LINE, actor, plural, workspace_at
from newsletter.cli.words import duration, moment
from newsletter.config import Workspace
from newsletter.errors import ContentError, UsageError
from newsletter.issue.folder import IssueFolder, find_issue, newest_issue, shown

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.compose.edition import Edition
    from newsletter.delivery.campaign import Campaign
    from newsletter.store.engine import Store


@click.command("send")
@click.argument("issue", required=False)
@click.option("--tag", type=LINE, help="Only subscribers with this tag.")
@click.option("--dry-run", is_flag=True, help="Check everything and show it; send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@patience_option
@click.pass_obj
def command(
    start: str, issue: str | None, tag: str | None, dry_run: bool, yes: bool, patience: float
) -> int:
    """Send an issue to the subscribers.

    ISSUE is a number (2.20), a folder or a file; default: the newest. It goes to
    everyone who is active and not suppressed, each once: the edition and the audience
    are frozen first. The same command again goes on where a crash, Ctrl-C or a limit of
    the rates stopped it, and never sends anything twice.

    Sending is approving: your name is put on record. Where [review] asks for more
    than that, an issue that is not approved is refused.

    Exits with 0 when all that may leave now has left, 1 when the issue has errors, 2
    when the campaign was paused or cancelled or the server cannot be used, 130 after
    Ctrl-C.
    """
    from newsletter.cli.sending import run_sender
    from newsletter.delivery.transports import transport_of
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    folder = find_issue(issue, workspace) if issue is not None else newest_issue(workspace)
    with open_store(workspace, cache=CACHE) as store:
        campaign = _current(store, folder, tag)
        if campaign is not None and _is_over(store, campaign):
            return 0
        kind = campaign.transport if campaign else workspace.config.transport.kind
        transport = transport_of(workspace, kind)
        intended = _intended(store, workspace, folder, tag) if campaign is None else 0
        edition = _composed(folder, workspace, campaign)
        for name, text in _facts(store, workspace, edition, campaign, intended, tag=tag, kind=kind):
            click.echo(f"{name:<11} {text}")
        if dry_run:
            click.echo("a dry run: nothing was frozen, nothing was sent")
            return 0
        if not yes:
            click.confirm("Send it?" if campaign is None else "Go on?", abort=True)
        campaign = _frozen(store, workspace, edition, tag=tag, kind=kind)
        del edition  # the sender runs long
        return run_sender(store, workspace, campaign, transport, patience=patience)


def _frozen(
    store: Store, workspace: Workspace, edition: Edition, *, tag: str | None, kind: str
) -> Campaign:
    """Freeze edition and audience, with the approval of whoever sends where there is none."""
    from newsletter.calendar.permission import permit_by_hand
    from newsletter.delivery.campaign import freeze

    now, who = datetime.now(UTC), actor(workspace)

    def permit(conn: sa.Connection) -> None:
        permit_by_hand(conn, workspace, edition, tag=tag, now=now, actor=who)

    made, _ = freeze(
        store, workspace, edition, tag=tag, transport=kind, now=now, actor=who, permit=permit
    )
    return made


def _current(store: Store, folder: IssueFolder, tag: str | None) -> Campaign | None:
    """The campaign of this issue and audience, if there is one that was not cancelled."""
    from newsletter.delivery.campaign import audience_of, current

    with store.read() as conn:
        return current(conn, number_named(folder.path.resolve().name), audience_of(tag))


def _is_over(store: Store, campaign: Campaign) -> bool:
    """Whether everything was sent; says when. Raises UsageError if it is paused."""
    from newsletter.delivery.ledger import counts
    from newsletter.delivery.model import State

    if campaign.state is State.PAUSED:
        why = f": {campaign.reason}" if campaign.reason else ""
        raise UsageError(
            f"{title(campaign)} is paused{why}",
            hint=f"{command_for('resume', campaign)} goes on with it",
        )
    if campaign.state is not State.COMPLETED:
        return False
    with store.read() as conn:
        found = counts(conn, campaign.id)
    at = f"{campaign.updated_at:%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"{title(campaign)} was sent: completed at {at}, {found.accepted:,} of "
        f"{plural(found.intended, 'message')} accepted; nothing to do"
    )
    click.echo(f"{command_for('status', campaign)} tells more", err=True)
    return True


def _composed(folder: IssueFolder, workspace: Workspace, campaign: Campaign | None) -> Edition:
    """Compose the issue, and see that it is still what was frozen, where something was.

    Raises:
        ContentError: it has errors.
        UsageError: it was changed since it was frozen.
    """
    from newsletter.cli.composing import composed_apart

    changed = None
    try:
        edition = composed_apart(folder, workspace)
    except ContentError as error:
        if campaign is None:
            raise
        changed = error
    else:
        if campaign is None or edition.hash == campaign.edition_hash:
            return edition
    raise UsageError(
        f"{shown(folder.path)} was changed since Vol {campaign.number} was frozen as "
        f"{campaign.edition_hash[:16]}, and what is frozen is what is sent",
        hint=f"{command_for('resume', campaign)} goes on with the frozen edition; "
        f"{command_for('cancel', campaign)} ends it, and the changed issue can be sent "
        "to those who have not got it",
    ) from changed


def _facts(
    store: Store,
    workspace: Workspace,
    edition: Edition,
    campaign: Campaign | None,
    intended: int,
    *,
    tag: str | None,
    kind: str,
) -> Iterator[tuple[str, str]]:
    """What is about to be sent, to how many, by what and how fast."""
    from newsletter.delivery.ledger import counts
    from newsletter.delivery.pace import Pace

    approval = _approval(store, workspace, edition) if campaign is None else ""
    tagged = f" with the tag “{tag}”" if tag is not None else ""
    yield "subject", edition.view.subject
    yield "edition", f"Vol {edition.number}, {edition.hash[:16]}"
    if approval:
        yield "approval", approval
    now = datetime.now(UTC)
    pace = Pace(workspace.config.rates)
    with store.read() as conn:
        if campaign is None:
            pending = intended
            yield "audience", f"{plural(intended, 'subscriber')}{tagged}"
        else:
            found = counts(conn, campaign.id)
            pending = found.pending
            frozen = f"frozen at {moment(campaign.created_at, now)}; {pending:,} pending"
            yield "audience", f"{plural(found.intended, 'subscriber')}{tagged}, {frozen}"
        yield "transport", transport_words(workspace, kind)
        yield from pace.lines(conn, now)
        expected = pace.time_for(conn, pending, now)
    if expected is not None:
        yield "expected", f"{duration(expected.total_seconds())} at these rates, or longer"


def _approval(store: Store, workspace: Workspace, edition: Edition) -> str:
    """Who approved it. Raises UsageError where somebody else must, before it can be sent."""
    from newsletter.calendar.approval import in_words, names, state_of
    from newsletter.calendar.permission import is_up_to_the_sender

    with store.read() as conn:
        state = state_of(conn, workspace, edition.number, edition)
        if is_up_to_the_sender(conn, workspace, edition):
            return f"{in_words(state)}; who sends it approves it"
    return f"by {names(state)}"


def _intended(store: Store, workspace: Workspace, folder: IssueFolder, tag: str | None) -> int:
    """How many would get it. Raises UsageError if nobody, saying how to change that."""
    from newsletter.audience.subscribers import count, eligible, everyone
    from newsletter.delivery.campaign import intended_audience

    number = number_named(folder.path.resolve().name)
    with store.read() as conn:
        intended = intended_audience(conn, number, tag=tag)
        if intended:
            return intended
        if count(conn, eligible(tag=tag)):
            raise UsageError(
                f"everybody who may be mailed has a delivery of Vol {number} already",
                hint=f"newsletter status {number} tells by which campaign",
            )
        if tag is not None and count(conn, eligible()):
            raise UsageError(
                f"nobody with the tag “{tag}” may be mailed",
                hint="newsletter subscribers stats lists the tags",
            )
        if count(conn, everyone()):
            raise UsageError(
                "nobody on the list may be mailed: all are pending, paused, suppressed or gone",
                hint="newsletter subscribers stats counts them",
            )
    if any(workspace.subscribers.glob("*.csv")):
        raise UsageError(
            f"the list is empty; the files in {shown(workspace.subscribers)} are not imported yet",
            hint='newsletter subscribers import --consent "how these people agreed"',
        )
    raise UsageError(
        "the list is empty",
        hint='newsletter subscribers import FILE.csv --consent "how these people agreed"',
    )
