"""A transport in a process of its own: what it says arrives, and its death is like any crash."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from newsletter.delivery import campaign as campaigns
from newsletter.delivery.apart import apart
from newsletter.delivery.apart_wire import Batch, Ended, Told, ToSender, ToTransport, Want, Wire
from newsletter.delivery.journal import Journal
from newsletter.delivery.model import Delivery, Outcome
from newsletter.delivery.sender import Ending, send
from newsletter.errors import TransportError
from tests.delivery.campaigns import WRITES, ScriptedTransport, accept, frozen, people, rows_of
from tests.delivery.campaigns import a_workspace as workspace_in
from tests.delivery.list_feed import ListFeed, a_mailing, readers

MAILING = a_mailing("<p>Harbor</p>\n", "Harbor\n")


class Apart(ScriptedTransport):
    """Scripted, in a process of its own: it cannot be asked afterwards what it did."""

    works_apart = True


@pytest.fixture
def journal(tmp_path):
    made = Journal.create(tmp_path / "journal", 7)
    yield made
    made.close()


def noted(journal: Journal, number: int) -> list[Delivery]:
    made = readers(number)
    places = journal.write([each.subscriber_id for each in made])
    return [msgspec.structs.replace(one, place=at) for one, at in zip(made, places, strict=True)]


def run(
    transport: ScriptedTransport, journal: Journal, feed_of: Callable[[], ListFeed]
) -> ListFeed:
    async def work(at_work: Any) -> ListFeed:
        feed = feed_of()
        await at_work.run(feed, MAILING)
        return feed

    with apart(transport, MAILING, journal) as at_work:
        return asyncio.run(work(at_work))


def judged(feed: Any, held: Delivery) -> None:
    """An outcome of each kind, by the subscriber's number."""
    kind = held.subscriber_id % 5
    if kind == 0:
        feed.refused_for_good(held, "550 no")
        return
    if kind == 1 and not held.returns:
        feed.returned(held)
        return
    feed.handing_over(held)
    if kind == 2:
        feed.refused_for_now(held, "451 later", 30.0)
    elif kind == 3:
        feed.uncertain(held, "no answer")
    else:
        feed.accepted(held, f"id-{held.subscriber_id}")


class MarkedFeed(ListFeed):
    """Takes outcomes of deliveries whose hand-over was announced to the journal, not to it."""

    def accepted(self, delivery: Delivery, provider_id: str = "") -> None:
        self.announced.add(delivery.place)
        super().accepted(delivery, provider_id)

    def uncertain(self, delivery: Delivery, reply: str) -> None:
        self.announced.add(delivery.place)
        super().uncertain(delivery, reply)


def test_every_outcome_arrives_once_with_what_was_said(journal):
    deliveries = noted(journal, 1_000)
    feed = run(Apart(judged), journal, lambda: MarkedFeed(deliveries))
    assert len(feed.ended) == 1_000
    for delivery in deliveries:
        outcome, text = feed.ended[delivery.place]
        expected = {
            0: (Outcome.REFUSED_FOR_GOOD, "550 no"),
            1: (Outcome.ACCEPTED, f"id-{delivery.subscriber_id}"),
            2: (Outcome.REFUSED_FOR_NOW, "451 later"),
            3: (Outcome.UNCERTAIN, "no answer"),
            4: (Outcome.ACCEPTED, f"id-{delivery.subscriber_id}"),
        }
        assert (outcome, text) == expected[delivery.subscriber_id % 5]


def test_the_journal_is_marked_by_the_other_process_itself(journal):
    deliveries = noted(journal, 50)
    feed = run(Apart(accept), journal, lambda: MarkedFeed(deliveries))
    assert len(feed.ended) == 50
    assert {journal.cells[delivery.place] for delivery in deliveries} == {2}


def test_a_transport_error_arrives_as_one_with_its_hint(journal):
    class Refusing(Apart):
        async def run(self, feed: Any, mailing: Any) -> None:
            raise TransportError("it takes nothing", hint="ask it why")

    with pytest.raises(TransportError, match="it takes nothing") as found:
        run(Refusing(), journal, lambda: MarkedFeed(noted(journal, 3)))
    assert found.value.hint == "ask it why"


def test_a_mistake_of_ours_arrives_with_its_traceback(journal):
    def fail(feed: Any, held: Delivery) -> None:
        feed.returned(held)
        raise ZeroDivisionError("in the other process")

    with pytest.raises(RuntimeError, match="ZeroDivisionError: in the other process"):
        run(Apart(fail), journal, lambda: MarkedFeed(noted(journal, 3)))


def test_its_death_ends_the_run_and_leaves_no_process(journal):
    def die(feed: Any, held: Delivery) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(TransportError, match="has died"):
        run(Apart(die), journal, lambda: MarkedFeed(noted(journal, 3)))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_cancelled_it_reports_what_it_holds_and_starts_nothing_new(journal):
    async def slowly(feed: Any, held: Delivery) -> None:
        feed.handing_over(held)
        await asyncio.sleep(0.05)
        feed.accepted(held)

    deliveries = noted(journal, 500)

    async def work(at_work: Any) -> ListFeed:
        feed = MarkedFeed(deliveries)
        task = asyncio.create_task(at_work.run(feed, MAILING))
        while not feed.ended:
            await asyncio.sleep(0.01)
        feed.over = True
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return feed

    with apart(Apart(slowly), MAILING, journal) as at_work:
        feed = asyncio.run(work(at_work))
    assert 0 < len(feed.ended) < 500
    # Killed or not, the journal knows each one that was handed over.
    marks = {delivery.place: journal.cells[delivery.place] for delivery in deliveries}
    for place, (outcome, _) in feed.ended.items():
        assert outcome is Outcome.ACCEPTED
        assert marks[place] == 2


# ── a whole campaign ────────────────────────────────────────────────────────


@pytest.fixture
def workspace(tmp_path):
    return workspace_in(tmp_path / "workspace", delivery={"pause_at_failures": 100})


def test_a_campaign_through_another_process_ends_as_in_one(store, workspace):
    people(store, 1_500)
    made = frozen(store, workspace)
    summary = send(store, workspace, made.id, Apart(accept))
    assert summary.ending is Ending.COMPLETED
    assert summary.counts.accepted == 1_500
    rows = rows_of(store, made.id)
    assert {row.provider_id for row in rows.values()} == {f"id-{number}" for number in rows}


def test_what_a_dead_process_had_in_its_hands_is_settled_from_the_journal(store, workspace):
    people(store, 300)
    made = frozen(store, workspace)

    def dies_in_the_middle(feed: Any, held: Delivery) -> None:
        feed.handing_over(held)
        if held.subscriber_id == 100:
            os.kill(os.getpid(), signal.SIGKILL)
        feed.accepted(held)

    with pytest.raises(TransportError, match="has died"):
        send(store, workspace, made.id, Apart(dies_in_the_middle, workers=1))
    rows = rows_of(store, made.id)
    assert [number for number, row in rows.items() if row.status == "uncertain"] == [100]
    assert sum(row.status == "accepted" for row in rows.values()) == 99
    assert sum(row.status == "pending" for row in rows.values()) == 200
    assert send(store, workspace, made.id, Apart(accept)).ending is Ending.COMPLETED
    rows = rows_of(store, made.id)
    assert sum(row.status == "accepted" for row in rows.values()) == 299


def test_a_pause_from_elsewhere_reaches_the_other_process(store, workspace):
    people(store, 3_000)
    made = frozen(store, workspace)

    async def slowly(feed: Any, held: Delivery) -> None:
        feed.handing_over(held)
        await asyncio.sleep(0.01)
        feed.accepted(held)

    def pause() -> None:
        with store.begin() as conn:
            campaigns.pause(conn, made.id, reason="a person said so", **WRITES)

    timer = threading.Timer(1.0, pause)
    timer.start()
    summary = send(store, workspace, made.id, Apart(slowly))
    timer.join()
    assert summary.ending is Ending.PAUSED
    counts = summary.counts
    assert counts.uncertain == 0
    assert 0 < counts.accepted < 3_000
    assert counts.accepted + counts.pending == 3_000


# ── the wire ────────────────────────────────────────────────────────────────


def test_messages_arrive_whole_however_they_are_cut():
    heard: list[Any] = []
    end = Wire(ToSender, heard.append, lambda: None)
    sent = bytearray()

    class Collecting:
        def write(self, data: bytes) -> None:
            sent.extend(data)

    end.connection_made(Collecting())  # type: ignore[arg-type]
    messages = [
        Want(7),
        Told([(8, "id")], [(16, Outcome.UNCERTAIN, "é", None)], [24]),
        Ended("so", None),
    ]
    for message in messages:
        end.send(message)
    for cut in (1, 3, 7, len(sent)):
        heard.clear()
        for start in range(0, len(sent), cut):
            end.data_received(bytes(sent[start : start + cut]))
        assert heard == messages


def test_deliveries_arrive_with_all_that_they_hold():
    heard: list[Any] = []
    end = Wire(ToTransport, heard.append, lambda: None)
    given = Delivery(5, "zoë@example.org", "Zoë", 2, 4160, tokens=("a", "b", "c"), is_text=True)
    data = msgspec.msgpack.encode(Batch([given]))
    end.data_received(len(data).to_bytes(4, "big") + data)
    assert heard == [Batch([given])]
