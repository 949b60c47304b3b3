"""A Maildir as the mailbox: what is read moves away, what is for a person stays, flagged."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from newsletter.errors import ConfigError
from newsletter.feedback.mailbox import BATCH, MAX_MESSAGE, MailboxError
from newsletter.feedback.maildir_box import MaildirBox
from tests.feedback.letters import bounce, letter, maildir, names


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bounces"


def read(folder, *, done="Processed"):
    with MaildirBox(folder, done=done) as box:
        return [message for batch in box.batches() for message in batch]


def test_messages_come_oldest_first_with_their_time_of_arrival(folder):
    maildir(folder, *(letter(number) for number in range(3)))
    for number, path in enumerate(sorted((folder / "new").iterdir())):
        os.utime(path, (1_700_000_000 - number, 1_700_000_000 - number))
    found = read(folder)
    assert [message.data for message in found] == [letter(2), letter(1), letter(0)]
    assert found[0].at == datetime.fromtimestamp(1_699_999_998, UTC)


def test_reading_changes_nothing_and_comes_in_batches(folder):
    maildir(folder, *(letter(number) for number in range(BATCH * 2 + 1)))
    before = sorted(folder.rglob("*"))
    with MaildirBox(folder, done="Processed") as box:
        assert [len(batch) for batch in box.batches()] == [BATCH, BATCH, 1]
    assert sorted(folder.rglob("*")) == before


def test_done_moves_to_the_subfolder_as_seen_and_left_stays_flagged_and_unseen(folder):
    maildir(folder, bounce(), letter())
    with MaildirBox(folder, done="Processed") as box:
        (batch,) = box.batches()
        box.done(batch[:1])
        box.leave(batch[1:])
    assert names(folder) == [".Processed/cur:2,S", "cur:2,F"]
    assert read(folder) == []


def test_what_a_mail_reader_has_seen_is_read_too_and_keeps_its_flags(folder):
    maildir(folder)
    for name in ("1.a:2,RS", "2.b:2,F", "3.c:2,T", "4.d:2,", "5.e"):
        (folder / "cur" / name).write_bytes(letter())
    with MaildirBox(folder, done="Processed") as box:
        (batch,) = box.batches()
        assert {message.key for message in batch} == {"cur/1.a:2,RS", "cur/4.d:2,", "cur/5.e"}
        box.done([message for message in batch if "1.a" in message.key])
        box.leave([message for message in batch if "1.a" not in message.key])
    assert (folder / ".Processed/cur/1.a:2,RS").exists()
    assert (folder / "cur/4.d:2,F").exists()
    assert (folder / "cur/5.e:2,F").exists()


def test_only_the_beginning_of_a_large_message_is_read(folder):
    maildir(folder, letter() + b"x" * MAX_MESSAGE)
    (message,) = read(folder)
    assert len(message.data) == MAX_MESSAGE


def test_links_pipes_folders_and_hidden_files_are_no_messages(folder, tmp_path):
    maildir(folder, letter())
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    (folder / "new/link").symlink_to(secret)
    os.mkfifo(folder / "new/pipe")
    (folder / "new/folder").mkdir()
    (folder / "new/.hidden").write_bytes(letter())
    assert [message.data for message in read(folder)] == [letter()]


def test_message_that_a_mail_reader_moves_meanwhile_is_not_there(folder):
    maildir(folder, letter(1), letter(2))
    with MaildirBox(folder, done="Processed") as box:
        batches = box.batches()
        (batch,) = batches
        for path in (folder / "new").iterdir():
            path.unlink()
        box.done(batch)
        box.leave(batch)
    assert names(folder) == []


def test_name_that_is_no_text_is_read_and_moved(folder):
    maildir(folder)
    (folder / "new" / os.fsdecode(b"1.\xff")).write_bytes(letter())
    with MaildirBox(folder, done="Processed") as box:
        (batch,) = box.batches()
        box.done(batch)
    assert (folder / ".Processed/cur" / os.fsdecode(b"1.\xff:2,S")).exists()


@pytest.mark.parametrize(
    ("done", "expected"),
    [("Processed", ".Processed"), ("INBOX/Done", ".INBOX.Done"), ("../../x", ".x")],
)
def test_folder_of_what_was_read_lies_in_the_maildir_whatever_its_name(folder, done, expected):
    maildir(folder, letter())
    with MaildirBox(folder, done=done) as box:
        for batch in box.batches():
            box.done(batch)
    assert (folder / expected / "cur").is_dir()


def test_folder_that_is_no_maildir_is_refused_with_what_to_do(folder):
    with pytest.raises(ConfigError) as caught:
        MaildirBox(folder, done="Processed")
    assert "is no Maildir" in caught.value.message
    assert "mkdir" in (caught.value.hint or "")


def test_folder_that_cannot_be_written_to_is_said(folder):
    maildir(folder, letter())
    (folder / ".Processed").write_text("a file")
    with MaildirBox(folder, done="Processed") as box:
        (batch,) = box.batches()
        with pytest.raises(MailboxError, match="cannot be used"):
            box.done(batch)
    assert len(read(folder)) == 1
