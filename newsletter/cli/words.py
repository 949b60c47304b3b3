"""Durations, speeds and moments in words, as status and send print them."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

from newsletter.cli.shared import plural

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def duration(seconds: float) -> str:
    """ "2 hours 10 minutes": at most two units, rounded up; at least a second."""
    left = max(1, ceil(seconds))
    for size, grain in ((86_400, 3_600), (3_600, 60)):
        if left >= size:
            left = -(-left // grain) * grain
            break
    parts = []
    for word, size in _UNITS:
        number, left = divmod(left, size)
        if number:
            parts.append(plural(number, word))
    return " ".join(parts[:2])


def speed(per_second: float) -> str:
    """ "412 a second", "12 a minute"."""
    if per_second >= 1:
        return f"{per_second:,.0f} a second"
    if per_second * 60 >= 1:
        return f"{per_second * 60:,.0f} a minute"
    return f"{per_second * 3600:,.0f} an hour"


def distance(at: datetime, now: datetime) -> str:
    """ "in 3 days", "in 2 hours 5 minutes", "4 days ago"; *at* is local, and so count its days."""
    seconds = (at - now).total_seconds()
    days = abs((at.date() - now.astimezone(at.tzinfo).date()).days)
    far = plural(days, "day") if abs(seconds) >= 2 * 86_400 else duration(abs(seconds))
    return f"in {far}" if seconds > 0 else f"{far} ago"


def moment(at: datetime, now: datetime) -> str:
    """ "14:03 UTC" on the day of *now*, else "2024-01-09 14:03 UTC"."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    form = "%H:%M UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    return at.strftime(form)
