"""Write slots as an iCalendar file that can be subscribed to (RFC 5545, RFC 7986).

The same slots and *stamp* give the same bytes; subscribers' calendars know an entry
again by its slot's day, wherever the slot has been moved. Refuses to name people:
such a file is passed on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.calendar.slots import Slot
from newsletter.config import Config

REFRESH = timedelta(hours=6)  # how often subscribers may look for changes


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A slot as subscribers see it."""

    slot: Slot
    label: str = ""  # of the issue that stands in it, as in "Vol 2.20"
    description: str = ""
    cancelled: bool = False
    sequence: int = 0  # grows with each change of the entry (RFC 5545 §3.8.7.4)


def calendar_of(entries: Iterable[Entry], *, config: Config, stamp: datetime) -> bytes:
    """Give the text/calendar file of *entries*; *stamp* (aware) is when they were true."""
    from icalendar import Calendar, Event, vDuration  # 0.1 s

    title = config.newsletter.title
    calendar = Calendar()
    calendar.add("PRODID", "-//newsletter//calendar//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    # RFC 7986 §5.1 and §5.7, and the names that came before them.
    calendar.add("NAME", title)
    calendar.add("X-WR-CALNAME", title)
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", vDuration(REFRESH))
    for entry in entries:
        event = Event()
        event.add("UID", f"slot-{entry.slot.day.isoformat()}@{config.list_id}")
        event.add("DTSTAMP", stamp.astimezone(UTC))
        # Without an end: a slot is a moment, and takes nobody's time (RFC 5545 §3.6.1).
        event.add("DTSTART", entry.slot.starts_at)
        event.add("TRANSP", "TRANSPARENT")
        event.add("SUMMARY", f"{title} {entry.label}".rstrip())
        about = "\n".join(text for text in (entry.description, entry.slot.note) if text)
        if about:
            event.add("DESCRIPTION", about)
        event.add("STATUS", "CANCELLED" if entry.cancelled else "CONFIRMED")
        event.add("SEQUENCE", entry.sequence)
        calendar.add_component(event)
    return bytes(calendar.to_ical(sorted=False))
