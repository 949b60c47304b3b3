"""One mailbox gets one notice in a while, however often and by however many it is asked."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from newsletter.audience import subscribers
from newsletter.notices import queue
from newsletter.notices.model import Kind
from newsletter.store.engine import open_url
from tests.audience.people import NOW, WRITES, add
from tests.notices.noticing import ADA, PER, Answers, a_workspace, ask, asked, rows, send

MINUTE = timedelta(minutes=1)


def test_thousand_requests_for_one_address_give_one_mail(store, tmp_path):
    spellings = [ADA, "ADA@example.org", "Ada@EXAMPLE.org", "aDa@example.org"]
    with store.begin() as conn:
        given = [
            queue.enqueue(conn, ask(conn, email).id, Kind.CONFIRM, now=NOW, per=PER)
            for number in range(1000)
            for email in [spellings[number % 4]]
        ]
    assert given == [True] + [False] * 999
    transport = Answers()
    send(store, a_workspace(tmp_path), transport)
    assert [email for email, _ in transport.messages] == [ADA]


def test_next_one_leaves_after_the_time_has_passed_and_not_before(store, tmp_path):
    person = asked(store)
    send(store, a_workspace(tmp_path), Answers())
    with store.begin() as conn:
        for now, is_taken in [(NOW + PER - MINUTE, False), (NOW + PER, True), (NOW + PER, False)]:
            assert queue.enqueue(conn, person.id, Kind.CONFIRM, now=now, per=PER) is is_taken


def test_notice_that_still_waits_holds_the_next_one_back_however_old_it_is(store):
    person = asked(store)
    with store.begin() as conn:
        later = NOW + 10 * PER
        assert not queue.enqueue(conn, person.id, Kind.CONFIRM, now=later, per=PER)
        assert not queue.enqueue(conn, person.id, Kind.KNOWN, now=later, per=PER)


def test_confirmation_and_reminder_share_a_limit_and_the_welcome_has_none_of_it(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        assert queue.enqueue(conn, person.id, Kind.KNOWN, now=NOW, per=PER)
        assert not queue.enqueue(conn, person.id, Kind.CONFIRM, now=NOW, per=PER)
        assert queue.enqueue(conn, person.id, Kind.WELCOME, now=NOW)
        assert not queue.enqueue(conn, person.id, Kind.WELCOME, now=NOW)


def test_other_people_are_not_held_back(store):
    asked(store)
    with store.begin() as conn:
        for email in ("ada@example.com", "ada+x@example.org", "bo@example.org"):
            assert queue.enqueue(conn, ask(conn, email).id, Kind.CONFIRM, now=NOW, per=PER)


def test_nobody_and_erased_people_get_nothing_and_erasing_takes_what_waits(store):
    person = asked(store)
    with store.begin() as conn:
        subscribers.erase(conn, ADA, **WRITES)
        assert not queue.enqueue(conn, person.id, Kind.CONFIRM, now=NOW, per=PER)
        assert not queue.enqueue(conn, 10_000, Kind.CONFIRM, now=NOW, per=PER)
    assert rows(store) == []


@pytest.mark.parametrize("spellings", [[ADA] * 4, [ADA, "Ada@example.org", "aDA@example.org"] * 2])
def test_requests_at_the_same_time_give_one_notice(store, database_url, spellings):
    with store.begin() as conn:
        ids = {email: ask(conn, email).id for email in dict.fromkeys(spellings)}
    ready, taken = threading.Barrier(len(spellings)), []

    def press(email: str) -> None:
        with open_url(database_url) as own:
            ready.wait(30)
            with own.begin() as conn:
                taken.append(queue.enqueue(conn, ids[email], Kind.CONFIRM, now=NOW, per=PER))

    threads = [threading.Thread(target=press, args=(email,)) for email in spellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == [False] * (len(spellings) - 1) + [True]


def test_counts_tell_how_many_wait_and_since_when(store, tmp_path):
    with store.read() as conn:
        assert queue.counts(conn) == (0, None)
        assert not queue.is_due(conn, NOW)
    asked(store)
    asked(store, "bo@example.org", now=NOW + MINUTE)
    with store.read() as conn:
        assert queue.counts(conn) == (2, NOW)
        assert queue.is_due(conn, NOW)
        assert not queue.is_due(conn, NOW - MINUTE)
    send(store, a_workspace(tmp_path), Answers(), now=NOW + MINUTE)
    with store.read() as conn:
        assert queue.counts(conn) == (0, None)
