"""How the numbers look: an issue in lines, all issues in a table and a picture, JSON.

Reads nothing and decides nothing. Fits 80 columns, and says nothing by color.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from newsletter.stats.model import SHARES, IssueNumbers

_UNKNOWN = "not known"
_NOT_REPORTED = "not reported"
_REPORTED = ("delivered", "bounced", "complained")

_LEVELS = "▁▂▃▄▅▆▇█"
_PLAIN_LEVELS = "12345678"  # where the terminal has no blocks
_NONE, _GAP = "_", "."
_LABEL, _WORDS = 14, 20  # columns left and right of the picture


# ── one issue ───────────────────────────────────────────────────────────────


def as_text(numbers: IssueNumbers) -> str:
    """All numbers of an issue, a line each, with what they are."""
    to = f" to “{numbers.tag}”" if numbers.tag else ""
    at = numbers.first_delivery_at
    when = "nobody was reached yet" if at is None else f"first delivery {at:%Y-%m-%d %H:%M UTC}"
    lines = [f"Vol {numbers.number}{to}, {when}"]
    for group in (_handed_over(numbers), _reported(numbers), _moves(numbers), _views(numbers)):
        lines += ["", *group] if len(lines) > 1 else list(group)
    return "\n".join(lines)


def _handed_over(numbers: IssueNumbers) -> Iterator[str]:
    never = numbers.never_sent
    yield _line("intended", f"{numbers.intended:,}")
    yield _line("accepted", f"{numbers.accepted:,}", _share(numbers, "accepted"))
    yield _line("failed", f"{numbers.failed:,}")
    suppressed = "left or suppressed since it was frozen" if numbers.suppressed else ""
    yield _line("suppressed", f"{numbers.suppressed:,}", suppressed)
    yield _line("uncertain", f"{numbers.uncertain:,}")
    yield _line("pending", f"{numbers.pending:,}", f"{never:,} never to be sent" if never else "")


def _reported(numbers: IssueNumbers) -> Iterator[str]:
    yield _told(numbers, "delivered", "as reported")
    hard, soft = numbers.bounced_hard, numbers.bounced_soft
    kinds = "" if hard is None or soft is None else f"{hard:,} hard, {soft:,} soft"
    yield _told(numbers, "bounced", kinds)
    yield _told(numbers, "complained")
    yield _told(numbers, "unsubscribed", "after this issue")


def _moves(numbers: IssueNumbers) -> Iterator[str]:
    yield _told(numbers, "list_then", "when it was frozen")
    yield _told(numbers, "joined", "since the issue before")
    yield _told(numbers, "left", "since the issue before")
    yield _told(numbers, "growth")
    yield _line("list now", f"{numbers.list_now:,}")


def _views(numbers: IssueNumbers) -> Iterator[str]:
    yield _told(numbers, "web_views", "page loads, not people; without known robots")
    yield _told(numbers, "pdf_views")


def _told(numbers: IssueNumbers, name: str, note: str = "") -> str:
    value, label = getattr(numbers, name), name.replace("_", " ")
    if value is None:
        word = _NOT_REPORTED if name in _REPORTED else _UNKNOWN
        return f"  {label:<12}  {word}: {numbers.unknown[name]}"
    share = _share(numbers, name) if name in SHARES else ""
    text = _signed(value) if name == "growth" else f"{value:,}"
    return _line(label, text, "; ".join(filter(None, (share, note))))


def _share(numbers: IssueNumbers, name: str) -> str:
    share = numbers.share(name)
    return (
        "" if share is None or not getattr(numbers, name) else f"{percent(share)} of {SHARES[name]}"
    )


def percent(share: float) -> str:
    """ "97.5 %"; never 100 or 0 for what only comes near."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f} %"


def _line(name: str, text: str, note: str = "") -> str:
    return f"  {name:<12}{text:>12}  {note}".rstrip()


# ── all issues ──────────────────────────────────────────────────────────────

# Heading, value, and from how many columns of the terminal on it is shown.
_COLUMNS: tuple[tuple[str, Callable[[IssueNumbers], str], int], ...] = (
    ("issue", lambda one: f"Vol {one.number}", 0),
    ("sent", lambda one: f"{one.first_delivery_at:%Y-%m-%d}" if one.first_delivery_at else "-", 0),
    ("accepted", lambda one: _cell(one.accepted), 0),
    ("delivered", lambda one: _cell(one.delivered), 120),
    ("bounced", lambda one: _cell(one.bounced), 0),
    ("complained", lambda one: _cell(one.complained), 120),
    ("unsubscribed", lambda one: _cell(one.unsubscribed), 0),
    ("joined", lambda one: _cell(one.joined), 120),
    ("left", lambda one: _cell(one.left), 120),
    ("growth", lambda one: _signed(one.growth), 0),
    ("list", lambda one: _cell(one.list_then), 0),
)


def _signed(value: int | None) -> str:
    return f"{value:+,}" if value else _cell(value)


def _cell(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def table(issues: Sequence[IssueNumbers], width: int) -> str:
    """A row an issue, the newest first; *issues* are given oldest first."""
    columns = [column for column in _COLUMNS if width >= column[2]]
    rows = [[name for name, _, _ in columns]]
    rows += [[value(one) for _, value, _ in columns] for one in reversed(issues)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(size) if place < 2 else text.rjust(size)
            for place, (text, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def picture(issues: Sequence[IssueNumbers], width: int) -> str:
    """A line of bars for each measure, the oldest issue at the left."""
    shown = issues[-max(width - _LABEL - _WORDS, 10) :]
    growth = [one.growth for one in shown]
    bars = [
        _bars("list size", [one.list_then for one in shown], "most"),
        _bars("net gain", [None if g is None else max(g, 0) for g in growth], "most"),
        _bars("net loss", [None if g is None else max(-g, 0) for g in growth], "most"),
        _bars("unsubscribed", [one.unsubscribed for one in shown], "most"),
        _bars("bounced", [one.bounced for one in shown], "most"),
    ]
    first, last = shown[0].number, shown[-1].number
    legend = f"Vol {first} to {last}, from 0 to the most; {_NONE} is none, {_GAP} is not known"
    return "\n".join([*bars, " " * _LABEL + legend])


def _bars(name: str, values: Sequence[int | None], word: str) -> str:
    most = max((value for value in values if value is not None), default=0)
    levels = _LEVELS if _can_print(_LEVELS) else _PLAIN_LEVELS
    drawn = "".join(
        _GAP if value is None else levels[-(-value * len(levels) // most) - 1] if value else _NONE
        for value in values
    )
    known = any(value is not None for value in values)
    return f"{name:<{_LABEL}}{drawn}  {f'{word} {most:,}' if known else _UNKNOWN}"


def _can_print(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# ── JSON ────────────────────────────────────────────────────────────────────

_KEYS = (
    *("intended", "accepted", "failed", "suppressed", "uncertain", "pending", "never_sent"),
    *("delivered", "bounced", "bounced_hard", "bounced_soft", "complained", "unsubscribed"),
    *("list_then", "list_now", "joined", "left", "growth", "web_views", "pdf_views"),
)


def as_record(numbers: IssueNumbers) -> dict[str, Any]:
    """The keys are described in docs/how-to/statistics.md; they are only ever added to."""
    at = numbers.first_delivery_at
    shares = {name: numbers.share(name) for name in SHARES}
    return {
        "issue": numbers.number,
        "tag": numbers.tag,
        "first_delivery_at": None if at is None else at.isoformat(),
        **{name: getattr(numbers, name) for name in _KEYS},
        "shares": {
            name: {"of": SHARES[name], "share": None if share is None else round(share, 6)}
            for name, share in shares.items()
        },
        "unknown": dict(numbers.unknown),
    }
