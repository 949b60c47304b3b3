"""`newsletter send`: one message per subscriber, into an outbox folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.progress import progress_bar
from newsletter.cli.shared import FOLDER, LINE, composed_issue, plural, workspace_at
from newsletter.config import Workspace
from newsletter.errors import UsageError
from newsletter.issue.folder import shown

if TYPE_CHECKING:
    from newsletter.delivery.send import Summary
    from newsletter.store.engine import Store

SHOWN_REJECTS = 10


@click.command("send")
@click.argument("issue", required=False)
@click.option(
    "--to",
    type=FOLDER,
    help="Outbox folder; default: outbox/ in the workspace.",
)
@click.option("--tag", type=LINE, help="Only subscribers with this tag.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(start: str, issue: str | None, to: Path | None, tag: str | None, yes: bool) -> None:
    """Send an issue to the subscribers.

    ISSUE is a number (2.20), a folder or a file; default: the newest. It goes to
    everyone who is active and not suppressed. Messages go into an outbox folder, one
    .eml file per subscriber; sending again overwrites them and never adds a second
    one.
    """
    from newsletter.audience.links import links_of
    from newsletter.audience.subscribers import eligible, iterate
    from newsletter.compose.edition import planned_date
    from newsletter.compose.message import MessageTemplate, headers_of
    from newsletter.delivery.send import send
    from newsletter.delivery.transports.outbox import Outbox
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store:
        total = _audience(store, workspace, tag)
        sound, edition = composed_issue(issue, workspace)
        outbox = Outbox((to or workspace.root / "outbox") / sound.number.folder)
        headers = headers_of(edition.view, workspace.config, planned_date(edition.view, workspace))
        click.echo(f"subject:  {headers.subject}")
        click.echo(f"edition:  Vol {edition.number}, {edition.hash[:16]}")
        tagged = f" with the tag “{tag}”" if tag else ""
        click.echo(f"audience: {plural(total, 'subscriber')}{tagged}")
        click.echo(f"outbox:   {shown(outbox.folder)}")
        if not yes:
            click.confirm("Write the messages?", abort=True)
        message = MessageTemplate(
            headers, edition.files["email.html"].decode(), edition.files["email.txt"].decode()
        )
        # Read anew: who left while the question stood is not mailed.
        with store.read() as conn, progress_bar(total, "writing") as on_progress:
            summary = send(
                message,
                iterate(conn, eligible(tag=tag)),
                links_of(workspace),
                outbox,
                edition=edition.number,
                web_url=edition.view.issue_url,
                on_progress=on_progress,
            )
    _report(summary)


def _audience(store: Store, workspace: Workspace, tag: str | None) -> int:
    """How many may be mailed. Raises UsageError if nobody, saying how to change that."""
    from newsletter.audience.subscribers import count, eligible, everyone

    with store.read() as conn:
        total = count(conn, eligible(tag=tag))
        if total:
            return total
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


def _report(summary: Summary) -> None:
    click.echo(f"{plural(summary.accepted, 'message')} written, {len(summary.rejected)} rejected")
    for reason in summary.rejected[:SHOWN_REJECTS]:
        click.echo(f"  {reason}", err=True)
    if len(summary.rejected) > SHOWN_REJECTS:
        click.echo(f"  … and {len(summary.rejected) - SHOWN_REJECTS:,} more", err=True)
    if summary.rejected:
        click.echo("  newsletter subscribers show NUMBER tells who that is", err=True)
