"""IMAP servers that hang, break off, lie or refuse: said in words, in bounded time, never lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from newsletter.config.secrets import Secret
from newsletter.feedback.imap_box import ImapBox
from newsletter.feedback.imap_server import ImapServer
from newsletter.feedback.looking import read_mailbox
from newsletter.feedback.mailbox import MailboxError
from newsletter.feedback.recording import Recorded
from newsletter.store.engine import open_url
from tests.feedback.letters import bounce, letter
from tests.feedback.scripted_imap import DROP, HANG, fetched, scripted
from tests.feedback.sent_campaigns import LINKS, world

TIMEOUT = 1.0
PASSWORD = "opensesame"
NOW = datetime(2026, 3, 3, tzinfo=UTC)


def box(script, *, security="none", **values) -> ImapBox:
    server = ImapServer(
        host="127.0.0.1",
        port=script.port,
        security=security,
        username="bounces",
        password=Secret(PASSWORD),
        timeout=TIMEOUT,
        **values,
    )
    return ImapBox(server, folder="INBOX", done="Processed")


def look(mailbox: ImapBox, tmp_path):
    with open_url(f"sqlite:///{tmp_path / 'n.db'}") as store:
        world(store)
        return read_mailbox(store, mailbox, links=LINKS, now=NOW)


BAD = {
    "hangs at the greeting": ({"GREETING": HANG}, "no answer in 1 seconds"),
    "hangs up at the greeting": ({"GREETING": DROP}, "does not do as it should"),
    "is busy": ({"GREETING": b"* BYE too many users\r\n"}, "too many users"),
    "speaks another language": ({"GREETING": b"220 ESMTP\r\n"}, "does not do as it should"),
    "says nothing to the password": ({"LOGIN": HANG}, "no answer"),
    "refuses the password": (
        {"LOGIN": b"%T NO not opensesame, for bounces@example.org\r\n"},
        "does not accept the user name",
    ),
    "hangs at the folder": ({"SELECT": HANG}, "no answer"),
    "has a folder that is read-only": (
        {"SELECT": b"* 1 EXISTS\r\n* OK [READ-ONLY] look\r\n%T OK [READ-ONLY] done\r\n"},
        "it is read-only",
    ),
    "has no such folder": ({"SELECT": b"%T NO nothing\r\n"}, "does not open the folder INBOX"),
    "counts in words": ({"SELECT": b"* many EXISTS\r\n%T OK done\r\n"}, "unexpected"),
    "hangs at the search": ({"UID_SEARCH": HANG}, "no answer"),
    "refuses to search": ({"UID_SEARCH": b"%T NO not now\r\n"}, "does not search: not now"),
    "finds words": ({"UID_SEARCH": b"* SEARCH a b\r\n%T OK done\r\n"}, "IMAP"),
    "hangs in a message": ({"UID_FETCH": HANG}, "no answer"),
    "breaks off in a message": (
        {"UID_FETCH": b"* 1 FETCH (UID 7 BODY[]<0> {500}\r\nFrom: " + DROP},
        "does not do as it should",
    ),
    "hangs at the move": ({"UID_FETCH": fetched(bounce()), "UID_MOVE": HANG}, "no answer"),
    "breaks off at the move": (
        {"UID_FETCH": fetched(bounce()), "UID_MOVE": DROP},
        "does not do as it should",
    ),
    "never moves": (
        {
            "UID_FETCH": fetched(bounce()),
            "UID_MOVE": b"%T NO [TRYCREATE] no folder\r\n",
            "CREATE": b"%T NO not yours\r\n",
        },
        "moves nothing to the folder Processed",
    ),
    "never flags": (
        {"UID_FETCH": fetched(letter()), "UID_STORE": b"%T NO not yours\r\n"},
        "does not let messages be flagged",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_server_that_misbehaves_is_named_soon_without_the_password(name, tmp_path):
    answers, words = BAD[name]
    started = time.monotonic()
    with scripted(**answers) as script, pytest.raises(MailboxError) as caught:
        look(box(script), tmp_path)
    assert time.monotonic() - started < TIMEOUT * 3 + 10
    assert words in caught.value.message
    assert str(script.port) in caught.value.message
    for secret in (PASSWORD, "bounces@example.org"):
        assert secret not in caught.value.message


@pytest.mark.parametrize("greeting", [b"* OK ready\r\n", b"* PREAUTH welcome\r\n"])
def test_password_is_not_said_in_the_clear_where_starttls_is_asked_for(greeting):
    with (
        scripted(GREETING=greeting) as script,
        pytest.raises(MailboxError, match="no STARTTLS"),
        box(script, security="starttls"),
    ):
        pass
    assert not any("LOGIN" in command for command in script.asked)


@pytest.mark.parametrize(
    "answer",
    [
        fetched(bounce()),
        fetched(bounce(), behind=True),
        b"* 2 FETCH (FLAGS (\\Seen))\r\n" + fetched(bounce()),
        b"* 9 FETCH (UID 99 BODY[]<0> {3}\r\nabc)\r\n" + fetched(bounce()),
    ],
)
def test_message_is_found_in_whatever_order_the_server_says_things(answer, tmp_path):
    with scripted(UID_FETCH=answer) as script:
        looked = look(box(script), tmp_path)
    assert (looked.messages, looked.recorded) == (1, Recorded(new=1, suppressed=1))
    assert 'UID MOVE 7 "Processed"' in script.asked


@pytest.mark.parametrize("text", [b'""', b"NIL", b'"Subject: \\"x\\""'])
def test_message_that_is_hardly_one_is_left_for_a_person(text, tmp_path):
    answer = b"* 1 FETCH (UID 7 BODY[]<0> " + text + b")\r\n%T OK done\r\n"
    with scripted(UID_FETCH=answer) as script:
        looked = look(box(script), tmp_path)
    assert (looked.messages, looked.left) == (1, 1)
    assert "UID STORE 7 +FLAGS.SILENT (\\Flagged)" in script.asked


def test_message_that_the_server_cannot_read_does_not_keep_the_others_back(tmp_path):
    def fetch(command: str) -> bytes:
        if "7" in command.split()[2].split(","):
            return b"%T NO [SERVERBUG] cannot read it\r\n"
        return fetched(bounce(), uid=8)

    with scripted(UID_SEARCH=b"* SEARCH 7 8\r\n%T OK done\r\n", UID_FETCH=fetch) as script:
        looked = look(box(script), tmp_path)
    assert (looked.messages, looked.problems, looked.recorded.new) == (2, 1, 1)
    assert "UID STORE 7 +FLAGS.SILENT (\\Flagged)" in script.asked


def test_message_that_is_gone_by_now_is_no_problem(tmp_path):
    with scripted() as script:
        assert look(box(script), tmp_path).messages == 0


def test_server_that_finds_the_same_again_for_ever_is_looked_at_once(tmp_path):
    with scripted(UID_FETCH=fetched(letter())) as script:
        look(box(script), tmp_path)
    assert sum(command.startswith("UID FETCH") for command in script.asked) == 1


def test_break_after_recording_repeats_harmlessly(tmp_path):
    with open_url(f"sqlite:///{tmp_path / 'n.db'}") as store:
        world(store)
        with (
            scripted(UID_FETCH=fetched(bounce()), UID_MOVE=DROP) as script,
            pytest.raises(MailboxError),
        ):
            read_mailbox(store, box(script), links=LINKS, now=NOW)
        with scripted(UID_FETCH=fetched(bounce())) as script:
            looked = read_mailbox(store, box(script), links=LINKS, now=NOW)
        assert looked.recorded == Recorded(known=1)


def test_nobody_listening_is_said():
    with scripted() as script:
        pass
    with pytest.raises(MailboxError, match="cannot be reached: Connection refused"), box(script):
        pass


def test_user_name_is_quoted_and_a_password_beyond_ascii_is_refused_where_it_cannot_go():
    with scripted() as script:
        with ImapBox(
            ImapServer(
                host="127.0.0.1",
                port=script.port,
                security="none",
                username='a "b"',
                password=Secret("c d"),
            ),
            folder="INBOX",
            done="Processed",
        ):
            pass
        assert 'LOGIN "a \\"b\\"" "c d"' in script.asked
        password = ImapServer(
            host="127.0.0.1",
            port=script.port,
            security="none",
            username="a",
            password=Secret("pferd ä"),
        )
        with pytest.raises(MailboxError, match="ASCII only"):
            password.log_in()
