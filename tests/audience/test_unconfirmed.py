"""Who asked and never confirmed is forgotten after a while; nobody else is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.audience import subscribers
from newsletter.audience.model import Consent, ConsentKind, Status
from newsletter.store.engine import Store
from tests.audience.people import NOW

LATER = NOW + timedelta(days=37)
EMAIL = "alex@example.org"


def ask(store: Store, email: str = EMAIL, at=NOW):
    given = Consent(
        kind=ConsentKind.REQUESTED, wording="send it to me", at=at, ip="192.0.2.7", page="/"
    )
    with store.begin() as conn:
        return subscribers.request(conn, email, consent=given, source="page", now=at)


def forget(store: Store, *, before=NOW + timedelta(days=1), most: int = 500) -> int:
    with store.begin() as conn:
        return subscribers.forget_unconfirmed(conn, before=before, now=LATER, most=most)


def test_who_never_confirmed_is_forgotten_with_all_that_was_kept(store: Store):
    person, token = ask(store)
    assert forget(store) == 1
    assert forget(store) == 0
    with store.begin() as conn:
        assert subscribers.find_exactly(conn, EMAIL) is None
        assert subscribers.confirm(conn, token, now=NOW) is None
        found = subscribers.get(conn, person.id)
        assert found is not None
        assert (found.status, found.email, found.name) == (Status.ERASED, "", "")
        kept = "".join(map(repr, subscribers.timeline(conn, person.id)))
    assert "alex" not in kept
    assert "192.0.2.7" not in kept


def test_who_was_forgotten_may_ask_again_and_confirm(store: Store):
    ask(store)
    forget(store)
    with store.read() as conn:
        assert subscribers.suppression_of(conn, EMAIL) is None
    _, token = ask(store, at=LATER)
    with store.begin() as conn:
        confirmed = subscribers.confirm(conn, token, now=LATER)
    assert confirmed is not None
    assert confirmed.status is Status.ACTIVE


@pytest.mark.parametrize("how", ["confirmed", "asked again", "imported as pending", "left"])
def test_everybody_else_stays(store: Store, how: str):
    if how == "imported as pending":
        given = Consent(kind=ConsentKind.IMPORTED, wording="the old list", at=NOW)
        with store.begin() as conn:
            subscribers.add(
                conn, EMAIL, status=Status.PENDING, consent=given, source="import",
                actor="operator", now=NOW,
            )  # fmt: skip
    else:
        person, token = ask(store)
        with store.begin() as conn:
            if how == "confirmed":
                subscribers.confirm(conn, token, now=NOW)
            elif how == "left":
                subscribers.unsubscribe(conn, person.id, source="page", now=NOW, actor="subscriber")
        if how == "asked again":
            ask(store, at=NOW + timedelta(days=20))
    assert forget(store) == 0
    with store.read() as conn:
        assert subscribers.find_exactly(conn, EMAIL) is not None


def test_many_are_forgotten_a_part_at_a_time(store: Store):
    for number in range(7):
        ask(store, f"reader{number}@example.org")
    assert [forget(store, most=3) for _ in range(4)] == [3, 3, 1, 0]
