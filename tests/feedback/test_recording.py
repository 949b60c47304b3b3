"""Events are recorded once, and what follows from them does not depend on their order."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.recording import BATCH, Recorded, record
from newsletter.store.engine import open_url
from newsletter.store.tables import audit, consent, delivery, event, suppression
from tests.audience.people import everything, status_of
from tests.databases import POSTGRESQL, SQLITE
from tests.feedback.sent_campaigns import (
    CAMPAIGNS,
    DAY,
    LINKS,
    NOW,
    PEOPLE,
    reader,
    token,
    world,
)


def heard(kind, subscriber_id=1, campaign_id=1, *, at=NOW, permanent=False, **values):
    made = Event(
        provider="sendgrid",
        event_id=f"{kind} {campaign_id} {subscriber_id} {at.isoformat()} {permanent}",
        kind=kind,
        at=at,
        token=token(campaign_id, subscriber_id),
        email=reader(subscriber_id),
        is_permanent=permanent,
        detail="",
    )
    return replace(made, **values)


def tell(store, *events, now=NOW):
    return record(store, events, links=LINKS, now=now, actor="sendgrid webhook")


def column(store, name):
    """A column of the ledger, by campaign and subscriber."""
    with store.read() as conn:
        rows = conn.execute(sa.select(delivery))
        return {(row.campaign_id, row.subscriber_id): getattr(row, name) for row in rows}


def reasons(store):
    with store.read() as conn:
        found = {number: subscribers.suppression_of(conn, reader(number)) for number in range(9)}
    return {number: reason for number, reason in found.items() if reason is not None}


def rows_of(store, table):
    with store.read() as conn:
        return conn.execute(sa.select(table)).all()


def test_event_is_recorded_once_with_its_delivery_and_without_an_address(store):
    world(store)
    first = heard(Kind.DELIVERED, 2, 3, detail="250 ok")
    assert tell(store, first, first) == Recorded(new=1, known=1)
    assert tell(store, first, now=NOW + DAY) == Recorded(known=1)
    (row,) = rows_of(store, event)
    assert (row.provider, row.event_id, row.kind) == ("sendgrid", first.event_id, "delivered")
    assert (row.campaign_id, row.subscriber_id, row.detail) == (3, 2, "250 ok")
    assert (row.at, row.received_at) == (NOW, NOW)
    assert "@" not in str(row[:3] + row[4:])


def test_same_id_of_another_provider_is_another_event(store):
    world(store)
    first = heard(Kind.DELIVERED)
    assert tell(store, first, replace(first, provider="mailbox")).new == 2


def test_report_moves_up_only_and_leaves_the_time_of_handing_over(store):
    world(store)
    tell(store, heard(Kind.BOUNCED, permanent=True))
    tell(store, heard(Kind.DELIVERED), heard(Kind.DELIVERED, 2), heard(Kind.PROCESSED, 3))
    reports = column(store, "report")
    assert (reports[1, 1], reports[1, 2], reports[1, 3]) == ("bounced", "delivered", None)
    assert reports[2, 1] is None
    assert set(column(store, "updated_at").values()) == {NOW - DAY}


def test_permanent_bounce_suppresses_and_leaves_the_person_on_the_list(store):
    world(store)
    done = tell(store, heard(Kind.BOUNCED, permanent=True), heard(Kind.BOUNCED, 2))
    assert done == Recorded(new=2, suppressed=1)
    assert reasons(store) == {1: Reason.BOUNCED}
    assert status_of(store, reader(1)) is Status.ACTIVE
    (row,) = rows_of(store, suppression)
    assert (row.source, row.at) == ("sendgrid", NOW)
    audited = [(row.actor, row.action, row.detail) for row in rows_of(store, audit)][-1]
    assert audited == ("sendgrid webhook", "subscriber.suppress", "bounced: sendgrid")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(Kind.COMPLAINED, Reason.COMPLAINED), (Kind.UNSUBSCRIBED, Reason.UNSUBSCRIBED)],
)
def test_person_who_complains_or_leaves_has_left(store, kind, reason):
    world(store)
    assert tell(store, heard(kind)).suppressed == 1
    assert reasons(store) == {1: reason}
    assert status_of(store, reader(1)) is Status.UNSUBSCRIBED
    assert rows_of(store, consent)[-1].kind == "withdrawn"
    assert column(store, "report")[1, 1] == kind.value


def test_temporary_bounces_of_three_issues_suppress_and_of_two_do_not(store):
    world(store)
    for number in (1, 2, 2, 3):
        assert reasons(store) == {}
        tell(store, heard(Kind.BOUNCED, 1, number, at=NOW + number * 14 * DAY))
    assert reasons(store) == {1: Reason.BOUNCED}


def test_bounces_without_a_delivery_count_by_the_person(store):
    world(store)
    for number in range(3):
        assert reasons(store) == {}
        tell(store, heard(Kind.BOUNCED, at=NOW + number * DAY, token=None))
    assert reasons(store) == {1: Reason.BOUNCED}
    assert {row.campaign_id for row in rows_of(store, event)} == {None}


def test_lifted_suppression_stays_lifted_when_an_old_bounce_comes_late(store):
    world(store)
    tell(store, heard(Kind.BOUNCED, permanent=True))
    with store.begin() as conn:
        subscribers.lift(conn, reader(1), reason="works", now=NOW + DAY, actor="operator")
    tell(store, heard(Kind.BOUNCED, 1, 2, permanent=True, at=NOW + DAY / 2))
    assert reasons(store) == {}
    tell(store, heard(Kind.BOUNCED, 1, 3, permanent=True, at=NOW + 2 * DAY))
    assert reasons(store) == {1: Reason.BOUNCED}


def test_token_outweighs_an_address_that_mail_was_forwarded_to(store):
    world(store)
    tell(store, heard(Kind.BOUNCED, 1, permanent=True, email=reader(2)))
    assert reasons(store) == {1: Reason.BOUNCED}


@pytest.mark.parametrize("bad", [None, "", "made up", "é", LINKS.tokens.sign("unsubscribe", 1)])
def test_token_that_is_not_ours_leads_nowhere_and_the_address_to_its_person(store, bad):
    world(store)
    done = tell(store, heard(Kind.COMPLAINED, 2, token=bad))
    assert done == Recorded(new=1, suppressed=1)
    assert reasons(store) == {2: Reason.COMPLAINED}
    assert set(column(store, "report").values()) == {None}


@pytest.mark.parametrize("email", [None, "", "stranger@example.com", "no address", "a@b@c"])
def test_event_about_nobody_is_kept_and_changes_nothing(store, email):
    world(store)
    done = tell(store, heard(Kind.COMPLAINED, token=token(9, 9), email=email))
    assert done == Recorded(new=1, unknown=1)
    assert rows_of(store, suppression) == []
    assert "stranger" not in everything(store)


def test_erased_person_stays_erased(store):
    world(store)
    with store.begin() as conn:
        subscribers.erase(conn, reader(1), now=NOW, actor="operator")
    done = tell(store, heard(Kind.COMPLAINED), heard(Kind.BOUNCED, permanent=True))
    assert done == Recorded(new=2)
    assert reasons(store) == {1: Reason.ERASED}
    assert reader(1) not in everything(store)


def test_event_settles_what_is_uncertain_by_evidence_alone(store):
    world(store, status=DeliveryStatus.UNCERTAIN)
    done = tell(
        store,
        heard(Kind.PROCESSED, 1),
        heard(Kind.DROPPED, 2),
        heard(Kind.UNSUBSCRIBED, 3),
    )
    assert done.settled == 2
    statuses = column(store, "status")
    assert [statuses[1, number] for number in range(1, 5)] == [
        "accepted",
        "failed",
        "uncertain",
        "uncertain",
    ]
    assert statuses[2, 1] == "uncertain"


def test_late_proof_of_acceptance_outweighs_a_drop_but_no_other_failure(store):
    world(store, status=DeliveryStatus.UNCERTAIN)
    with store.begin() as conn:
        other = (delivery.c.campaign_id == 1, delivery.c.subscriber_id == 2)
        conn.execute(sa.update(delivery).where(*other).values(status="failed", reply="550"))
    tell(store, heard(Kind.DROPPED, 1))
    assert column(store, "status")[1, 1] == "failed"
    tell(store, heard(Kind.DELIVERED, 1), heard(Kind.DELIVERED, 2))
    assert column(store, "status")[1, 1] == "accepted"
    assert column(store, "status")[1, 2] == "failed"


def test_event_that_came_before_the_outcome_was_missed_settles_when_told_again(store):
    world(store, status=DeliveryStatus.SENDING)
    assert tell(store, heard(Kind.DELIVERED)).settled == 0
    with store.begin() as conn:
        conn.execute(sa.update(delivery).values(status="uncertain"))
    assert tell(store, heard(Kind.DELIVERED)) == Recorded(known=1, settled=1)


def test_delivery_that_is_not_uncertain_keeps_its_status(store):
    world(store, status=DeliveryStatus.PENDING)
    tell(store, heard(Kind.DELIVERED), heard(Kind.DROPPED, 2))
    assert set(column(store, "status").values()) == {"pending"}


def test_failure_in_the_middle_records_nothing_of_its_batch(store):
    world(store)
    broken = heard(Kind.DELIVERED, 2, event_id="broken", detail=None)
    with pytest.raises(Exception, match="detail"):
        tell(store, heard(Kind.COMPLAINED), broken)
    assert rows_of(store, event) == []
    assert reasons(store) == {}


def test_two_who_record_the_same_at_once_record_it_once(store):
    world(store, people=60)
    events = [
        heard(kind, number, campaign_id, permanent=True)
        for number in range(1, 61)
        for campaign_id in (1, 2)
        for kind in (Kind.DELIVERED, Kind.BOUNCED)
    ]
    barrier, done = Barrier(4), []

    def run(order):
        barrier.wait(timeout=20)
        done.append(tell(store, *order))

    orders = (events, events[::-1], events[100:] + events[:100], events)
    threads = [Thread(target=run, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    total = sum(done, Recorded())
    assert total == Recorded(new=240, known=720, suppressed=60)


def test_two_who_record_one_temporary_bounce_each_count_both(store):
    world(store)
    tell(store, heard(Kind.BOUNCED, 1, 1))
    barrier = Barrier(2)

    def run(campaign_id):
        barrier.wait(timeout=20)
        tell(store, heard(Kind.BOUNCED, 1, campaign_id))

    threads = [Thread(target=run, args=(number,)) for number in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert reasons(store) == {1: Reason.BOUNCED}


# ── any order ───────────────────────────────────────────────────────────────

DAYS = st.sampled_from([NOW + days * DAY for days in (0, 30, 60, 89, 90, 150)])
ANYWHERE = st.builds(
    heard,
    st.sampled_from(Kind),
    st.integers(1, PEOPLE),
    st.integers(1, CAMPAIGNS),
    at=DAYS,
    permanent=st.booleans(),
    token=st.sampled_from([None, "made up"]),
)
ONE_DELIVERY = st.builds(heard, st.sampled_from(Kind), st.just(1), st.just(1), at=DAYS)
ONE_PERSON_S_BOUNCES = st.builds(
    heard, st.just(Kind.BOUNCED), st.just(2), st.integers(1, CAMPAIGNS), at=DAYS
)
TAKEN_OR_NOT = st.builds(
    heard,
    st.sampled_from([Kind.PROCESSED, Kind.DROPPED]),
    st.integers(3, PEOPLE),
    st.just(1),
)
EVENTS = st.one_of(ANYWHERE, ONE_DELIVERY, ONE_PERSON_S_BOUNCES, TAKEN_OR_NOT)


@st.composite
def two_tellings(draw):
    """The same events twice: in other orders, repeated, and cut into other calls."""
    events = draw(st.lists(EVENTS, min_size=4, max_size=16, unique_by=lambda item: item.event_id))
    tellings = []
    for _ in range(2):
        told = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=4))))
        cuts = sorted(draw(st.lists(st.integers(0, len(told)), max_size=4)))
        edges = [0, *cuts, len(told)]
        tellings.append([told[a:b] for a, b in pairwise(edges)])
    return tellings


def state_after(store, calls):
    """What is left of *calls*; the store is as before afterwards."""
    for call in calls:
        tell(store, *call)
    with store.read() as conn:
        standing = sa.select(suppression.c.identity, suppression.c.reason)
        suppressed = conn.execute(standing.where(suppression.c.lifted_at.is_(None))).all()
        people = subscribers.iterate(conn, subscribers.everyone())
        return {
            "report": column(store, "report"),
            "status": column(store, "status"),
            "suppressed": sorted(map(tuple, suppressed)),
            "people": [(person.email, person.status) for person in people],
            "events": sorted(row.event_id for row in conn.execute(sa.select(event))),
        }


@pytest.mark.parametrize(("dialect", "examples"), [(SQLITE, 60), (POSTGRESQL, 25)])
def test_any_order_and_repetition_of_events_leaves_the_same(dialect, examples, request):
    with tempfile.TemporaryDirectory() as folder:
        numbers, first = count(), Path(folder) / "first.db"
        open_url(f"sqlite:///{first}").close()

        def fresh():
            if dialect == SQLITE:
                copy = shutil.copy(first, Path(folder) / f"{next(numbers)}.db")
                return open_url(f"sqlite:///{copy}")
            server = request.getfixturevalue("postgres")
            return open_url(server.url(server.create()))

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(two_tellings())
        def check(tellings):
            states = []
            for calls in tellings:
                with fresh() as store:
                    world(store, status=DeliveryStatus.UNCERTAIN)
                    states.append(state_after(store, calls))
                if dialect == POSTGRESQL:
                    request.getfixturevalue("postgres").drop(store.engine.url.database)
            assert states[0] == states[1]

        check()


def test_ten_thousand_events_are_recorded_in_batches(store):
    people = 500
    world(store, people=people)
    events = [
        heard(kind, number, campaign_id, at=NOW + second * timedelta(seconds=1))
        for second, kind in enumerate(
            [Kind.PROCESSED, Kind.DEFERRED, Kind.DEFERRED, Kind.DELIVERED, Kind.DELIVERED]
        )
        for number in range(1, people + 1)
        for campaign_id in range(1, CAMPAIGNS + 1)
    ]
    assert len(events) == 10 * BATCH
    before = time.perf_counter()
    assert tell(store, *events) == Recorded(new=10_000)
    assert time.perf_counter() - before < 20  # a bound, not the speed: see benchmarks
    assert set(column(store, "report").values()) == {"delivered"}
