"""A real IMAP server as the mailbox: Dovecot, with and without TLS, MOVE and UIDPLUS."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config.secrets import Secret
from newsletter.feedback.imap_box import ImapBox
from newsletter.feedback.imap_server import ImapServer
from newsletter.feedback.looking import read_mailbox
from newsletter.feedback.mailbox import BATCH, MAX_MESSAGE, MailboxError
from newsletter.feedback.recording import Recorded
from newsletter.store.engine import open_url
from tests.delivery.certificates import Certificates
from tests.feedback.dovecot import PASSWORD, Dovecot, dovecot
from tests.feedback.letters import bounce, letter, names, wish_to_leave
from tests.feedback.sent_campaigns import LINKS, world

LACKING = ["", "MOVE", "MOVE and UIDPLUS"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.server("localhost", "127.0.0.1")
    return made


@pytest.fixture(scope="module")
def servers(certificates) -> Iterator[Callable[[str], Dovecot]]:
    """One for each lack; they take a while to end."""
    running: dict[str, Dovecot] = {}
    with ExitStack() as stack:

        def lacking(what: str) -> Dovecot:
            if what not in running:
                made = dovecot(certificates.folder / "server.pem", without=what)
                running[what] = stack.enter_context(made)
            return running[what]

        yield lacking


@pytest.fixture
def server(servers, request) -> Dovecot:
    one = servers(getattr(request, "param", ""))
    one.empty()
    return one


def imap(server: Dovecot, security="none", *, ca_file: Path | None = None, **values) -> ImapServer:
    made = {
        "host": "127.0.0.1",
        "port": server.tls_port if security == "tls" else server.port,
        "security": security,
        "username": "bounces",
        "password": Secret(PASSWORD),
        "tls": None if security == "none" else ssl.create_default_context(cafile=ca_file),
        "timeout": 20.0,
    }
    return ImapServer(**{**made, **values})


def box(server: Dovecot, *, folder="INBOX", done="Processed") -> ImapBox:
    return ImapBox(imap(server), folder=folder, done=done)


def read(mailbox: ImapBox) -> list[bytes | None]:
    with mailbox:
        return [message.data for batch in mailbox.batches() for message in batch]


def as_sent(data: bytes) -> bytes:
    """As IMAP gives it: with CRLF."""
    return data.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("server", LACKING, indirect=True)
def test_look_records_what_came_moves_it_and_flags_the_letter(server, tmp_path):
    server.deliver(bounce(1), letter(), wish_to_leave(2))
    with open_url(f"sqlite:///{tmp_path / 'n.db'}") as store:
        world(store)
        now = datetime.now(UTC)
        looked = read_mailbox(store, box(server), links=LINKS, now=now)
        assert looked.recorded == Recorded(new=2, suppressed=2)
        assert (looked.messages, looked.left, looked.problems) == (3, 1, 0)
        again = read_mailbox(store, box(server), links=LINKS, now=now)
        assert again.messages == 0
    processed = [name for name in names(server.mail) if name.startswith(".Processed/")]
    assert len([name for name in processed if "/cur" in name or "/new" in name]) == 2
    assert any(name.endswith(":2,F") for name in names(server.mail))


@pytest.mark.parametrize("security", ["none", "tls", "starttls"])
def test_messages_come_whole_in_order_with_their_time_and_stay_unseen(
    server, certificates, security
):
    messages = [bounce(number) for number in range(BATCH + 2)]
    server.deliver(*messages, b"")
    mailbox = ImapBox(
        imap(server, security, ca_file=certificates.ca_file), folder="INBOX", done="Processed"
    )
    with mailbox:
        found = [message for batch in mailbox.batches() for message in batch]
    assert [message.data for message in found[:-1]] == [as_sent(data) for data in messages]
    assert found[-1].data is not None
    assert len(found[-1].data) <= 2
    for message in found:
        assert abs(message.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert len(read(box(server))) == len(messages) + 1


def test_only_the_beginning_of_a_large_message_is_fetched(server):
    server.deliver(letter() + b"x\n" * MAX_MESSAGE)
    (data,) = read(box(server))
    assert len(data) == MAX_MESSAGE


@pytest.mark.parametrize("server", LACKING, indirect=True)
def test_what_somebody_else_marked_as_deleted_is_neither_read_nor_expunged(server):
    server.deliver(letter(1), bounce(1))
    client = imaplib.IMAP4("127.0.0.1", server.port, timeout=20)
    client.authenticate("PLAIN", lambda _: f"\0bounces\0{PASSWORD}".encode())
    client.select()
    client.store("1", "+FLAGS", r"(\Deleted)")
    with box(server) as mailbox:
        for batch in mailbox.batches():
            assert [message.data for message in batch] == [as_sent(bounce(1))]
            mailbox.done(batch)
    client.noop()
    assert client.search(None, "DELETED")[1][0].split()[0] == b"1"
    client.logout()


@pytest.mark.parametrize("name", ["Bounces & Köln", 'quoted "name"', "日本"])
def test_folders_of_any_name_are_opened_and_made(server, name):
    server.deliver(letter(1))
    with box(server, done=name) as mailbox:
        for batch in mailbox.batches():
            mailbox.done(batch)
    assert read(box(server)) == []
    assert read(box(server, folder=name)) == [as_sent(letter(1))]


def test_folder_that_is_not_there_is_named(server):
    with (
        pytest.raises(MailboxError, match="does not open the folder Elsewhere") as caught,
        box(server, folder="Elsewhere"),
    ):
        pass
    assert "imap_folder" in (caught.value.hint or "")


def test_wrong_password_is_said_and_not_shown(server):
    wrong = imap(server, password=Secret("opensesame"))
    with pytest.raises(MailboxError, match="does not accept the user name") as caught:
        wrong.log_in()
    assert "opensesame" not in str(caught.value)
    assert "opensesame" not in repr(wrong)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_that_nobody_vouches_for_is_refused(server, security):
    with pytest.raises(MailboxError, match="is not who it should be"):
        imap(server, security).log_in()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_certificate_of_another_name_is_refused(certificates, security):
    file = certificates.folder / "server.pem"
    before = file.read_bytes()
    certificates.server("mail.example.org")
    try:
        with dovecot(file) as one:
            mine = imap(one, security, ca_file=certificates.ca_file)
            with pytest.raises(MailboxError, match="is not who it should be"):
                mine.log_in()
    finally:
        file.write_bytes(before)


def test_tls_on_the_port_of_starttls_is_said(server, certificates):
    mistaken = imap(server, "tls", ca_file=certificates.ca_file, port=server.port)
    with pytest.raises(MailboxError, match="TLS") as caught:
        mistaken.log_in()
    assert "993" in (caught.value.hint or "")
