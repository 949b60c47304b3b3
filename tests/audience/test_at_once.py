"""Several writers at once: one person stays one person, and leaving wins."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.errors import UsageError
from newsletter.store.engine import Store, open_url
from tests.audience.people import WRITES, add, mailed, request, status_of

ADA = "ada@example.org"


def all_at_once(url: str, *acts: Callable[[Store], object]) -> list[object]:
    """Do every act in a thread and a store of its own, starting together."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[Store], object]) -> object:
        with open_url(url) as store:
            barrier.wait(timeout=30)
            try:
                return act(store)
            except UsageError as error:
                return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def adding(tag: str) -> Callable[[Store], object]:
    def act(store: Store) -> object:
        with store.begin() as conn:
            return add(conn, ADA, tags=[tag]).id

    return act


def test_one_person_added_by_many_at_once_is_one_person_with_every_tag(store, database_url):
    ids = all_at_once(database_url, *(adding(f"t{number}") for number in range(6)))
    assert len(set(ids)) == 1
    with store.read() as conn:
        person = subscribers.find(conn, ADA)
    assert person is not None
    assert person.tags == tuple(f"t{number}" for number in range(6))


def test_confirmation_that_is_clicked_twice_at_once_counts_once(store, database_url):
    with store.begin() as conn:
        _, token = request(conn, ADA)

    def click(other: Store) -> object:
        with other.begin() as conn:
            return subscribers.confirm(conn, token, now=WRITES["now"])

    found = all_at_once(database_url, click, click, click, click)
    assert sum(person is not None for person in found) == 1
    assert mailed(store) == [ADA]


def test_person_who_leaves_while_others_add_and_confirm_them_has_left(store, database_url):
    with store.begin() as conn:
        person, token = request(conn, ADA)

    def leave(other: Store) -> object:
        with other.begin() as conn:
            return subscribers.unsubscribe(conn, person.id, source="page", **WRITES)

    def confirm(other: Store) -> object:
        with other.begin() as conn:
            return subscribers.confirm(conn, token, now=WRITES["now"])

    all_at_once(database_url, leave, adding("a"), confirm, adding("b"))
    assert mailed(store) == []
    assert status_of(store, ADA) is Status.UNSUBSCRIBED


def test_address_suppressed_by_many_at_once_has_one_suppression(store, database_url):
    def suppress(other: Store) -> object:
        with other.begin() as conn:
            return subscribers.suppress(
                conn, ADA, reason=Reason.BOUNCED, source="mailbox", **WRITES
            )

    assert sorted(map(bool, all_at_once(database_url, *[suppress] * 4))) == [False] * 3 + [True]
    with store.begin() as conn:
        assert len(subscribers.record(conn, ADA)["suppressions"]) == 1
