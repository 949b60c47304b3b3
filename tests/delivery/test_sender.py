"""The sender: to the end, to a pause, to Ctrl-C, to a failure; each time nothing is lost."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.journal import Journal, Mark, journal_path
from newsletter.delivery.ledger import counts
from newsletter.delivery.lock import is_held
from newsletter.delivery.model import State, Status
from newsletter.delivery.sender import Ending, SenderBusy, send, settle_crash
from newsletter.errors import StorageError, TransportError, UsageError
from newsletter.store.engine import open_url
from newsletter.store.tables import campaign, delivery, subscriber
from tests.delivery.campaigns import (
    WRITES,
    ScriptedTransport,
    a_workspace,
    accept,
    frozen,
    people,
    rows_of,
    statuses,
)


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "workspace")


def state_of(store, made):
    with store.read() as conn:
        return campaigns.get(conn, made.id).state


def counted(store, made):
    with store.read() as conn:
        return counts(conn, made.id)


# ── to the end ──────────────────────────────────────────────────────────────


def test_everybody_is_handed_over_once_and_the_campaign_completes(store, workspace):
    people(store, 2_500)
    made = frozen(store, workspace)
    transport, seen = ScriptedTransport(), []
    summary = send(store, workspace, made.id, transport, on_progress=seen.append)
    assert (summary.ending, summary.counts.accepted) == (Ending.COMPLETED, 2_500)
    assert sorted(transport.handed) == list(range(1, 2_501))
    assert state_of(store, made) is State.COMPLETED
    row = rows_of(store, made.id)[17]
    assert (row.provider_id, row.attempts, row.reply) == ("id-17", 1, None)
    assert all(found.intended == 2_500 for found in seen)
    assert seen[-1].accepted == 2_500
    assert not journal_path(workspace, made.id).exists()


def test_completed_campaign_sends_nothing_again(store, workspace):
    people(store, 3)
    made = frozen(store, workspace)
    send(store, workspace, made.id, ScriptedTransport())
    again = ScriptedTransport()
    assert send(store, workspace, made.id, again).ending is Ending.COMPLETED
    assert again.handed == []


def test_every_outcome_has_its_place_in_the_ledger(store, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", delivery={"pause_at_failures": 100})
    people(store, 4)
    made = frozen(store, workspace)

    def answer(feed, held):
        if held.subscriber_id == 1:
            feed.refused_for_good(held, f"550 <{held.email}> unknown")
        elif held.subscriber_id == 2:
            feed.handing_over(held)
            feed.uncertain(held, "connection lost")
        elif held.subscriber_id == 3:
            feed.refused_for_now(held, "450 busy", after=7_200)
        else:
            accept(feed, held)

    summary = send(store, workspace, made.id, ScriptedTransport(answer))
    assert summary.ending is Ending.WAITING
    assert summary.resumes_at is not None
    wait = summary.resumes_at - datetime.now(UTC)
    assert timedelta(minutes=110) < wait < timedelta(minutes=121)
    rows = rows_of(store, made.id)
    assert [rows[number].status for number in (1, 2, 3, 4)] == [
        "failed",
        "uncertain",
        "pending",
        "accepted",
    ]
    assert [rows[number].reply for number in (1, 2, 3)] == [
        "550 <…> unknown",
        "connection lost",
        "450 busy",
    ]
    found = summary.counts
    assert (found.failed, found.uncertain, found.pending, found.waiting) == (1, 1, 1, 1)
    assert state_of(store, made) is State.SENDING


def test_refused_for_now_is_tried_again_and_fails_after_the_configured_tries(store, tmp_path):
    workspace = a_workspace(
        tmp_path / "workspace",
        delivery={"attempts": 3, "retry_after": 1, "pause_at_failures": 100},
    )
    people(store, 2)
    made = frozen(store, workspace)

    def answer(feed, held):
        if held.subscriber_id == 1 or held.attempts < 2:
            feed.refused_for_now(held, "451 later", after=0)
        else:
            accept(feed, held)

    transport = ScriptedTransport(answer)
    assert send(store, workspace, made.id, transport).ending is Ending.COMPLETED
    assert (transport.handed.count(1), transport.handed.count(2)) == (3, 2)
    rows = rows_of(store, made.id)
    assert (rows[1].status, rows[1].attempts, rows[1].reply) == ("failed", 3, "451 later")
    assert (rows[2].status, rows[2].attempts, rows[2].reply) == ("accepted", 2, None)


def test_message_that_breaks_every_connection_ends_as_refused(store, tmp_path):
    workspace = a_workspace(
        tmp_path / "workspace", delivery={"attempts": 1, "pause_at_failures": 100}
    )
    people(store, 3)
    made = frozen(store, workspace)

    def answer(feed, held):
        if held.subscriber_id == 2:
            feed.returned(held)
        else:
            accept(feed, held)

    assert send(store, workspace, made.id, ScriptedTransport(answer)).ending is Ending.COMPLETED
    assert rows_of(store, made.id)[2].reply == "the connection was lost each time"


def test_who_leaves_in_mid_send_gets_nothing_unless_claimed_before(store, database_url, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", rates={"per_second": 400})
    people(store, 1_200)
    made = frozen(store, workspace)

    def leave():
        with open_url(database_url) as other, other.begin() as conn:
            for number in range(1_101, 1_201):
                subscribers.unsubscribe(conn, number, source="page", **WRITES)

    def answer(feed, held):
        if held.subscriber_id == 1:
            leave()
        accept(feed, held)

    transport = ScriptedTransport(answer)
    summary = send(store, workspace, made.id, transport)
    assert (summary.counts.accepted, summary.counts.suppressed) == (1_100, 100)
    assert set(transport.handed) == set(range(1, 1_101))


def test_reader_who_wants_plain_text_is_claimed_as_one(store, workspace):
    people(store, 3)
    with store.begin() as conn:
        subscribers.change(conn, 2, format="text", **WRITES)
    made = frozen(store, workspace)
    wants_text = {}

    def answer(feed, held):
        wants_text[held.subscriber_id] = held.is_text
        accept(feed, held)

    send(store, workspace, made.id, ScriptedTransport(answer))
    assert wants_text == {1: False, 2: True, 3: False}


# ── to an end before the end ────────────────────────────────────────────────


def slowly(each: float = 0.01):
    async def answer(feed, held):
        feed.handing_over(held)
        await asyncio.sleep(each)
        feed.accepted(held)

    return ScriptedTransport(answer)


@pytest.mark.parametrize(
    ("steer", "ending"), [(campaigns.pause, Ending.PAUSED), (campaigns.cancel, Ending.CANCELLED)]
)
def test_pause_from_elsewhere_ends_it_within_seconds_and_gives_back_what_was_claimed(
    store, database_url, workspace, steer, ending
):
    people(store, 900)
    made = frozen(store, workspace)
    at: list[float] = []

    def interfere():
        time.sleep(0.3)
        with open_url(database_url) as other, other.begin() as conn:
            assert steer(conn, made.id, reason="a typo", **WRITES)
        at.append(time.monotonic())

    thread = threading.Thread(target=interfere)
    thread.start()
    summary = send(store, workspace, made.id, slowly())
    thread.join()
    assert time.monotonic() - at[0] < 3
    assert (summary.ending, summary.reason) == (ending, "a typo")
    found = summary.counts
    assert 0 < found.accepted < 900
    assert (found.in_flight, found.accepted + found.pending) == (0, 900)
    attempts = {row.attempts for row in rows_of(store, made.id).values() if row.status == "pending"}
    assert attempts == {0}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_cleanly_and_the_next_sender_goes_on(store, workspace, number):
    people(store, 600)
    made = frozen(store, workspace)
    before = signal.getsignal(number)
    first = slowly()

    def interrupt():
        deadline = time.monotonic() + 20
        while len(first.handed) < 30 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    summary = send(store, workspace, made.id, first)
    thread.join()
    assert summary.ending is Ending.INTERRUPTED
    assert summary.counts.in_flight == 0
    assert signal.getsignal(number) is before
    second = ScriptedTransport()
    assert send(store, workspace, made.id, second).ending is Ending.COMPLETED
    assert counted(store, made).uncertain == 3  # one for each worker that was cut off
    assert not set(first.handed) & set(second.handed)


def test_sender_that_ignores_the_end_of_its_terminal_goes_on_without_it(store, workspace):
    people(store, 300)
    made = frozen(store, workspace)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGHUP))
    timer.start()
    try:
        summary = send(store, workspace, made.id, slowly())
        timer.join()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (summary.ending, summary.counts.accepted) == (Ending.COMPLETED, 300)


def test_transport_that_fails_is_reported_after_its_results_are_folded(store, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", delivery={"alert": ("desk@example.org",)})
    people(store, 50)
    made = frozen(store, workspace)

    class Failing(ScriptedTransport):
        async def run(self, feed, mailing):
            await feed.wait()
            taken = feed.take_up_to(10)
            for held in taken[:7]:
                accept(feed, held)
            for held in taken[7:]:
                feed.returned(held)
            raise TransportError("the server refuses user or password")

    transport = Failing()
    with pytest.raises(TransportError, match="refuses user"):
        send(store, workspace, made.id, transport)
    found = counted(store, made)
    assert (found.accepted, found.pending, found.in_flight) == (7, 43, 0)
    ((email, message),) = transport.alerts
    assert email == "desk@example.org"
    assert b"refuses user or password" in message


def test_transport_that_forgets_what_it_took_loses_nothing(store, workspace):
    people(store, 10)
    made = frozen(store, workspace)

    class Forgetful(ScriptedTransport):
        async def run(self, feed, mailing):
            await feed.wait()
            taken = feed.take_up_to(5)
            accept(feed, taken[0])
            feed.handing_over(taken[1])

    with pytest.raises(TransportError, match="ended early"):
        send(store, workspace, made.id, Forgetful())
    found = counted(store, made)
    assert (found.accepted, found.uncertain, found.pending, found.in_flight) == (1, 1, 8, 0)


def test_too_many_failures_pause_the_campaign_and_tell_the_editors(store, tmp_path):
    workspace = a_workspace(
        tmp_path / "workspace",
        delivery={"pause_after": 20, "alert": ("desk@example.org", "chief@example.org")},
        rates={"per_second": 100},
    )
    people(store, 1_000)
    made = frozen(store, workspace)

    def answer(feed, held):
        if held.subscriber_id % 2:
            feed.refused_for_good(held, "550 no")
        else:
            accept(feed, held)

    transport = ScriptedTransport(answer)
    summary = send(store, workspace, made.id, transport)
    assert summary.ending is Ending.PAUSED
    assert re.search(r"\d+ of \d+ messages failed \(\d+ %; the limit is 10 %\)", summary.reason)
    assert state_of(store, made) is State.PAUSED
    assert len(transport.handed) < 400
    assert [email for email, _ in transport.alerts] == ["desk@example.org", "chief@example.org"]
    assert send(store, workspace, made.id, ScriptedTransport()).ending is Ending.PAUSED


def test_window_that_is_used_up_ends_it_with_the_time_when_it_opens(store, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", rates={"per_day": 30})
    people(store, 100)
    made = frozen(store, workspace)
    summary = send(store, workspace, made.id, ScriptedTransport(), patience=0)
    assert (summary.ending, summary.counts.accepted) == (Ending.WAITING, 30)
    assert summary.resumes_at is not None
    assert summary.resumes_at > datetime.now(UTC)


def test_rate_per_second_is_kept(store, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", rates={"per_second": 100})
    people(store, 400)
    made = frozen(store, workspace)
    start = time.monotonic()
    summary = send(store, workspace, made.id, ScriptedTransport())
    assert summary.counts.accepted == 400
    # A burst, then 100 a second.
    assert 2.9 < time.monotonic() - start < 4.5
    assert max(row.attempts for row in rows_of(store, made.id).values()) == 1


def test_rate_per_second_sends_nothing_back_to_the_ledger_where_all_have_one_domain(
    store, tmp_path
):
    workspace = a_workspace(tmp_path / "workspace", rates={"per_second": 200})
    people(store, 300)
    with store.begin() as conn:
        one = sa.literal("reader") + sa.cast(subscriber.c.id, sa.Text) + "@example.test"
        conn.execute(sa.update(subscriber).values(email=one))
    made = frozen(store, workspace)
    waited: list[int] = []
    summary = send(
        store,
        workspace,
        made.id,
        ScriptedTransport(),
        on_progress=lambda now: waited.append(now.waiting),
    )
    assert summary.counts.accepted == 300
    assert set(waited) == {0}


def test_slow_domain_does_not_hold_up_the_others(store, tmp_path):
    workspace = a_workspace(tmp_path / "workspace", rates={"domains": {"example1.test": 5}})
    people(store, 210)  # 30 to each of seven domains
    made = frozen(store, workspace)
    at: dict[int, float] = {}

    def answer(feed, held):
        at[held.subscriber_id] = time.monotonic()
        accept(feed, held)

    start = time.monotonic()
    summary = send(store, workspace, made.id, ScriptedTransport(answer))
    assert summary.counts.accepted == 210
    slow = [moment - start for number, moment in at.items() if number % 7 == 1]
    others = [moment - start for number, moment in at.items() if number % 7 != 1]
    assert max(others) < 2.5
    assert 4.5 < max(slow) < 15
    assert max(row.attempts for row in rows_of(store, made.id).values()) == 1


# ── two of them, and what a crash left ──────────────────────────────────────


def test_second_sender_is_refused_while_the_first_is_at_work(store, database_url, workspace):
    people(store, 300)
    made = frozen(store, workspace)
    found: list[object] = []

    def second():
        time.sleep(0.4)
        with open_url(database_url) as other:
            found.append(is_held(other, made.id))
            try:
                send(other, workspace, made.id, ScriptedTransport())
            except SenderBusy as error:
                found.append(error)

    thread = threading.Thread(target=second)
    thread.start()
    first = slowly()
    assert send(store, workspace, made.id, first).ending is Ending.COMPLETED
    thread.join()
    assert found[0] is True
    assert isinstance(found[1], SenderBusy)
    assert sorted(first.handed) == list(range(1, 301))
    assert not is_held(store, made.id)


def left_in_flight(store, workspace, made, marks):
    """What a killed sender leaves: rows in `sending`, and its journal."""
    journal = Journal.create(journal_path(workspace, made.id), made.id)
    for place, mark in zip(journal.write(sorted(marks)), sorted(marks), strict=True):
        journal.cells[place] = marks[mark]
    journal.close()
    with store.begin() as conn:
        conn.execute(sa.update(campaign).values(journal=journal.id))
        conn.execute(
            sa.update(delivery)
            .where(delivery.c.subscriber_id.in_(marks))
            .values(status="sending", attempts=1)
        )


MARKS = {1: Mark.CLAIMED, 2: Mark.HANDED_OVER, 3: Mark.ACCEPTED, 4: Mark.REFUSED}


def test_what_a_crash_left_is_settled_before_anything_is_sent(store, workspace):
    people(store, 5)
    made = frozen(store, workspace)
    left_in_flight(store, workspace, made, MARKS)
    transport = ScriptedTransport()
    assert send(store, workspace, made.id, transport).ending is Ending.COMPLETED
    assert sorted(transport.handed) == [1, 4, 5]
    rows = rows_of(store, made.id)
    assert (rows[2].status, rows[2].reply) == (
        "uncertain",
        "the sender ended before the answer came",
    )
    assert [rows[number].attempts for number in (1, 3, 4)] == [1, 1, 2]


def test_crash_of_a_cancelled_campaign_is_settled_without_sending(store, workspace):
    people(store, 5)
    made = frozen(store, workspace)
    left_in_flight(store, workspace, made, MARKS)
    with store.begin() as conn:
        campaigns.cancel(conn, made.id, reason="a typo", **WRITES)
    settle_crash(store, workspace, made.id)
    assert set(statuses(store, frozen(store, workspace).id)) == {1, 4, 5}


def test_missing_journal_is_refused_and_the_message_says_where_it_should_be(store, workspace):
    people(store, 5)
    made = frozen(store, workspace)
    left_in_flight(store, workspace, made, MARKS)
    path = journal_path(workspace, made.id)
    path.unlink()
    with pytest.raises(StorageError, match="is missing") as caught:
        send(store, workspace, made.id, ScriptedTransport())
    assert str(path) in caught.value.message
    assert "--journal-lost" in (caught.value.hint or "")
    assert statuses(store, made.id)[2] is Status.SENDING


def test_journal_of_another_campaign_is_refused(store, workspace):
    people(store, 5)
    made, other = frozen(store, workspace), frozen(store, workspace, "2.21")
    left_in_flight(store, workspace, made, MARKS)
    Journal.create(journal_path(workspace, other.id), other.id).close()
    shutil.copy(journal_path(workspace, other.id), journal_path(workspace, made.id))
    with pytest.raises(StorageError, match="is not the one"):
        send(store, workspace, made.id, ScriptedTransport())


def test_damaged_journal_is_refused(store, workspace):
    people(store, 5)
    made = frozen(store, workspace)
    left_in_flight(store, workspace, made, MARKS)
    path = journal_path(workspace, made.id)
    data = bytearray(path.read_bytes())
    data[4_096 + 64 + 1] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StorageError, match="is damaged"):
        send(store, workspace, made.id, ScriptedTransport())


def test_sender_that_lost_the_database_but_lives_is_not_taken_for_dead(store, workspace):
    people(store, 5)
    made = frozen(store, workspace)
    left_in_flight(store, workspace, made, MARKS)
    with ExitStack() as living:
        journal = Journal.create(journal_path(workspace, made.id), made.id)
        living.callback(journal.close)
        with pytest.raises(SenderBusy):
            send(store, workspace, made.id, ScriptedTransport())


# ── a bad world ─────────────────────────────────────────────────────────────


def test_transport_that_is_not_the_campaigns_is_refused(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    transport = ScriptedTransport()
    transport.name = "smtp"
    with pytest.raises(UsageError, match="frozen for the transport “scripted”"):
        send(store, workspace, made.id, transport)


def test_altered_edition_stops_it_before_anything_is_sent(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    (campaigns.edition_folder(workspace, made.edition_hash) / "email.html").write_text("other")
    transport = ScriptedTransport()
    with pytest.raises(StorageError, match="is not the edition"):
        send(store, workspace, made.id, transport)
    assert transport.handed == []


def test_deleted_edition_stops_it_and_the_hint_is_to_restore_it(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    shutil.rmtree(campaigns.edition_folder(workspace, made.edition_hash))
    transport = ScriptedTransport()
    with pytest.raises(StorageError, match=r"is not the edition.*manifest\.json") as caught:
        send(store, workspace, made.id, transport)
    assert "restore the folder" in caught.value.hint
    assert transport.handed == []


def test_journal_that_cannot_be_written_stops_it_before_anything_is_sent(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    (workspace.root / ".newsletter" / "journal").write_text("not a folder")
    transport = ScriptedTransport()
    with pytest.raises(StorageError, match="journal"):
        send(store, workspace, made.id, transport)
    assert transport.handed == []
    assert statuses(store, made.id) == {1: Status.PENDING}


def test_database_locked_for_too_long_stops_it_and_the_next_sender_folds_the_journal(tmp_path):
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    workspace = a_workspace(tmp_path / "workspace")
    with open_url(url, wait=0.3) as store, open_url(url) as other:
        people(store, 20)
        made = frozen(store, workspace)
        locked = ExitStack()

        def answer(feed, held):
            if held.subscriber_id == 5:
                locked.enter_context(other.begin())  # and nobody lets go of it
            accept(feed, held)

        first = ScriptedTransport(answer)
        with pytest.raises(StorageError, match="locked by another process"):
            send(store, workspace, made.id, first)
        locked.close()
        assert set(statuses(store, made.id).values()) == {Status.SENDING}
        second = ScriptedTransport()
        summary = send(store, workspace, made.id, second)
        assert (summary.ending, summary.counts.accepted) == (Ending.COMPLETED, 20)
        assert sorted(first.handed + second.handed) == list(range(1, 21))


def test_full_disk_stops_it_and_the_next_sender_folds_the_journal(sqlite_store, workspace):
    store = sqlite_store
    people(store, 3_000)
    made = frozen(store, workspace)
    with store.read() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()

    def limit(raw, _record):
        raw.execute(f"PRAGMA max_page_count = {pages + 2}")

    def answer(feed, held):
        feed.handing_over(held)
        feed.accepted(held, "a queue’s name that takes room " * 4)

    sa.event.listen(store.engine, "connect", limit)
    store.engine.dispose()
    first = ScriptedTransport(answer)
    with pytest.raises(StorageError, match="disk is full"):
        send(store, workspace, made.id, first)
    sa.event.remove(store.engine, "connect", limit)
    store.engine.dispose()
    assert first.handed
    second = ScriptedTransport(answer)
    summary = send(store, workspace, made.id, second)
    assert (summary.ending, summary.counts.accepted) == (Ending.COMPLETED, 3_000)
    assert sorted(first.handed + second.handed) == list(range(1, 3_001))


@pytest.mark.parametrize("is_at_once", [True, False])
def test_mistake_in_a_transport_is_not_hidden_and_loses_nothing(store, workspace, is_at_once):
    people(store, 10)
    made = frozen(store, workspace)

    class Broken(ScriptedTransport):
        async def run(self, feed, mailing):
            await feed.wait()
            accept(feed, feed.take())
            if not is_at_once:
                with store.begin() as conn:
                    campaigns.pause(conn, made.id, reason="lunch", **WRITES)
                while await feed.wait():
                    await asyncio.sleep(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        send(store, workspace, made.id, Broken())
    found = counted(store, made)
    assert (found.accepted, found.pending, found.in_flight) == (1, 9, 0)


def test_lost_connection_stops_it_and_the_next_sender_folds_the_journal(postgres, tmp_path):
    name = postgres.create()
    workspace = a_workspace(tmp_path / "workspace")
    with open_url(postgres.url(name)) as store:
        people(store, 20)
        made = frozen(store, workspace)

        def answer(feed, held):
            if held.subscriber_id == 5:
                with postgres.admin() as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                        [name],
                    )
            accept(feed, held)

        first = ScriptedTransport(answer)
        with pytest.raises(StorageError):
            send(store, workspace, made.id, first)
        second = ScriptedTransport()
        summary = send(store, workspace, made.id, second)
        assert (summary.ending, summary.counts.accepted) == (Ending.COMPLETED, 20)
        assert sorted(first.handed + second.handed) == list(range(1, 21))
    postgres.drop(name)


@pytest.fixture
def sqlite_store(tmp_path):
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as opened:
        yield opened


def test_claims_find_their_rows_by_an_index_and_scan_no_table(sqlite_store, workspace):
    store = sqlite_store
    people(store, 100)
    made = frozen(store, workspace)
    seen: list[str] = []

    def explain(conn, cursor, statement, parameters, context, executemany):
        if "delivery" in statement and not statement.startswith("EXPLAIN") and not executemany:
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            seen.extend(f"{row[3]} <- {statement}" for row in plan)

    sa.event.listen(store.engine, "before_cursor_execute", explain)
    try:
        send(store, workspace, made.id, ScriptedTransport())
    finally:
        sa.event.remove(store.engine, "before_cursor_execute", explain)
    assert any("SEARCH delivery USING PRIMARY KEY" in line for line in seen)
    assert any("ix_delivery_not_before" in line for line in seen)
    assert [line for line in seen if line.startswith(("SCAN delivery", "SCAN subscriber"))] == []
