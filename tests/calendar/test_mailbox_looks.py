"""The bounce mailbox in `newsletter run`: looked into on time, and never in the way of a slot."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.calendar.mailbox_looks import MailboxLooks
from newsletter.config import Workspace, open_workspace
from tests.calendar.running import PATIENCE, call, plan
from tests.feedback.letters import bounce, letter, maildir, names
from tests.feedback.scripted_imap import HANG, fetched, scripted

MAILDIR = '[feedback]\nmailbox = "maildir"\n'
MINUTE = timedelta(minutes=1)


def imap(port: int) -> str:
    return (
        '[feedback]\nmailbox = "imap"\nimap_host = "127.0.0.1"\nimap_security = "none"\n'
        f'imap_username = "bounces"\nimap_port = {port}\nevery_minutes = 1\n'
    )


def configure(folder, text) -> Workspace:
    with (folder / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{text}")
    return open_workspace(folder)


class Watched:
    """Looks with a clock of the test's own; what they say is kept."""

    def __init__(self, **values):
        self.now = datetime(2026, 3, 3, tzinfo=UTC)
        self.lines: list[str] = []
        self.looks = MailboxLooks(clock=lambda: self.now, say=self.lines.append, **values)

    def finish(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.looks.wait(0.2):
            assert time.monotonic() < deadline


@pytest.fixture
def watched():
    made = Watched(patience=timedelta(minutes=3))
    yield made
    made.looks.terminate()


def test_look_says_what_it_found_and_the_next_one_waits_its_time(workspace, watched):
    configured = configure(workspace, MAILDIR + "every_minutes = 2\n")
    folder = maildir(workspace / "bounces", bounce(), letter())
    watched.looks.see_to(configured)
    watched.finish()
    assert watched.lines == [
        "bounce mailbox: 2 messages, 1 new event, 1 letter for a person to read"
    ]
    maildir(folder, bounce(2))
    watched.now += MINUTE
    watched.looks.see_to(configured)
    assert names(folder).count("new") == 1
    watched.now += MINUTE
    watched.looks.see_to(configured)
    watched.finish()
    assert names(folder).count("new") == 0


def test_empty_mailbox_and_none_are_not_talked_about(workspace, watched):
    watched.looks.see_to(open_workspace(workspace))
    assert not watched.looks.wait(0)
    configured = configure(workspace, MAILDIR)
    maildir(workspace / "bounces")
    watched.looks.see_to(configured)
    watched.finish()
    assert watched.lines == []


def test_problem_is_said_once_and_tried_again_until_it_is_over(workspace, watched):
    configured = configure(workspace, MAILDIR + "every_minutes = 1\n")
    for _ in range(3):
        watched.looks.see_to(configured)
        watched.finish()
        watched.now += MINUTE
    (line,) = watched.lines
    assert "is no Maildir" in line
    assert watched.looks.problem
    maildir(workspace / "bounces", letter())
    watched.looks.see_to(configured)
    watched.finish()
    assert watched.looks.problem == ""
    assert watched.lines[1:] == [
        "bounce mailbox: 1 message, 0 new events, 1 letter for a person to read"
    ]


def test_look_that_takes_too_long_is_ended_and_the_next_one_is_tried(
    workspace, watched, monkeypatch
):
    monkeypatch.setenv("NEWSLETTER_IMAP_PASSWORD", "secret")
    with scripted(LOGIN=HANG) as script:
        configured = configure(workspace, imap(script.port))
        watched.looks.see_to(configured)
        deadline = time.monotonic() + PATIENCE
        while not any(line.startswith("LOGIN") for line in script.asked):
            assert time.monotonic() < deadline
            assert watched.looks.wait(0.1)
        watched.now += timedelta(minutes=4)
        watched.looks.see_to(configured)
        assert watched.lines == ["bounce mailbox: it took more than 3 minutes; it is tried again"]
        assert watched.looks.wait(0), "the next look has begun"


def test_slot_is_kept_while_the_mail_server_hangs(workspace, start, monkeypatch):
    monkeypatch.setenv("NEWSLETTER_IMAP_PASSWORD", "secret")
    with scripted(LOGIN=HANG) as script:
        call(workspace, "approve", "2.24", "--yes", "--as", "kim")
        slot = plan(workspace, seconds=20)
        configure(workspace, imap(script.port))
        run = start()
        run.wait_for("Vol 2.24 was sent: 200 of 200 accepted")
        late = datetime.now(UTC) - slot
        assert any(line.startswith("LOGIN") for line in script.asked)
        assert late < timedelta(seconds=25), "the server hangs for 30 seconds"
        started = time.monotonic()
        assert run.end() == 0
        assert time.monotonic() - started < 20


def test_run_looks_by_itself_and_once_looks_too(workspace, start, monkeypatch):
    monkeypatch.setenv("NEWSLETTER_IMAP_PASSWORD", "secret")
    with scripted(UID_FETCH=fetched(bounce())) as script:
        configure(workspace, imap(script.port))
        run = start()
        run.wait_for("bounce mailbox: 1 message, 1 new event")
        assert run.end() == 0
        assert "bounce mailbox: 1 message, 0 new events" in call(workspace, "run", "--once")
        assert script.asked.count('UID MOVE 7 "Processed"') == 2


def test_once_ends_with_2_where_the_mailbox_cannot_be_read(workspace):
    configure(workspace, MAILDIR)
    assert "is no Maildir" in call(workspace, "run", "--once", code=2)
