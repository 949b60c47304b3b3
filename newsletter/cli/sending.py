"""Run the sender in this terminal: what `send`, `resume` and `resend` end with.

Shows how it goes while somebody watches, and says at the end what became of the
messages and what to do next. Decides nothing about who gets mail.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaign_view import View, advice, glance, look, reply_groups
from newsletter.cli.campaigns import title
from newsletter.cli.shared import plural
from newsletter.cli.words import moment
from newsletter.errors import TransportError

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.delivery.ledger import Counts
    from newsletter.delivery.sender import Summary
    from newsletter.delivery.transport import Transport
    from newsletter.store.engine import Store

INTERRUPTED = 130
CACHE = 4_096  # KiB of the database: who sends, or looks on, meets each row once
_REDRAW = 1.0  # seconds


patience_option = click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=900,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for rates and further tries before it ends.",
)


def run_sender(
    store: Store,
    workspace: Workspace,
    campaign: Campaign,
    transport: Transport,
    *,
    patience: float,
) -> int:
    """Send what is pending, tell what came of it, and return the exit code.

    0: all that can go out now went out; 2: paused or cancelled; 130: interrupted.

    Raises:
        SenderBusy: another sender is at work on it.
        StorageError, TransportError: what was known is in the ledger or the journal.
    """
    from newsletter.delivery.sender import Ending, send

    try:
        with _progress(store, workspace, campaign) as on_progress:
            summary = send(
                store,
                workspace,
                campaign.id,
                transport,
                on_progress=on_progress,
                patience=patience,
            )
    except TransportError:
        _tell(_last_look(store, workspace, campaign), None)
        raise
    _tell(_last_look(store, workspace, campaign), summary)
    if summary.ending is Ending.INTERRUPTED:
        return INTERRUPTED
    return 2 if summary.ending in (Ending.PAUSED, Ending.CANCELLED) else 0


@contextmanager
def _progress(
    store: Store, workspace: Workspace, campaign: Campaign
) -> Iterator[Callable[[Counts], object]]:
    """Yield what the sender calls now and then; on a terminal it redraws the table of status."""
    if not sys.stderr.isatty():
        yield lambda counts: None
        return
    from rich.console import Console
    from rich.live import Live

    from newsletter.cli.watching import Speedometer, table
    from newsletter.delivery.campaign import get

    with store.read() as conn:
        sent = get(conn, campaign.id)  # resumed meanwhile
    meter = Speedometer()
    drawn = -_REDRAW
    console = Console(stderr=True, highlight=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def redraw(counts: Counts) -> None:
            nonlocal drawn
            at = time.monotonic()
            if at - drawn < _REDRAW:
                return
            drawn = at
            view = glance(store, workspace, sent, counts, datetime.now(UTC))
            view = view.measured(meter.speed(counts, at))
            live.update(table(view, height=console.height), refresh=True)

        yield redraw


def _last_look(store: Store, workspace: Workspace, campaign: Campaign) -> View:
    from newsletter.delivery.campaign import get

    with store.read() as conn:
        now_it_is = get(conn, campaign.id)
    return look(store, workspace, now_it_is, datetime.now(UTC))


def _tell(view: View, summary: Summary | None) -> None:
    """Say what became of the messages: words to stdout, what to look at to stderr."""
    click.echo(_counted(view))
    if summary is not None and (ending := _ending_words(view, summary)):
        click.echo(ending)
    for heading, replies in reply_groups(view):
        click.echo(f"{heading}:", err=True)
        for reply, times in replies:
            click.echo(f"{times:>7,}  {reply}", err=True)
    for text in advice(view):
        click.echo(f"next: {text}", err=True)


def _counted(view: View) -> str:
    counts = view.counts
    others = "".join(
        f", {number:,} {word}"
        for word, number in (
            ("failed", counts.failed),
            ("suppressed", counts.suppressed),
            ("uncertain", counts.uncertain),
            ("pending", counts.pending),
        )
        if number
    )
    of = plural(counts.intended, "message")
    return f"{title(view.campaign)}: {counts.accepted:,} of {of} accepted{others}"


def _ending_words(view: View, summary: Summary) -> str:
    """Why it ended before everything was sent; nothing where it was."""
    from newsletter.delivery.sender import Ending

    why = f": {summary.reason}" if summary.reason else ""
    if summary.ending is Ending.COMPLETED:
        return ""
    if summary.ending is Ending.INTERRUPTED:
        return "stopped; what is pending was not handed over"
    if summary.ending is Ending.WAITING and summary.resumes_at is not None:
        return f"no more can go out before {moment(summary.resumes_at, view.now)}{why}"
    return f"{summary.ending}{why}"
