"""`newsletter approve` and `unapprove` as editors meet them; `send` where review asks for more."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest
from people_on_the_list import Add


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def query(workspace: Path, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(workspace / ".newsletter" / "newsletter.db") as connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


@pytest.fixture
def scheduled(workspace: Path) -> Path:
    """A workspace with a slot every two weeks, far ahead of any clock."""
    edit(workspace / "newsletter.toml", "# first = 2026-12-01", "first = 2126-12-03")
    return workspace


def test_what_is_approved_is_shown_first_and_then_where_it_goes(run, scheduled):
    result = run("approve", "2.24", "--as", "kim", "--yes")
    assert result.returncode == 0, result.stderr
    for line in (
        r"issue       Vol 2\.24, December 26, 2023",
        r"subject     Pacific Alliance Digest Vol 2\.24: Japan eases .*",
        r"preheader   Tokyo lifts .*",
        r"headlines   1 Japan eases arms export rules .*",
        r"            5 Court orders Okinawa .*",
        r"size        \d+ kB of HTML, PDF of 2 pages",
        r"checks      no errors, no warnings",
        r"edition     [0-9a-f]{16}",
        r"so far      nothing approved",
        r"Vol 2\.24 is approved by kim, as edition [0-9a-f]{16}",
        r"it stands in the slot of Tue 3 December 2126, 09:53 America/New_York; .*",
    ):
        assert re.search(rf"(?m)^{line}$", result.stdout), line
    again = run("approve", "2.24", "--as", "kim", "--yes")
    assert again.returncode == 0
    assert "kim approved exactly this already; nothing changed" in again.stdout
    assert query(scheduled, "SELECT actor, action FROM audit") == [("kim", "approval.give")]


def test_without_a_yes_nothing_is_approved(run, workspace):
    result = run("approve", "2.24", "--as", "kim", input="n\n", stdin=None)
    assert result.returncode == 130
    assert "Approve it as kim?" in result.stdout
    assert query(workspace, "SELECT * FROM approval") == []
    assert query(workspace, "SELECT * FROM edition") == []


def test_without_a_schedule_it_says_what_sends_it(run, workspace):
    result = run("approve", "2.24", "--yes")
    assert "there is no schedule: newsletter send 2.24 sends it now" in result.stdout


def test_who_approves_is_as_then_the_environment(run, workspace):
    environment = {**os.environ, "NEWSLETTER_ACTOR": "lee"}
    assert (
        "approved by kim" in run("approve", "2.23", "--as", "kim", "--yes", env=environment).stdout
    )
    assert "approved by lee" in run("approve", "2.24", "--yes", env=environment).stdout
    nobody = run("approve", "2.22", "--as", " ", "--yes")
    assert nobody.returncode == 2
    assert "--as is no name" in nobody.stderr


def test_errors_stand_in_the_way_and_are_listed(run, workspace):
    (workspace / "issues/vol-2-24/hero.jpg").unlink()
    result = run("approve", "2.24", "--yes")
    assert result.returncode == 1
    assert "NL" in result.stderr
    assert "has 1 error and was not composed" in result.stderr


def test_warnings_are_listed_counted_and_kept_with_the_approval(run, workspace):
    edit(workspace / "issues/vol-2-24/issue.md", "The cabinet in", "The the cabinet in")
    result = run("approve", "2.24", "--as", "kim", "--yes")
    assert result.returncode == 0, result.stderr
    (code,) = re.findall(r"issue\.md:\d+:\d+: warning (NL\d+)", result.stderr)
    assert "checks      no errors, 1 warning" in result.stdout
    ((checklist,),) = query(workspace, "SELECT checklist FROM approval")
    assert f": {code}: " in str(checklist)


def test_issue_elsewhere_is_refused(run, workspace, tmp_path):
    copy = tmp_path / "vol-2-24"
    (workspace / "issues/vol-2-24").rename(copy)
    result = run("approve", str(copy), "--yes")
    assert result.returncode == 2
    assert "does not lie in issues" in result.stderr


def test_what_changed_since_the_last_approval_is_shown(run, workspace):
    run("approve", "2.24", "--as", "kim", "--yes")
    edit(workspace / "issues/vol-2-24/issue.md", "The cabinet in", "The new cabinet in")
    edit(workspace / "newsletter.toml", 'reason = "You', 'reason = "Now you')
    result = run("approve", "2.24", "--as", "lee", "--yes")
    changed = "issue.md, configuration: footer.reason"
    assert f"so far      changed since it was approved: {changed}\n" in result.stdout
    assert "--- as kim approved it, " in result.stdout
    assert re.search(r"(?m)^-   The cabinet in Tokyo", result.stdout)
    assert re.search(r"(?m)^\+   The new cabinet in Tokyo", result.stdout)
    assert f"changed     {changed}\n" in result.stdout
    assert "Vol 2.24 is approved by lee" in result.stdout


def test_unapprove_says_that_nothing_is_sent_or_what_is_sent_instead(run, scheduled):
    for number in ("2.23", "2.24"):
        run("approve", number, "--yes")
    day = "Tuesday 3 December"
    first = run("unapprove", "2.23", "--reason", "a source withdrew")
    assert first.stdout == (
        f"Vol 2.23 is no longer approved: Vol 2.24 now stands in the slot of {day}\n"
    )
    second = run("unapprove", "2.24", "--reason", "wait")
    assert second.stdout == (
        f"Vol 2.24 is no longer approved: nothing is sent at the slot of {day}\n"
    )
    third = run("unapprove", "2.24", "--reason", "wait")
    assert (third.returncode, third.stdout) == (0, "Vol 2.24 was not approved; nothing changed\n")
    assert run("unapprove", "2.24").returncode == 2  # a reason is wanted
    assert run("unapprove", "2.24", "--reason", " ").returncode == 2


def test_sending_by_hand_is_an_approval_by_whoever_confirms(run, workspace, add: Add):
    add("ada")
    result = run("send", "2.24", "--yes", env={**os.environ, "NEWSLETTER_ACTOR": "kim"})
    assert result.returncode == 0, result.stderr
    assert "approval    nothing approved; who sends it approves it" in result.stdout
    assert query(workspace, "SELECT approved_by, revoked_at FROM approval") == [("kim", None)]
    too_late = run("unapprove", "2.24", "--reason", "oh")
    assert too_late.returncode == 2
    assert "cannot be unapproved: its campaign is completed" in too_late.stderr
    assert "nothing to approve" in run("approve", "2.24", "--yes").stdout


def test_send_refuses_what_is_not_approved_where_review_asks_for_two(run, workspace, add: Add):
    add("ada")
    edit(workspace / "newsletter.toml", "approvals = 1", "approvals = 2")
    run("approve", "2.24", "--as", "kim", "--yes")
    refused = run("send", "2.24", "--yes")
    assert refused.returncode == 2
    assert "Vol 2.24 is not approved: needs another approval; so far kim" in refused.stderr
    assert "2 people must approve it" in refused.stderr
    assert not (workspace / "outbox").exists()
    assert "is approved by kim and lee" in run("approve", "2.24", "--as", "lee", "--yes").stdout
    sent = run("send", "2.24", "--yes")
    assert sent.returncode == 0, sent.stderr
    assert "approval    by kim and lee" in sent.stdout
    assert "1 of 1 message accepted" in sent.stdout
