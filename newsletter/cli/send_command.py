"""`newsletter send`: one message per subscriber, into an outbox folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from newsletter.cli.shared import plural, sound_issue, workspace_at
from newsletter.issue.folder import shown

SHOWN_REJECTS = 10


@click.command("send")
@click.argument("issue", required=False)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Outbox folder; default: outbox/ in the workspace.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(start: str, issue: str | None, to: Path | None, yes: bool) -> None:
    """Send an issue to the subscribers.

    ISSUE is a number (2.20), a folder or a file; default: the newest. Messages go
    into an outbox folder, one .eml file per subscriber; sending again overwrites
    them and never adds a second one.
    """
    from newsletter.audience.links import links_of
    from newsletter.audience.subscribers import read_folder
    from newsletter.compose.edition import compose, planned_date
    from newsletter.compose.message import MessageTemplate, headers_of
    from newsletter.delivery.send import send
    from newsletter.delivery.transports.outbox import Outbox

    workspace = workspace_at(start)
    folder, sound = sound_issue(issue, workspace)
    edition = compose(sound, folder, workspace)
    outbox = Outbox((to or workspace.root / "outbox") / sound.number.folder)
    headers = headers_of(edition.view, workspace.config, planned_date(edition.view, workspace))
    total = sum(1 for _ in read_folder(workspace.subscribers))
    click.echo(f"subject:  {headers.subject}")
    click.echo(f"edition:  Vol {edition.number}, {edition.hash[:16]}")
    click.echo(f"audience: {plural(total, 'subscriber')} in {shown(workspace.subscribers)}")
    click.echo(f"outbox:   {shown(outbox.folder)}")
    if not yes:
        click.confirm("Write the messages?", abort=True)
    message = MessageTemplate(
        headers, edition.files["email.html"].decode(), edition.files["email.txt"].decode()
    )
    with _progress(total) as on_progress:
        summary = send(
            message,
            read_folder(workspace.subscribers),
            links_of(workspace),
            outbox,
            edition=edition.number,
            web_url=edition.view.issue_url,
            on_progress=on_progress,
        )
    click.echo(f"{plural(summary.accepted, 'message')} written, {len(summary.rejected)} rejected")
    for reason in summary.rejected[:SHOWN_REJECTS]:
        click.echo(f"  {reason}", err=True)
    if len(summary.rejected) > SHOWN_REJECTS:
        click.echo(f"  … and {len(summary.rejected) - SHOWN_REJECTS:,} more", err=True)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=total, label="writing", file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)
