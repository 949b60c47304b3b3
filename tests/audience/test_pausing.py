"""A pause for so many issues ends by itself, neither sooner nor later."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.delivery import campaign as campaigns
from newsletter.errors import UsageError
from newsletter.store.tables import audit, pause
from tests.audience.people import NOW, WRITES, add, mailed, status_of
from tests.delivery.campaigns import a_workspace, an_edition

ADA, BO = "ada@example.org", "bo@example.org"
WEEK = timedelta(days=7)


@pytest.fixture
def come_out(store, tmp_path):
    """Freeze an issue so many weeks after the beginning; return whom it goes to."""
    workspace = a_workspace(tmp_path / "workspace")

    def freeze(number: str, *, week: int, tag: str | None = None) -> int:
        made, is_new = campaigns.freeze(
            store,
            workspace,
            an_edition(number),
            tag=tag,
            transport="outbox",
            now=NOW + week * WEEK,
            actor="operator",
        )
        assert is_new
        return made.intended

    return freeze


def cancel(store, number):
    with store.begin() as conn:
        found = campaigns.current(conn, number)
        campaigns.cancel(conn, found.id, reason="a mistake", **WRITES)


def pause_ada(store, issues, *, week=0):
    with store.begin() as conn:
        person = subscribers.find(conn, ADA) or add(conn, ADA)
        now = NOW + week * WEEK
        assert subscribers.pause_for(conn, person.id, issues, now=now, actor="subscriber")
        return person.id


def left(store, subscriber_id):
    with store.read() as conn:
        return subscribers.issues_left(conn, subscriber_id)


def rows(store):
    with store.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(pause))


def test_two_issues_pass_and_the_third_arrives(store, come_out):
    number = pause_ada(store, 2)
    assert left(store, number) == 2
    assert come_out("2.20", week=1) == 0
    assert left(store, number) == 1
    assert come_out("2.21", week=2) == 0
    assert left(store, number) == 0
    assert status_of(store, ADA) is Status.PAUSED
    assert come_out("2.22", week=3) == 1
    assert left(store, number) is None
    assert rows(store) == 0
    with store.read() as conn:
        entry = subscribers.timeline(conn, number)[-1]
    assert (entry.what, entry.actor, entry.detail) == (
        "subscriber.resume",
        "newsletter",
        "before Vol 2.22",
    )


def test_cancelled_and_repeated_campaigns_and_those_to_a_tag_count_for_nothing(store, come_out):
    number = pause_ada(store, 2)
    with store.begin() as conn:
        add(conn, BO, tags=["press"])
    come_out("2.20", week=1)
    cancel(store, "2.20")
    assert left(store, number) == 2
    come_out("2.20", week=2)
    come_out("2.19", week=2, tag="press")
    assert left(store, number) == 1
    cancel(store, "2.20")
    come_out("2.20", week=3)
    assert left(store, number) == 1


def test_issue_that_is_frozen_again_does_not_wake_who_is_passed_over_by_it(store, come_out):
    pause_ada(store, 1)
    assert come_out("2.20", week=1) == 0
    assert come_out("2.20", week=2, tag="press") == 0
    assert status_of(store, ADA) is Status.PAUSED
    assert come_out("2.21", week=3) == 1


def test_issue_that_came_out_before_the_pause_does_not_count(store, come_out):
    with store.begin() as conn:
        add(conn, ADA)
    assert come_out("2.20", week=1) == 1
    number = pause_ada(store, 1, week=2)
    assert left(store, number) == 1
    assert come_out("2.21", week=3) == 0


def test_pausing_again_begins_anew(store, come_out):
    number = pause_ada(store, 1)
    come_out("2.20", week=1)
    assert left(store, number) == 0
    pause_ada(store, 3, week=2)
    assert left(store, number) == 3
    assert come_out("2.21", week=3) == 0


def test_pause_without_end_goes_on_and_a_new_one_takes_its_place(store, come_out):
    with store.begin() as conn:
        person = add(conn, ADA)
        subscribers.pause(conn, person.id, **WRITES)
    assert left(store, person.id) is None
    assert come_out("2.20", week=1) == 0
    assert come_out("2.21", week=2) == 0
    pause_ada(store, 1, week=3)
    assert left(store, person.id) == 1


def test_resuming_by_hand_ends_it_and_leaves_nothing_for_a_later_pause(store, come_out):
    number = pause_ada(store, 1)
    with store.begin() as conn:
        assert subscribers.resume(conn, number, **WRITES)
        assert subscribers.pause(conn, number, **WRITES)
    assert come_out("2.20", week=1) == come_out("2.21", week=2) == 0


@pytest.mark.parametrize("how", ["unsubscribe", "complain", "erase"])
def test_whoever_leaves_is_not_woken_and_their_pause_is_forgotten(store, come_out, how):
    number = pause_ada(store, 1)
    with store.begin() as conn:
        if how == "unsubscribe":
            subscribers.unsubscribe(conn, number, source="page", **WRITES)
        elif how == "complain":
            writes = {"reason": Reason.COMPLAINED, "source": "event", **WRITES}
            subscribers.suppress(conn, ADA, **writes)
        else:
            subscribers.erase(conn, ADA, **WRITES)
    assert rows(store) == 0
    assert come_out("2.20", week=1) == come_out("2.21", week=2) == 0


def test_bounce_during_a_pause_keeps_the_person_unmailed_when_it_ends(store, come_out):
    pause_ada(store, 1)
    with store.begin() as conn:
        subscribers.suppress(conn, ADA, reason=Reason.BOUNCED, source="mailbox", **WRITES)
    come_out("2.20", week=1)
    assert come_out("2.21", week=2) == 0
    assert mailed(store) == []


def test_waking_twice_wakes_nobody_the_second_time(store, come_out):
    pause_ada(store, 1)
    come_out("2.20", week=1)
    with store.begin() as conn:
        later = NOW + 2 * WEEK
        assert subscribers.resume_due(conn, "2.21", now=later) == 1
        assert subscribers.resume_due(conn, "2.21", now=later) == 0
        written = sa.select(sa.func.count()).where(audit.c.action == "subscriber.resume")
        assert conn.scalar(written) == 1


@pytest.mark.parametrize("issues", [0, -1, 27])
def test_pause_that_is_no_pause_or_too_long_is_refused(store, issues):
    with store.begin() as conn:
        person = add(conn, ADA)
        with pytest.raises(UsageError, match="1 to 26"):
            subscribers.pause_for(conn, person.id, issues, **WRITES)
        assert not subscribers.pause_for(conn, 10_000, 1, **WRITES)


def test_record_of_a_person_holds_their_pause(store):
    pause_ada(store, 2)
    with store.read() as conn:
        kept = subscribers.record(conn, ADA)
    assert kept["subscriber"]["pause"] == {"since": NOW.isoformat(), "issues": 2}
