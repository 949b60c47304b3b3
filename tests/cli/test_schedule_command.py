"""`newsletter schedule`: plain to read, the same in JSON and in a calendar."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

KEYS = (
    "day starts_at local timezone note state reason issue standing approved_by changes "
    "approvals_missing errors approve_by held_until"
).split()


@pytest.fixture
def first(workspace: Path) -> date:
    """A slot every two weeks; the first is three days ahead."""
    day = datetime.now(UTC).date() + timedelta(days=3)
    file = workspace / "newsletter.toml"
    text = file.read_text(encoding="utf-8").replace("# first = 2026-12-01", f"first = {day}")
    text = text.replace('timezone = "America/New_York"', 'timezone = "UTC"')
    file.write_text(text, encoding="utf-8")
    return day


def put_row(workspace: Path, day: date, state: str, reason: str = "") -> None:
    at = int(datetime(day.year, day.month, day.day, 9, 53, tzinfo=UTC).timestamp()) * 1_000_000
    with sqlite3.connect(workspace / ".newsletter" / "newsletter.db") as connection:
        connection.execute(
            "INSERT INTO slot (day, starts_at, state, reason, updated_at) VALUES (?, ?, ?, ?, ?)",
            (day.isoformat(), at, state, reason, at),
        )
    connection.close()


def test_without_a_schedule_it_says_how_to_make_one(run):
    result = run("schedule")
    assert result.returncode == 2
    assert "newsletter.toml has no schedule" in result.stderr
    assert 'every = "2 weeks"' in result.stderr


def test_who_must_do_what_by_when_stands_below_each_slot(run, workspace, first):
    draft = run("schedule", "--count", "3")
    assert draft.returncode == 0, draft.stderr
    when = f"{first:%a} {first.day} {first:%b} 09:53"
    text = " ".join(draft.stdout.split())
    assert f"{first:%a} {first.day} {first:%B %Y}, 09:53 UTC, in 3 days" in text
    assert "Vol 2.24: draft, nothing approved somebody must approve it by" in text
    assert f"by {when}, or nothing is sent: newsletter approve 2.24" in text
    assert text.count("no issue yet") == 2
    assert text.count("newsletter new makes one") == 1
    run("approve", "2.24", "--as", "kim", "--yes")
    assert "Vol 2.24: approved by kim" in run("schedule").stdout
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("The cabinet", "The new cabinet"))
    assert "Vol 2.24: changed since it was approved: issue.md" in run("schedule").stdout
    (workspace / "issues/vol-2-24/hero.jpg").unlink()
    assert "newsletter check 2.24 lists what is wrong" in run("schedule").stdout


def test_lines_fit_a_terminal_and_commands_are_not_broken(run, workspace, first):
    run("schedule")
    put_row(workspace, first - timedelta(days=14), "late", "found 9 hours after its time")
    put_row(workspace, first, "holding")
    (workspace / "issues/vol-2-24/hero.jpg").unlink()
    result = run("schedule")
    assert max(map(len, (result.stdout + result.stderr).splitlines())) <= 80
    assert "newsletter check 2.24" in result.stdout
    assert f"newsletter send-late {first - timedelta(days=14)}" in result.stdout
    assert "newsletter stop stops it" in result.stdout.replace("\n    ", " ")


def test_held_issue_that_nobody_approves_any_more_is_shown_to_stay_here(run, workspace, first):
    run("approve", "2.24", "--as", "kim", "--yes")
    put_row(workspace, first, "holding")
    with sqlite3.connect(workspace / ".newsletter" / "newsletter.db") as connection:
        connection.execute("UPDATE slot SET number = '2.24'")
    connection.close()
    assert "it will not go out" not in run("schedule").stdout
    run("unapprove", "2.24", "--reason", "wait")
    text = " ".join(run("schedule").stdout.split())
    assert "Vol 2.24: holding; it will not go out: draft, nothing approved" in text


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("sent", "sent"),
        ("skipped", "skipped: nothing was approved\n  newsletter send-late {day} sends what is"),
        ("stopped", "stopped\n  newsletter send-late {day} sends it after all, until the next"),
        ("late", "late\n  newsletter send-late {day} sends what is approved, until the next"),
    ],
)
def test_past_slot_says_what_became_of_it_and_what_can_be_done(run, workspace, first, state, what):
    run("schedule")
    reason = "nothing was approved" if state == "skipped" else ""
    day = first - timedelta(days=14)
    put_row(workspace, day, state, reason)
    put_row(workspace, day - timedelta(days=14), "late")
    result = run("schedule", "--count", "1")
    earlier, before, after = result.stdout.split("\n\n")
    assert "newsletter" not in earlier  # it is past helping
    assert "11 days ago" in before
    assert what.format(day=day) in before
    assert "in 3 days" in after


def test_json_has_the_same_keys_for_every_slot(run, workspace, first):
    run("approve", "2.24", "--as", "kim", "--yes")
    put_row(workspace, first - timedelta(days=14), "skipped", "nothing was approved")
    records = json.loads(run("schedule", "--json", "--count", "2").stdout)
    assert [list(record) for record in records] == [KEYS] * 3
    skipped, approved, empty = records
    assert (skipped["state"], skipped["reason"]) == ("skipped", "nothing was approved")
    assert (approved["issue"], approved["standing"]) == ("2.24", "approved")
    assert (approved["approved_by"], approved["approve_by"]) == (["kim"], None)
    assert (empty["issue"], empty["standing"], empty["errors"]) == (None, None, None)
    assert empty["approve_by"] == empty["local"]
    assert approved["day"] == first.isoformat()
    assert approved["starts_at"] == f"{first}T09:53:00+00:00"


def test_calendar_file_parses_and_its_dates_are_those_of_json(run, workspace, first):
    run("approve", "2.24", "--as", "kim", "--yes")
    put_row(workspace, first - timedelta(days=14), "skipped", "nothing was approved")
    put_row(workspace, first + timedelta(days=14), "skipped")
    records = json.loads(run("schedule", "--json", "--count", "30").stdout)
    written = run("schedule", "--ical", "slots.ics", "--count", "30")
    assert written.returncode == 0, written.stderr
    calendar = Calendar.from_ical((workspace / "slots.ics").read_bytes())
    assert calendar.errors == []
    events = calendar.walk("VEVENT")
    assert [event["DTSTART"].dt.isoformat() for event in events] == [
        record["starts_at"] for record in records
    ]
    assert [event["STATUS"] == "CANCELLED" for event in events] == [
        record["state"] == "skipped" for record in records
    ]
    assert len({event["UID"] for event in events}) == len(records) == 31
    assert "kim" not in (workspace / "slots.ics").read_text(encoding="utf-8")
    assert (workspace / "slots.ics").stat().st_mode & 0o777 == 0o644


def test_calendar_is_written_anew_and_nothing_else_is_replaced(run, workspace, first):
    assert run("schedule", "--ical", "slots.ics").returncode == 0
    assert run("schedule", "--ical", "slots.ics", "--count", "1").returncode == 0
    assert (workspace / "slots.ics").read_bytes().count(b"BEGIN:VEVENT") == 1
    assert run("schedule", "--ical", "-").stdout.startswith("BEGIN:VCALENDAR")
    before = (workspace / "people.txt").read_bytes()
    refused = run("schedule", "--ical", "people.txt")
    assert refused.returncode == 2
    assert re.search("people.txt is there and is no calendar", refused.stderr)
    assert (workspace / "people.txt").read_bytes() == before
