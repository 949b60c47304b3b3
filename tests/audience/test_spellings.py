"""Addresses that differ only in letter case: two people, one suppression, no guess who is meant."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.errors import UsageError
from newsletter.store.tables import suppression
from tests.audience.importing import import_people
from tests.audience.people import NOW, WRITES, add, everything, mailed, request

ADA, OTHER, THIRD = "Ada@example.org", "ada@example.org", "ADA@example.org"


@pytest.fixture
def both(store):
    """Two people on the list, with one address but for letter case."""
    with store.begin() as conn:
        assert add(conn, ADA, name="Ada").id != add(conn, OTHER, name="Adam").id
    return store


def left(store, email):
    with store.begin() as conn:
        person = subscribers.find_exactly(conn, email)
        return subscribers.unsubscribe(conn, person.id, source="one-click", **WRITES)


def statuses(store):
    with store.read() as conn:
        return {one.email: one.status for one in subscribers.iterate(conn, subscribers.everyone())}


def test_each_spelling_is_found_as_itself(both):
    with both.read() as conn:
        assert [subscribers.find(conn, email).name for email in (ADA, OTHER)] == ["Ada", "Adam"]
        assert subscribers.record(conn, OTHER)["subscriber"]["name"] == "Adam"


def test_other_spelling_is_found_where_it_is_the_only_one(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        assert subscribers.find(conn, "aDA@EXAMPLE.org") == person
        assert subscribers.find_exactly(conn, OTHER) is None
        assert subscribers.record(conn, OTHER)["email"] == ADA


def test_nobody_is_guessed_where_several_spellings_match_and_none_is_exact(both):
    acts = (
        subscribers.find,
        subscribers.record,
        lambda conn, email: subscribers.erase(conn, email, **WRITES),
        lambda conn, email: subscribers.lift(conn, email, reason="wrote again", **WRITES),
    )
    for act in acts:
        with pytest.raises(UsageError, match="2 other spellings") as caught, both.begin() as conn:
            act(conn, THIRD)
        assert "exact spelling" in (caught.value.hint or "")
    assert mailed(both) == [ADA, OTHER]


@pytest.mark.parametrize(("leaver", "stays"), [(ADA, OTHER), (OTHER, ADA)])
def test_leaving_in_one_spelling_keeps_every_spelling_from_being_mailed(both, leaver, stays):
    left(both, leaver)
    assert mailed(both) == []
    assert statuses(both) == {leaver: Status.UNSUBSCRIBED, stays: Status.ACTIVE}


def test_who_left_is_not_brought_back_in_another_spelling(store):
    with store.begin() as conn:
        add(conn, ADA)
    left(store, ADA)
    for come_back in (add, request):
        with pytest.raises(UsageError, match="suppressed"), store.begin() as conn:
            come_back(conn, OTHER)
    import_people(store, [OTHER, ADA], now=NOW)
    assert mailed(store) == []
    assert list(statuses(store)) == [ADA]


def test_confirmation_of_one_spelling_does_not_count_after_another_left(store):
    with store.begin() as conn:
        add(conn, ADA)
        _, token = request(conn, OTHER)
    left(store, ADA)
    with store.begin() as conn:
        assert subscribers.confirm(conn, token, now=NOW) is None
    assert mailed(store) == []


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.BOUNCED])
def test_suppression_in_a_spelling_that_nobody_has_reaches_the_only_other_one(store, reason):
    """A mailbox provider reports complaints in lower case."""
    with store.begin() as conn:
        person, token = request(conn, ADA)
        subscribers.suppress(conn, OTHER, reason=reason, source="mailbox", **WRITES)
        assert subscribers.confirm(conn, token, now=NOW) is None
        is_left = subscribers.get(conn, person.id).status is Status.UNSUBSCRIBED
    assert is_left == (reason is Reason.COMPLAINED)


def test_suppression_in_a_spelling_that_nobody_has_holds_for_all_where_there_are_several(both):
    with both.begin() as conn:
        subscribers.suppress(conn, THIRD, reason=Reason.COMPLAINED, source="mailbox", **WRITES)
    assert mailed(both) == []
    assert set(statuses(both).values()) == {Status.ACTIVE}


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.BOUNCED])
def test_imported_suppressions_hold_in_every_spelling(both, reason):
    import_people(both, [THIRD], now=NOW, suppress=reason)
    assert mailed(both) == []
    import_people(both, [ADA, OTHER, THIRD], now=NOW)
    assert mailed(both) == []
    assert len(statuses(both)) == 2


def test_file_that_suppresses_two_spellings_leaves_the_graver_reason(both):
    import_people(both, [OTHER, ADA], now=NOW, suppress=Reason.BOUNCED)
    import_people(both, [ADA, OTHER], now=NOW, suppress=Reason.COMPLAINED)
    with both.read() as conn:
        active = sa.select(suppression.c.reason).where(suppression.c.lifted_at.is_(None))
        assert list(conn.scalars(active)) == [Reason.COMPLAINED]
    assert set(statuses(both).values()) == {Status.UNSUBSCRIBED}


def test_imported_suppression_voids_the_confirmations_of_both_spellings(store):
    with store.begin() as conn:
        tokens = [request(conn, email)[1] for email in (ADA, OTHER)]
    for email in (ADA, OTHER):
        import_people(store, [email], now=NOW, suppress=Reason.BOUNCED)
    with store.begin() as conn:
        subscribers.lift(conn, ADA, reason="the mailbox works again", **WRITES)
        assert [subscribers.confirm(conn, token, now=NOW) for token in tokens] == [None, None]


def test_lift_holds_for_every_spelling_and_who_left_still_needs_a_new_consent(both):
    left(both, ADA)
    with both.begin() as conn:
        subscribers.lift(conn, OTHER, reason="Adam asks where his copy is", **WRITES)
    assert mailed(both) == [OTHER]


def test_erasure_forgets_one_spelling_and_keeps_the_other_unmailed(both):
    with both.begin() as conn:
        assert subscribers.erase(conn, ADA, **WRITES)
        assert subscribers.other_spellings(conn, ADA) == [2]
    assert ADA not in everything(both)
    assert mailed(both) == []
    with both.begin() as conn:
        assert subscribers.erase(conn, OTHER, **WRITES)
    assert OTHER not in everything(both)


def test_erasure_in_another_spelling_finds_the_person(store):
    with store.begin() as conn:
        add(conn, ADA)
        assert subscribers.erase(conn, THIRD, **WRITES)
    assert "ada@" not in everything(store).lower()


def test_what_is_no_address_has_no_other_spelling(both):
    with both.read() as conn:
        assert subscribers.other_spellings(conn, "no address") == []
        assert subscribers.other_spellings(conn, ADA) == [2]
        assert subscribers.other_spellings(conn, THIRD) == [1, 2]
