"""Uncertain deliveries are settled by evidence or by a person with a reason, and audited."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.delivery import reconcile
from newsletter.delivery.journal import Journal, Mark, journal_path
from newsletter.delivery.lock import SenderBusy, sender_connection
from newsletter.delivery.model import Status
from newsletter.errors import UsageError
from newsletter.store.tables import audit, campaign, delivery, event
from tests.delivery.campaigns import NOW, WRITES, a_workspace, frozen, people, rows_of, statuses


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "workspace")


@pytest.fixture
def made(store, workspace):
    """A campaign with six deliveries, all uncertain."""
    people(store, 6)
    found = frozen(store, workspace)
    everything(store, Status.UNCERTAIN)
    return found


def everything(store, status):
    with store.begin() as conn:
        conn.execute(sa.update(delivery).values(status=status.value, reply="no answer"))


def heard(store, made, number, kind):
    with store.begin() as conn:
        row = {
            "provider": "sendgrid",
            "event_id": f"{number} {kind}",
            "kind": kind,
            "at": NOW,
            "received_at": NOW,
            "campaign_id": made.id,
            "subscriber_id": number,
        }
        conn.execute(sa.insert(event), row)


def last_audit(store):
    with store.read() as conn:
        return conn.execute(sa.select(audit).order_by(audit.c.id.desc()).limit(1)).one()


def test_decision_settles_the_named_ones_and_is_audited(store, made):
    with store.begin() as conn:
        settled = reconcile.settle(
            conn,
            made.id,
            status=Status.ACCEPTED,
            subscriber_ids=[2, 3, 99],
            reason="log of ada@example.org",
            **WRITES,
        )
    assert settled == 2
    assert {number for number, s in statuses(store, made.id).items() if s is Status.ACCEPTED} == {
        2,
        3,
    }
    assert rows_of(store, made.id)[2].reply == "settled as accepted: log of …"
    row = last_audit(store)
    assert (row.action, row.actor) == ("campaign.reconcile", "operator")
    assert "2 settled as accepted: log of …" in row.detail


def test_decision_about_all_settles_all_that_are_uncertain(store, made):
    everything(store, Status.UNCERTAIN)
    with store.begin() as conn:
        conn.execute(
            sa.update(delivery).where(delivery.c.subscriber_id == 1).values(status="accepted")
        )
        values = {"status": Status.FAILED, "subscriber_ids": None, "reason": "relay lost them"}
        assert reconcile.settle(conn, made.id, **values, **WRITES) == 5
        assert reconcile.settle(conn, made.id, **values, **WRITES) == 0


def test_decision_without_a_reason_is_refused(store, made):
    with store.begin() as conn, pytest.raises(UsageError, match="only with a reason"):
        reconcile.settle(
            conn, made.id, status=Status.FAILED, subscriber_ids=None, reason="  ", **WRITES
        )


def test_events_settle_what_they_prove_and_nothing_else(store, made):
    heard(store, made, 1, "delivered")
    heard(store, made, 2, "bounced")
    heard(store, made, 3, "dropped")
    heard(store, made, 4, "opened")
    heard(store, made, 5, "dropped")
    heard(store, made, 5, "processed")
    with store.begin() as conn:
        assert reconcile.settle_from_events(conn, made.id, now=NOW) == 4
        assert reconcile.settle_from_events(conn, made.id, now=NOW) == 0
    assert statuses(store, made.id) == {
        1: Status.ACCEPTED,
        2: Status.ACCEPTED,
        3: Status.FAILED,
        4: Status.UNCERTAIN,
        5: Status.ACCEPTED,
        6: Status.UNCERTAIN,
    }
    assert "3 accepted, 1 failed" in last_audit(store).detail


def test_event_changes_nothing_that_is_not_uncertain(store, made):
    everything(store, Status.FAILED)
    heard(store, made, 1, "delivered")
    with store.begin() as conn:
        assert reconcile.settle_from_events(conn, made.id, now=NOW) == 0


def test_uncertain_ones_are_listed_with_their_addresses(store, made):
    with store.read() as conn:
        listed = list(reconcile.uncertain(conn, made.id))
    assert [row.subscriber_id for row in listed] == [1, 2, 3, 4, 5, 6]
    assert listed[0].email == "reader1@example1.test"
    assert listed[0].reply == "no answer"


def test_lost_journal_makes_what_was_under_way_uncertain(store, workspace, made):
    everything(store, Status.SENDING)
    assert reconcile.give_up_journal(store, workspace, made.id, **WRITES) == 6
    assert set(statuses(store, made.id).values()) == {Status.UNCERTAIN}
    assert "6 the journal of the sender was lost" in last_audit(store).detail
    assert reconcile.give_up_journal(store, workspace, made.id, **WRITES) == 0


def test_journal_that_is_there_is_not_given_up(store, workspace, made):
    everything(store, Status.SENDING)
    journal = Journal.create(journal_path(workspace, made.id), made.id)
    journal.cells[journal.write([1, 2, 3, 4, 5, 6])[0]] = Mark.ACCEPTED
    journal.close()
    with store.begin() as conn:
        conn.execute(sa.update(campaign).values(journal=journal.id))
    with pytest.raises(UsageError, match="is not lost"):
        reconcile.give_up_journal(store, workspace, made.id, **WRITES)
    assert set(statuses(store, made.id).values()) == {Status.SENDING}


def test_journal_is_not_given_up_while_a_sender_runs(store, workspace, made):
    with sender_connection(store, made.id), pytest.raises(SenderBusy):
        reconcile.give_up_journal(store, workspace, made.id, **WRITES)
