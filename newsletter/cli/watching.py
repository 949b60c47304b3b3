"""A campaign while it is under way: a table that redraws itself, or a line per change in a pipe.

Only looks; what it watches goes on without it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaign_view import (
    SHOWN_REPLIES,
    View,
    advice,
    facts,
    headline,
    look,
    reply_groups,
    state_words,
)
from newsletter.cli.campaigns import title
from newsletter.delivery.model import State

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.delivery.ledger import Counts
    from newsletter.store.engine import Store

_SECONDS = 10.0  # that a speed is measured over
_TALL = 30  # lines of a terminal that holds all replies
_FEW_REPLIES = 3
_BAR = 60  # columns
_COLORS = {"accepted": "green", "failed": "red", "suppressed": "blue", "uncertain": "yellow"}
_STYLES = {State.PAUSED: "yellow", State.CANCELLED: "red", State.COMPLETED: "green"}


class Speedometer:
    """Deliveries per second over the last seconds, from looks at how many have an outcome."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def speed(self, counts: Counts, at: float) -> float | None:
        """Take the counts of the moment *at* (seconds of a monotonic clock); None: too early."""
        decided = counts.accepted + counts.failed + counts.uncertain
        self._looks.append((at, decided))
        while self._looks[0][0] < at - _SECONDS:
            self._looks.popleft()
        first, before = self._looks[0]
        return (decided - before) / (at - first) if at - first >= 1 else None


def watch(
    read_campaign: Callable[[], Campaign],
    store: Store,
    workspace: Workspace,
    *,
    interval: float = 1.0,
) -> View:
    """Show the campaign until it is completed or cancelled; return the last look.

    *interval* is in seconds. On a terminal a table is redrawn; elsewhere a line is printed
    whenever something has changed.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    meter = Speedometer()

    def next_look() -> View:
        view = look(store, workspace, read_campaign(), datetime.now(UTC))
        return view.measured(meter.speed(view.counts, time.monotonic()))

    view = next_look()
    if not console.is_terminal:
        return _watch_in_lines(view, next_look, interval)
    with Live(table(view, height=console.height), console=console, auto_refresh=False) as live:
        while view.campaign.state in (State.SENDING, State.PAUSED):
            time.sleep(interval)
            view = next_look()
            live.update(table(view, height=console.height), refresh=True)
    return view


def _watch_in_lines(view: View, next_look: Callable[[], View], interval: float) -> View:
    printed = ""
    while True:
        said = _line(view)
        if said != printed:
            click.echo(f"{view.now:%H:%M:%S} UTC  {said}")
            printed = said
        if view.campaign.state not in (State.SENDING, State.PAUSED):
            return view
        time.sleep(interval)
        view = next_look()


def _line(view: View) -> str:
    counts = view.counts
    return (
        f"{title(view.campaign)}  {state_words(view)}  {counts.accepted:,} accepted, "
        f"{counts.failed:,} failed, {counts.uncertain:,} uncertain, {counts.pending:,} pending"
    )


def table(view: View, *, height: int) -> RenderableType:
    """Draw one look so that *height* lines hold it: title, bar, facts, replies, advice."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=10)
    grid.add_column()
    for name, text in facts(view):
        grid.add_row(name, Text(text, style=_style(view, name)))
    parts: list[RenderableType] = [_one_line(headline(view), "bold"), _bar(view.counts), grid]
    shown = SHOWN_REPLIES if height >= _TALL else _FEW_REPLIES
    for heading, replies in reply_groups(view):
        parts.append(Text(heading, style="dim"))
        parts += [_one_line(f"{times:>7,}  {reply}") for reply, times in replies[:shown]]
    parts += [Text(f"next: {text}", style="yellow") for text in advice(view)]
    return Group(*parts)


def _one_line(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _bar(counts: Counts) -> Text:
    """A line with a stretch for each status, in the colors of the numbers below it."""
    from rich.text import Text

    bar, drawn, total = Text(), 0, 0
    for status in (*_COLORS, "pending"):
        total += getattr(counts, status)
        end = round(_BAR * total / counts.intended) if counts.intended else 0
        bar.append("━" * (end - drawn), _COLORS.get(status, "bright_black"))
        drawn = end
    return bar


def _style(view: View, name: str) -> str:
    if name == "state":
        if view.campaign.state is State.SENDING:
            return "green" if state_words(view) == "sending" else "yellow"
        return _STYLES[view.campaign.state]
    return _COLORS[name] if getattr(view.counts, name, 0) and name in _COLORS else ""
