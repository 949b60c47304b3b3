"""Notices leave once: whatever dies, is refused, or is decided while they wait."""

from __future__ import annotations

import mailbox
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.delivery.model import Outcome, Result
from newsletter.delivery.transports.outbox import outbox_of
from newsletter.errors import ConfigError, TemplateError, TransportError
from newsletter.notices import queue
from newsletter.notices.model import Kind
from newsletter.notices.post import KEPT, PAUSES, Sent
from newsletter.store.engine import open_url
from newsletter.store.tables import confirmation, notice
from tests.audience.people import NOW, WRITES, add, everything, mailed, status_of
from tests.notices.noticing import (
    ADA,
    PER,
    Answers,
    a_workspace,
    ask,
    asked,
    outcomes,
    rows,
    send,
    token_in,
)

MINUTE = timedelta(minutes=1)
LATER = Result(outcome=Outcome.REFUSED_FOR_NOW, reply=f"451 <{ADA}> try again later")
SILENT = Result(outcome=Outcome.UNCERTAIN, reply="the connection was lost")


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "workspace")


class Killed(BaseException):
    """As by kill -9: nothing after it is done."""


# ── the way of a reader ─────────────────────────────────────────────────────


def test_token_of_the_mail_confirms_and_the_welcome_follows_once(store, workspace):
    person = asked(store)
    transport = Answers()
    assert send(store, workspace, transport) == Sent(accepted=1)
    assert send(store, workspace, transport) == Sent()
    with store.begin() as conn:
        confirmed = subscribers.confirm(conn, token_in(transport.messages[0][1]), now=NOW)
        assert confirmed is not None
        assert queue.enqueue(conn, person.id, Kind.WELCOME, now=NOW)
    assert mailed(store) == [ADA]
    assert send(store, workspace, transport) == Sent(accepted=1)
    assert [email for email, _ in transport.messages] == [ADA, ADA]
    assert outcomes(store) == ["accepted", "accepted"]


def test_message_in_the_outbox_is_a_file_that_confirms(store, workspace):
    asked(store)
    send(store, workspace, outbox_of(workspace))
    (path,) = (workspace.root / "outbox" / "test" / "new").iterdir()
    assert path.name.startswith("ada@example.org-")
    assert path.suffix == ".eml"
    box = mailbox.Maildir(workspace.root / "outbox" / "test", create=False)
    ((key, _),) = box.items()
    with store.begin() as conn:
        assert subscribers.confirm(conn, token_in(box.get_bytes(key)), now=NOW) is not None


def test_token_is_made_when_the_mail_leaves_and_kept_only_as_a_hash(store, workspace):
    asked(store)
    with store.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(confirmation)) == 0
    transport = Answers()
    send(store, workspace, transport, now=NOW + MINUTE)
    token = token_in(transport.messages[0][1])
    assert token not in everything(store)
    with store.begin() as conn:
        last = NOW + MINUTE + timedelta(days=7)
        assert subscribers.confirm(conn, token, now=last) is None
        assert subscribers.confirm(conn, token, now=last - MINUTE) is not None


def test_person_who_left_gets_the_confirmation_they_ask_for(store, workspace):
    with store.begin() as conn:
        add(conn, ADA)
        subscribers.suppress(conn, ADA, reason=Reason.UNSUBSCRIBED, source="page", **WRITES)
    asked(store, now=NOW + MINUTE)
    transport = Answers()
    assert send(store, workspace, transport, now=NOW + MINUTE) == Sent(accepted=1)
    assert mailed(store) == []
    with store.begin() as conn:
        token = token_in(transport.messages[0][1])
        assert subscribers.confirm(conn, token, now=NOW + 2 * MINUTE) is not None
    assert mailed(store) == [ADA]


# ── what is decided while it waits ──────────────────────────────────────────


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.ERASED])
@pytest.mark.parametrize("kind", list(Kind))
def test_suppressed_person_gets_nothing(store, workspace, kind, reason):
    with store.begin() as conn:
        person = ask(conn) if kind is Kind.CONFIRM else add(conn, ADA)
        assert queue.enqueue(conn, person.id, kind, now=NOW, per=PER)
        subscribers.suppress(conn, ADA, reason=reason, source="event", **WRITES)
    transport = Answers()
    assert send(store, workspace, transport) == Sent(void=1)
    assert transport.messages == []
    assert outcomes(store) == ["void"]


def test_confirmed_person_gets_no_second_confirmation(store, workspace):
    person = asked(store)
    with store.begin() as conn:
        token = subscribers.new_token(conn, person.id, now=NOW, within=PER)
        subscribers.confirm(conn, token, now=NOW)
    assert send(store, workspace, Answers()) == Sent(void=1)


def test_paused_person_is_told_that_they_are_known_and_gets_no_welcome(store, workspace):
    with store.begin() as conn:
        person = add(conn, ADA, status=Status.PAUSED)
        queue.enqueue(conn, person.id, Kind.KNOWN, now=NOW, per=PER)
        queue.enqueue(conn, person.id, Kind.WELCOME, now=NOW)
    assert send(store, workspace, Answers()) == Sent(accepted=1, void=1)


def test_whoever_is_erased_while_it_leaves_stays_erased(store, workspace):
    asked(store)

    def erase():
        with store.begin() as conn:
            subscribers.erase(conn, ADA, **WRITES)

    transport = Answers(act=erase)
    send(store, workspace, transport)
    assert rows(store) == []
    assert ADA not in everything(store)
    with store.begin() as conn:
        assert subscribers.confirm(conn, token_in(transport.messages[0][1]), now=NOW) is None


# ── the world in the way ────────────────────────────────────────────────────


def test_refused_for_now_is_tried_for_most_of_a_day_and_then_failed(store, workspace):
    asked(store)
    transport, now = Answers(LATER), NOW
    for pause in PAUSES:
        assert send(store, workspace, transport, now=now) == Sent(kept=1)
        assert send(store, workspace, transport, now=now + pause - MINUTE / 2) == Sent()
        now += pause
    assert timedelta(hours=20) < now - NOW < timedelta(hours=24)
    assert send(store, workspace, transport, now=now) == Sent(failed=1)
    assert len(transport.messages) == len(PAUSES) + 1
    (row,) = rows(store)
    assert (row.outcome, row.reply) == ("failed", "451 <…> try again later")


def test_refused_for_good_is_not_tried_again(store, workspace):
    asked(store)
    refused = Result(outcome=Outcome.REFUSED_FOR_GOOD, reply=f"550 <{ADA}> unknown")
    assert send(store, workspace, Answers(refused)) == Sent(failed=1)
    assert [row.reply for row in rows(store)] == ["550 <…> unknown"]
    assert send(store, workspace, Answers(), now=NOW + timedelta(days=2)) == Sent()


def test_transport_that_is_down_is_said_and_takes_no_more_than_one_round(store, workspace):
    for number in range(12):
        asked(store, f"reader{number}@example.org")
    down = Answers(TransportError("127.0.0.1:25 does not answer"))
    with pytest.raises(TransportError, match="does not answer"):
        send(store, workspace, down)
    assert len(down.messages) == 5
    assert outcomes(store) == [None] * 12
    transport = Answers()
    assert send(store, workspace, transport) == Sent(accepted=7)
    assert send(store, workspace, transport, now=NOW + MINUTE) == Sent(accepted=5)


@pytest.mark.parametrize("silence", ["killed", "uncertain"])
def test_missed_answer_is_tried_once_more_and_then_counts_as_accepted(store, workspace, silence):
    asked(store)

    def die():
        raise Killed

    transport = Answers(SILENT, act=die if silence == "killed" else None)
    now, tries = NOW, 0
    for pause in (*PAUSES, timedelta(0)):
        try:
            send(store, workspace, transport, now=now)
        except Killed:
            tries += 1
        now += pause
    assert len(transport.messages) == 2
    assert tries == (2 if silence == "killed" else 0)
    assert outcomes(store) == ["accepted"]
    with store.begin() as conn:
        first, second = (token_in(message) for _, message in transport.messages)
        assert first != second
        assert subscribers.confirm(conn, first, now=NOW + MINUTE) is not None


def test_refusal_after_a_missed_answer_begins_anew(store, workspace):
    asked(store)
    transport, now = Answers(SILENT, LATER, SILENT, LATER, Result(outcome=Outcome.ACCEPTED)), NOW
    for pause in PAUSES:
        send(store, workspace, transport, now=now)
        now += pause
    assert len(transport.messages) == 5
    assert outcomes(store) == ["accepted"]


def test_broken_template_keeps_the_notice_until_it_is_mended(store, tmp_path):
    asked(store)
    workspace = a_workspace(tmp_path / "workspace")
    (workspace.root / "templates").unlink()
    with pytest.raises(TemplateError, match="is missing"):
        send(store, workspace, Answers())
    workspace = a_workspace(tmp_path / "workspace")
    assert send(store, workspace, Answers(), now=NOW + MINUTE) == Sent(accepted=1)


def test_half_configured_dkim_is_said_before_anything_is_claimed(store, tmp_path):
    asked(store)
    with pytest.raises(ConfigError, match="half configured"):
        send(store, a_workspace(tmp_path, dkim={"domain": "example.org"}), Answers())
    assert [row.attempts for row in rows(store)] == [0]


def test_several_processes_send_each_notice_once(store, database_url, workspace):
    for number in range(30):
        asked(store, f"reader{number}@example.org")
    ready, transports = threading.Barrier(3), [Answers() for _ in range(3)]
    sums = []

    def work(transport: Answers) -> None:
        with open_url(database_url) as own:
            ready.wait(30)
            sums.append(send(own, workspace, transport).accepted)

    threads = [threading.Thread(target=work, args=(each,)) for each in transports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    sent = [email for transport in transports for email, _ in transport.messages]
    assert len(sent) == len(set(sent)) == sum(sums) == 30
    assert [row.attempts for row in rows(store)] == [1] * 30


def test_old_rows_are_deleted_when_new_notices_leave(store, workspace):
    asked(store)
    send(store, workspace, Answers())
    later = NOW + KEPT + MINUTE
    asked(store, "bo@example.org", now=later)
    send(store, workspace, Answers(), now=later)
    assert len(rows(store)) == 1
    with store.read() as conn:
        assert conn.scalar(sa.select(notice.c.created_at)) == later
    assert status_of(store, ADA) is Status.PENDING


def test_answer_of_a_transport_that_hangs_is_missed_and_the_others_go_on(store, workspace):
    asked(store)
    asked(store, "bo@example.org")

    class Hangs(Answers):
        async def deliver(self, email: str, message: bytes) -> Result:
            if email == ADA:
                raise TimeoutError  # as `asyncio.timeout` does around it
            return await super().deliver(email, message)

    assert send(store, workspace, Hangs()) == Sent(accepted=1, kept=1)
