"""What an erasure owes the disk is done when nothing is sent, once, and while pages are read."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from newsletter.audience import subscribers
from newsletter.calendar.compacting import Compacting
from newsletter.delivery import campaign as campaigns
from newsletter.store.engine import open_url
from tests.audience.people import NOW, WRITES, add
from tests.delivery.campaigns import a_workspace, frozen

GONE = "erica.quill@example.org"
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def said():
    return []


@pytest.fixture
def compacting(store, clock, said):
    return Compacting(store, clock=clock, say=said.append)


def erase(store, email=GONE, now=NOW):
    with store.begin() as conn:
        add(conn, email)
        subscribers.erase(conn, email, now=now, actor="subscriber")


def test_nothing_is_done_where_nobody_was_erased(compacting, said):
    assert not compacting.see_to()
    assert said == []


def test_erasure_is_compacted_once_and_at_most_once_an_hour(store, compacting, clock, said):
    erase(store)
    assert store.compact_owed() == NOW.isoformat()
    assert compacting.see_to()
    assert store.compact_owed() is None
    assert len(said) == 1
    erase(store, "bo@example.org", now=NOW + HOUR / 2)
    clock.now += HOUR / 2
    assert not compacting.see_to()
    clock.now += HOUR / 2
    assert compacting.see_to()


def test_it_waits_for_the_end_of_a_campaign(store, compacting, clock, tmp_path):
    with store.begin() as conn:
        add(conn, "bo@example.org")
    sent = frozen(store, a_workspace(tmp_path / "workspace"))
    erase(store)
    assert not compacting.see_to()
    with store.begin() as conn:
        campaigns.cancel(conn, sent.id, reason="a mistake", **WRITES)
    assert compacting.see_to()


def test_command_that_compacts_at_once_leaves_nothing_owed(store, compacting):
    erase(store)
    store.compact()
    assert not compacting.see_to()


def test_who_is_erased_while_it_is_at_work_is_still_owed(store):
    erase(store)
    owed = store.compact_owed()
    erase(store, "bo@example.org", now=NOW + HOUR)
    assert store.compact_owed() not in (None, owed)
    store.compact()
    assert store.compact_owed() is None


def test_reader_in_the_way_is_said_and_it_is_tried_an_hour_later(tmp_path, clock, said):
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    with open_url(url) as reader, open_url(url, wait=0.2) as store:
        erase(store)
        compacting = Compacting(store, clock=clock, say=said.append)
        with reader.read() as conn:
            assert subscribers.statistics(conn)["total"] == 0
            erase(store, "bo@example.org")
            assert not compacting.see_to()
        assert not compacting.see_to()
        clock.now += HOUR
        assert compacting.see_to()
    assert "not compacted yet" in said[0]


def test_pages_that_are_read_meanwhile_neither_stop_it_nor_fail(store, database_url, compacting):
    with store.begin() as conn:
        for number in range(500):
            add(conn, f"reader{number}@example.org")
    erase(store)
    stop, failed, reads = threading.Event(), [], []

    def read() -> None:
        with open_url(database_url) as own:
            while not stop.is_set():
                try:
                    with own.read() as conn:
                        reads.append(subscribers.find_exactly(conn, "reader7@example.org"))
                except Exception as error:
                    failed.append(error)
                    return

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert compacting.see_to()
    stop.set()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert all(reads)


def test_erased_address_is_in_no_file_after_it(tmp_path, clock, said):
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as store:
        erase(store)
        assert Compacting(store, clock=clock, say=said.append).see_to()
        files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
        assert not [data for data in files if b"erica.quill" in data]
