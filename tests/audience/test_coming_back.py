"""Who left comes back by their own confirmation of a newer request, and by nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.asking import ConfirmationState
from newsletter.audience.model import ConsentKind, Reason, Status
from newsletter.errors import UsageError
from newsletter.store.tables import confirmation, consent, suppression
from tests.audience.importing import import_people
from tests.audience.people import NOW, WRITES, add, mailed, request, status_of
from tests.audience.people import consent as given

ADA, OTHER = "ada@example.org", "Ada@example.org"
MINUTE = timedelta(minutes=1)
LATER = NOW + MINUTE
WEEK = timedelta(days=7)


def leave(conn, email=ADA, reason=Reason.UNSUBSCRIBED):
    subscribers.suppress(conn, email, reason=reason, source="page", **WRITES)


def ask(conn, email=ADA, *, now=LATER, **values):
    wish = given(ConsentKind.REQUESTED, wording="“Send me the digest.”", at=now)
    return subscribers.ask(conn, email, consent=wish, source="page", now=now, **values)


def token_of(conn, person, *, now=LATER):
    return subscribers.new_token(conn, person.id, now=now, within=WEEK)


@pytest.fixture
def left(store):
    """A store with one person, who left."""
    with store.begin() as conn:
        add(conn, ADA, name="Ada", tags=["press"])
        leave(conn)
    return store


def test_person_who_left_is_mailed_again_once_they_confirm_a_new_request(left):
    with left.begin() as conn:
        person = ask(conn, name="Somebody", tags=["vip"])
        assert (person.status, person.name, person.tags) == (
            Status.UNSUBSCRIBED,
            "Ada",
            ("press",),
        )
        token = token_of(conn, person)
        assert subscribers.suppression_of(conn, ADA) is Reason.UNSUBSCRIBED
    assert mailed(left) == []
    with left.begin() as conn:
        assert subscribers.confirm(conn, token, now=LATER + MINUTE) is not None
        (row,) = conn.execute(sa.select(suppression)).all()
        actions = [entry.what for entry in subscribers.timeline(conn, person.id)]
        kinds = conn.scalars(sa.select(consent.c.kind).order_by(consent.c.id)).all()
    assert mailed(left) == [ADA]
    assert (row.lifted_by, row.lifted_reason) == ("subscriber", "confirmed anew")
    assert kinds == ["added", "withdrawn", "requested", "confirmed"]
    assert {"subscriber.unsuppress", "subscriber.confirm"} <= set(actions)


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.BOUNCED, Reason.MANUAL, "erased"])
def test_nobody_asks_for_an_address_that_is_suppressed_for_another_reason(store, reason):
    with store.begin() as conn:
        add(conn, ADA)
        if reason == "erased":
            subscribers.erase(conn, ADA, **WRITES)
        else:
            leave(conn, reason=reason)
        assert ask(conn) is None
        with pytest.raises(UsageError, match="suppressed"):
            request(conn, ADA, may_return=True)
    with store.read() as conn:
        assert conn.scalars(sa.select(consent.c.kind)).all().count("requested") == 0


def test_request_by_an_operator_does_not_bring_back_unless_it_says_so(left):
    with pytest.raises(UsageError, match="suppressed"), left.begin() as conn:
        request(conn, ADA)
    with left.begin() as conn:
        _, token = request(
            conn, ADA, may_return=True, now=LATER, consent=given(ConsentKind.REQUESTED, at=LATER)
        )
        assert subscribers.confirm(conn, token, now=LATER) is not None


def test_token_that_was_mailed_before_the_leaving_never_counts(store):
    with store.begin() as conn:
        _, old = request(conn, ADA)
        leave(conn)
        person = ask(conn)
        assert subscribers.confirm(conn, old, now=LATER) is None
        assert subscribers.confirm(conn, token_of(conn, person), now=LATER) is not None


def test_token_of_another_spelling_from_before_the_leaving_never_counts(store):
    """A suppression holds for every letter case; the confirmations of other rows stand."""
    with store.begin() as conn:
        add(conn, ADA)
        _, old = request(conn, OTHER)
        leave(conn, ADA)
        assert conn.scalar(sa.select(sa.func.count()).select_from(confirmation)) == 1
        assert subscribers.confirm(conn, old, now=LATER) is None
        _, old = request(conn, OTHER, may_return=True)  # at the moment of the leaving: no newer
        assert subscribers.confirm(conn, old, now=LATER) is None
        ask(conn, OTHER)
        assert subscribers.confirmation_state(conn, old, now=LATER) is ConfirmationState.VOID
    assert mailed(store) == []


def test_who_comes_back_brings_no_other_spelling_with_them(store):
    with store.begin() as conn:
        add(conn, OTHER)
        add(conn, ADA)
        leave(conn, ADA)
        assert subscribers.confirm(conn, token_of(conn, ask(conn)), now=LATER) is not None
    assert mailed(store) == [ADA]
    assert status_of(store, OTHER) is Status.UNSUBSCRIBED


def test_leaving_again_voids_what_was_mailed_since(left):
    with left.begin() as conn:
        person = ask(conn)
        token = token_of(conn, person)
        writes = {"source": "page", "now": LATER + MINUTE, "actor": "subscriber"}
        subscribers.unsubscribe(conn, person.id, **writes)
        assert subscribers.confirm(conn, token, now=LATER + MINUTE) is None


def test_complaint_after_the_request_wins_over_the_confirmation(left):
    with left.begin() as conn:
        person = ask(conn)
        leave(conn, reason=Reason.COMPLAINED)
        token = token_of(conn, person)
        assert not subscribers.may_confirm(conn, person.id)
        assert subscribers.confirm(conn, token, now=LATER) is None
    assert mailed(left) == []


def test_request_stands_when_an_operator_lifts_the_suppression_meanwhile(left):
    with left.begin() as conn:
        token = token_of(conn, ask(conn))
        subscribers.lift(conn, ADA, reason="wrote by mail", now=LATER, actor="operator")
        assert subscribers.confirm(conn, token, now=LATER) is not None
    assert mailed(left) == [ADA]


def test_neither_an_import_nor_a_late_event_counts_as_their_confirmation(left):
    with left.begin() as conn:
        person = ask(conn)
    import_people(left, [ADA], now=LATER)
    with left.begin() as conn:
        assert not subscribers.resume(conn, person.id, now=LATER, actor="event")
    assert mailed(left) == []


def test_address_that_left_before_it_was_ever_on_the_list_may_come(store):
    with store.begin() as conn:
        leave(conn)
        person = ask(conn)
        assert person.status is Status.PENDING
        assert subscribers.confirm(conn, token_of(conn, person), now=LATER) is not None
    assert mailed(store) == [ADA]


def test_state_of_a_token_tells_what_its_page_may_say(store):
    with store.begin() as conn:
        person = ask(conn)
        token = token_of(conn, person)

        def state(text=token, now=LATER):
            return subscribers.confirmation_state(conn, text, now=now)

        assert state("invented") is ConfirmationState.VOID
        assert state(now=LATER + WEEK) is ConfirmationState.VOID
        assert state() is state() is ConfirmationState.OPEN
        subscribers.confirm(conn, token, now=LATER)
        assert state(now=LATER + WEEK) is ConfirmationState.DONE
        leave(conn)
        assert state() is ConfirmationState.VOID
