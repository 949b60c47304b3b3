"""The iCalendar file: what a subscriber's calendar reads is what the schedule says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from icalendar import Calendar

from newsletter.calendar.ical import Entry, calendar_of
from newsletter.calendar.slots import upcoming
from newsletter.config import load
from newsletter.config.schedule import ScheduleConfig

CONFIG = load(Path(__file__).parents[2] / "newsletter.toml")
STAMP = datetime(2026, 11, 1, 12, 0, 0, 5, tzinfo=UTC)
SCHEDULE = ScheduleConfig(
    first=date(2026, 12, 1),
    timezone="America/New_York",
    shift="previous-workday",
    holidays=("US", "JP"),
)
SLOTS = list(islice(upcoming(SCHEDULE, STAMP), 30))
ENTRIES = [Entry(slot=slot) for slot in SLOTS]


def events(entries: list[Entry]) -> list[dict[str, object]]:
    data = calendar_of(entries, config=CONFIG, stamp=STAMP)
    parsed = Calendar.from_ical(data)
    assert parsed.errors == []
    return parsed.walk("VEVENT")


def test_each_slot_is_an_event_at_its_moment_in_utc():
    assert [event["DTSTART"].dt for event in events(ENTRIES)] == [slot.starts_at for slot in SLOTS]
    assert b"DTSTART:20261201T145300Z\r\n" in calendar_of(ENTRIES, config=CONFIG, stamp=STAMP)


def test_same_slots_and_stamp_give_the_same_bytes():
    one, other = (calendar_of(ENTRIES, config=CONFIG, stamp=STAMP) for _ in range(2))
    assert one == other
    assert b"DTSTAMP:20261101T120000Z\r\n" in one


def test_event_is_known_by_day_and_newsletter_wherever_the_slot_moves():
    moved = dataclasses.replace(SLOTS[0], starts_at=SLOTS[0].starts_at + timedelta(days=1))
    before, after = events([Entry(slot=SLOTS[0]), Entry(slot=moved, sequence=1)])
    assert before["UID"] == after["UID"] == "slot-2026-12-01@newsletter.news.example.org"
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert before["DTSTART"].dt != after["DTSTART"].dt
    assert len({event["UID"] for event in events(ENTRIES)}) == len(ENTRIES)


def test_summary_names_newsletter_and_issue_and_the_note_stands_below():
    named = Entry(slot=SLOTS[0], label="Vol 2.20", description="approved")
    shifted = next(slot for slot in SLOTS if slot.note)
    one, other = events([named, Entry(slot=shifted, description="nothing approved")])
    assert one["SUMMARY"] == "Pacific Alliance Digest Vol 2.20"
    assert one["DESCRIPTION"] == "approved"
    assert other["SUMMARY"] == "Pacific Alliance Digest"
    assert other["DESCRIPTION"] == f"nothing approved\n{shifted.note}"


def test_slot_without_a_note_has_no_description():
    assert "DESCRIPTION" not in events([Entry(slot=SLOTS[0])])[0]


def test_skipped_slot_is_cancelled_and_the_others_confirmed():
    one, other = events([Entry(slot=SLOTS[0], cancelled=True), Entry(slot=SLOTS[1])])
    assert (one["STATUS"], other["STATUS"]) == ("CANCELLED", "CONFIRMED")


def test_file_says_what_it_is_called_and_how_often_to_look():
    calendar = Calendar.from_ical(calendar_of(ENTRIES, config=CONFIG, stamp=STAMP))
    assert calendar["X-WR-CALNAME"] == calendar["NAME"] == "Pacific Alliance Digest"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=6)
    assert calendar["X-PUBLISHED-TTL"] == "PT6H"
    assert calendar["VERSION"] == "2.0"
    # An interval for which RFC 7986 §5.7 has no default type; a METHOD would demand an organizer.
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n" in calendar.to_ical()
    assert "METHOD" not in calendar


def test_calendar_without_slots_is_still_a_calendar():
    data = calendar_of([], config=CONFIG, stamp=STAMP)
    assert data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert data.endswith(b"END:VCALENDAR\r\n")


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=300))
def test_any_text_is_escaped_and_folded_and_read_back(text):
    assume("\\N" not in text)  # which the library takes for a line break before it escapes
    title = f"A{text}Z"
    newsletter = msgspec.structs.replace(CONFIG.newsletter, title=title)
    config = msgspec.structs.replace(CONFIG, newsletter=newsletter)
    entry = Entry(slot=SLOTS[0], description=f"{title}\n{title}")
    data = calendar_of([entry], config=config, stamp=STAMP)
    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)  # octets, RFC 5545 §3.1
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    for line in lines:
        line.decode()  # no character is cut in two
    event = Calendar.from_ical(data).walk("VEVENT")[0]
    assert event["SUMMARY"] == title
    assert event["DESCRIPTION"] == f"{title}\n{title}"
