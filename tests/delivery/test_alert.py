"""Alerts: every editor gets one, and nothing that goes wrong is raised."""

from __future__ import annotations

import asyncio
import mailbox
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import dkim
import pytest

from newsletter.config import CONFIG_NAME, Workspace, open_workspace
from newsletter.delivery.alert import alert
from newsletter.delivery.model import Outcome, Result
from newsletter.delivery.transports.outbox import outbox_of
from newsletter.errors import TransportError
from tests.delivery.test_dkim import KEY, PATH_KEY, WHOLE, pem, record
from tests.store.worlds import ROOT

EDITORS = ("kim@example.org", "lee@example.org")
SUBJECT = "Vol 2.20 is paused: 12 of 80 messages failed"
TEXT = "12 of 80 messages failed (15 %; the limit is 10 %).\n\nSee “newsletter status”.\n"


def a_workspace(root: Path, *more: str, editors: tuple[str, ...] = EDITORS) -> Workspace:
    config = (ROOT / CONFIG_NAME).read_text(encoding="utf-8")
    alerts = f"[delivery]\nalert = {list(editors)!r}"
    (root / CONFIG_NAME).write_text("\n".join((config, alerts, *more)), encoding="utf-8")
    return open_workspace(root)


class Answers:
    """A transport that gives each address its answer: a result, an exception, or none at all."""

    name = "smtp"
    window = 1

    def __init__(self, **answers: Result | Exception | None) -> None:
        self.answers = answers
        self.messages: dict[str, bytes] = {}

    async def deliver(self, email: str, message: bytes) -> Result:
        self.messages[email] = message
        answer = self.answers[email.partition("@")[0]]
        if answer is None:
            await asyncio.sleep(60)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Result)
        return answer


ACCEPTED = Result(outcome=Outcome.ACCEPTED)


def alerted(workspace: Workspace, transport, **more) -> list[str]:
    return asyncio.run(alert(workspace, transport, subject=SUBJECT, text=TEXT, **more))


def parsed(message: bytes) -> EmailMessage:
    found = message_from_bytes(message, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_each_editor_gets_the_text_through_a_real_transport(tmp_path):
    workspace = a_workspace(tmp_path)
    assert alerted(workspace, outbox_of(workspace)) == []
    box = mailbox.Maildir(tmp_path / "outbox" / "test", create=False)
    assert len(box) == 2
    for key in box.iterkeys():
        message = parsed(box.get_bytes(key))
        assert message["Subject"] == SUBJECT
        assert message.get_content().replace("\r\n", "\n") == TEXT
        assert [to.addr_spec for to in message["To"].addresses] == list(EDITORS)


def test_message_is_plain_transactional_and_seven_bit(tmp_path):
    transport = Answers(kim=ACCEPTED)
    workspace = a_workspace(tmp_path, editors=EDITORS[:1])
    alerted(workspace, transport)
    content = transport.messages["kim@example.org"]
    message = parsed(content)
    assert message["From"].addresses[0].addr_spec == workspace.config.sender.email
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert not [name for name in message if name.startswith("List-") or name == "Precedence"]
    assert {"Date", "Message-ID", "MIME-Version"} <= set(message.keys())
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_subject_with_line_breaks_and_letters_of_all_kinds_stays_one_header(tmp_path):
    transport = Answers(kim=ACCEPTED)
    workspace = a_workspace(tmp_path, editors=EDITORS[:1])
    subject = "Größe\r\nBcc: everyone@example.org " + "word " * 50
    assert asyncio.run(alert(workspace, transport, subject=subject, text="")) == []
    message = parsed(transport.messages["kim@example.org"])
    assert message["Bcc"] is None
    assert message["Subject"] == " ".join(subject.split())


def test_what_goes_wrong_is_said_per_editor_without_addresses_and_stops_no_other(tmp_path):
    transport = Answers(
        a=TransportError("the server refused kim@example.org", hint="ask"),
        b=OSError(111, "Connection refused"),
        c=Result(outcome=Outcome.REFUSED_FOR_GOOD, reply="550 <c@example.org> unknown"),
        d=ACCEPTED,
        e=None,
        f=Result(outcome=Outcome.UNCERTAIN),
    )
    workspace = a_workspace(tmp_path, editors=tuple(f"{name}@example.org" for name in "abcdef"))
    assert alerted(workspace, transport, patience=0.05) == [
        "the alert to editor 1 of 6 was not sent: the server refused …",
        "the alert to editor 2 of 6 was not sent: Connection refused",
        "the alert to editor 3 of 6 was not sent: refused for good: 550 <…> unknown",
        "the alert to editor 5 of 6 was not sent: no answer within 0.05 seconds",
        "the alert to editor 6 of 6 was not sent: uncertain",
    ]


def test_outbox_that_cannot_be_written_is_a_problem_and_no_exception(tmp_path):
    workspace = a_workspace(tmp_path)
    (tmp_path / "outbox").write_text("mine")
    problems = alerted(workspace, outbox_of(workspace))
    assert len(problems) == 2
    assert all("cannot be written" in problem for problem in problems)


def test_without_editors_nothing_is_sent(tmp_path):
    transport = Answers()
    assert alerted(a_workspace(tmp_path, editors=()), transport) == []
    assert transport.messages == {}


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_alert_is_signed_where_that_is_configured_or_says_why_not(tmp_path, mode):
    workspace = a_workspace(tmp_path, f"[dkim]\n{WHOLE}", editors=EDITORS[:1])
    path = tmp_path / PATH_KEY
    path.parent.mkdir()
    path.write_bytes(pem(KEY))
    path.chmod(mode)
    transport = Answers(kim=ACCEPTED)
    problems = alerted(workspace, transport)
    if mode == 0o600:
        assert problems == []
        assert dkim.verify(transport.messages["kim@example.org"], dnsfunc=record)
    else:
        assert len(problems) == 1
        assert "other users" in problems[0]
        assert transport.messages == {}
