"""A look into the mailbox: recorded first, put away then, and nothing lost between the two."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.config import Workspace, open_workspace
from newsletter.errors import ConfigError, StorageError
from newsletter.feedback.events import Kind
from newsletter.feedback.looking import mailbox_of, read_mailbox
from newsletter.feedback.mailbox import MailboxError
from newsletter.feedback.maildir_box import MaildirBox
from newsletter.feedback.recording import Recorded
from newsletter.store.engine import open_url
from newsletter.store.tables import delivery, event
from tests.audience.people import status_of
from tests.feedback.letters import bounce, letter, maildir, names, wish_to_leave
from tests.feedback.sent_campaigns import LINKS, reader, world


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bounces"


def now():
    return datetime.now(UTC)


def look(store, mailbox):
    return read_mailbox(store, mailbox, links=LINKS, now=now())


def box(folder):
    return MaildirBox(folder, done="Processed")


def outcome(store):
    """All that follows from the messages."""
    with store.read() as conn:
        events = conn.execute(sa.select(event.c.event_id, event.c.kind).order_by(event.c.event_id))
        reports = conn.execute(sa.select(delivery.c.campaign_id, delivery.c.report))
        held = [subscribers.suppression_of(conn, reader(number)) for number in range(1, 5)]
        return [*map(tuple, events)], Counter(map(tuple, reports)), held


def test_bounce_suppresses_wish_to_leave_unsubscribes_and_a_letter_waits_for_a_person(
    store, folder
):
    world(store)
    maildir(folder, bounce(1), wish_to_leave(2), letter(), bounce(3, status="4.2.2"))
    looked = look(store, box(folder))
    assert (looked.messages, looked.left, looked.problems, looked.unsubscribed) == (4, 1, 0, 1)
    assert looked.recorded == Recorded(new=3, suppressed=2)
    assert looked.kinds == {Kind.BOUNCED: 2, Kind.UNSUBSCRIBED: 1}
    _, reports, held = outcome(store)
    assert held == [Reason.BOUNCED, Reason.UNSUBSCRIBED, None, None]
    assert status_of(store, reader(2)) is Status.UNSUBSCRIBED
    assert reports[1, "bounced"] == 2
    assert reports[1, "unsubscribed"] == 1
    assert names(folder) == [".Processed/cur:2,S"] * 3 + ["cur:2,F"]


def test_second_look_meets_nothing_again(store, folder):
    world(store)
    maildir(folder, bounce(1), letter())
    look(store, box(folder))
    assert look(store, box(folder)).messages == 0


def test_same_message_delivered_twice_is_one_event(store, folder):
    world(store)
    maildir(folder, bounce(1), bounce(1))
    assert look(store, box(folder)).recorded == Recorded(new=1, known=1, suppressed=1)


def test_bounce_of_a_stranger_is_recorded_and_suppresses_nobody(store, folder):
    world(store)
    maildir(folder, bounce(77))
    assert look(store, box(folder)).recorded == Recorded(new=1, unknown=1)


def test_arrival_in_the_future_counts_as_now(store, folder):
    world(store)
    maildir(folder, bounce(1))
    (path,) = (folder / "new").iterdir()
    tomorrow = (now() + timedelta(days=1)).timestamp()
    os.utime(path, (tomorrow, tomorrow))
    look(store, box(folder))
    with store.read() as conn:
        assert conn.scalar(sa.select(event.c.at)) <= now()


def test_file_that_cannot_be_opened_is_counted_flagged_and_does_not_stop_the_rest(store, folder):
    world(store)
    maildir(folder, bounce(1), bounce(2))

    class OneIsSpoilt(MaildirBox):
        def batches(self):
            for batch in super().batches():
                yield [replace(batch[0], data=None), *batch[1:]]

    looked = look(store, OneIsSpoilt(folder, done="Processed"))
    assert (looked.messages, looked.problems, looked.recorded.new) == (2, 1, 1)
    assert names(folder) == [".Processed/cur:2,S", "cur:2,F"]


# ── crashes ─────────────────────────────────────────────────────────────────


class Crash(Exception):  # noqa: N818 - no error of ours
    pass


class CrashingBox(MaildirBox):
    """Ends the process, as it were, at the given step: each message is moved by itself."""

    def __init__(self, folder, *, step):
        super().__init__(folder, done="Processed")
        self._steps = step

    def _step(self):
        if self._steps == 0:
            raise Crash
        self._steps -= 1

    def batches(self):
        for batch in super().batches():
            self._step()
            yield batch

    def done(self, messages):
        for message in messages:
            self._step()
            super().done([message])

    def leave(self, messages):
        for message in messages:
            self._step()
            super().leave([message])


MESSAGES = [bounce(1), letter(1), wish_to_leave(2), bounce(3, status="4.2.2"), letter(2), bounce(4)]


def test_crash_at_any_step_loses_nothing_and_counts_nothing_twice(folder, tmp_path):
    def world_of(name):
        store = open_url(f"sqlite:///{tmp_path / name}.db")
        world(store)
        return store

    with world_of("calm") as calm:
        look(calm, box(maildir(folder / "calm", *MESSAGES)))
        expected = outcome(calm)
    for step in range(len(MESSAGES) + 1):
        place = maildir(folder / str(step), *MESSAGES)
        with world_of(f"crash {step}") as store:
            with pytest.raises(Crash):
                look(store, CrashingBox(place, step=step))
            look(store, box(place))
            assert outcome(store) == expected
        assert names(place) == [".Processed/cur:2,S"] * 4 + ["cur:2,F"] * 2


def test_database_that_is_gone_leaves_every_message_where_it_is(folder, tmp_path):
    maildir(folder, bounce(1), letter())
    with open_url(f"sqlite:///{tmp_path / 'n.db'}") as store:
        world(store)
        with store.begin() as conn:
            conn.execute(sa.text("ALTER TABLE event RENAME TO elsewhere"))
        with pytest.raises(StorageError):
            look(store, box(folder))
        assert names(folder) == ["new", "new"]
        with store.begin() as conn:
            conn.execute(sa.text("ALTER TABLE elsewhere RENAME TO event"))
        assert look(store, box(folder)).recorded.new == 1


def test_mailbox_that_breaks_in_the_middle_keeps_what_was_recorded(store, folder):
    world(store)
    maildir(folder, bounce(1), bounce(2))
    (folder / ".Processed").write_text("a file")
    with pytest.raises(MailboxError):
        look(store, box(folder))
    assert names(folder).count("new") == 2
    (folder / ".Processed").unlink()
    assert look(store, box(folder)).recorded == Recorded(known=2)


# ── configuration ───────────────────────────────────────────────────────────


IMAP = '[feedback]\nmailbox = "imap"\nimap_host = "mail.example.org"\nimap_username = "b"\n'


def workspace(folder, text) -> Workspace:
    folder.mkdir()
    own = Path(__file__).parents[2] / "newsletter.toml"
    (folder / "newsletter.toml").write_text(own.read_text("utf-8") + text, encoding="utf-8")
    return open_workspace(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no mailbox is configured"),
        ('[feedback]\nmailbox = "maildir"\n', "is no Maildir"),
        (IMAP, "password of the bounce mailbox is not set"),
        (f'{IMAP}imap_security = "none"\n', "in the clear"),
        (f'{IMAP}imap_done = "inbox"\n', "are one folder"),
    ],
)
def test_mailbox_that_cannot_be_is_refused_with_what_to_do(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        mailbox_of(workspace(tmp_path / "w", text))
    assert caught.value.hint


def test_certificates_that_are_none_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NEWSLETTER_IMAP_PASSWORD", "secret")
    text = f'{IMAP}imap_ca_file = "newsletter.toml"\n'
    with pytest.raises(ConfigError, match="it holds no certificate"):
        mailbox_of(workspace(tmp_path / "w", text))
