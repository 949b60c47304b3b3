"""Campaigns: frozen once, one per number and audience, steered by whoever may."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.ledger import counts, retry_failed
from newsletter.delivery.model import State, Status
from newsletter.errors import StorageError, UsageError
from newsletter.store.engine import open_url
from newsletter.store.tables import audit, delivery
from tests.audience.people import add
from tests.delivery.campaigns import (
    NOW,
    WRITES,
    a_workspace,
    an_edition,
    frozen,
    later,
    people,
    statuses,
)


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "workspace")


def set_status(store, campaign_id, subscriber_id, status):
    with store.begin() as conn:
        conn.execute(
            sa.update(delivery)
            .where(delivery.c.campaign_id == campaign_id, delivery.c.subscriber_id == subscriber_id)
            .values(status=status.value)
        )


def test_freezing_takes_everyone_who_may_be_mailed_and_nobody_else(store, workspace):
    with store.begin() as conn:
        ids = [add(conn, f"reader{number}@example.org").id for number in range(5)]
        subscribers.unsubscribe(conn, ids[1], source="page", **WRITES)
        subscribers.pause(conn, ids[2], **WRITES)
        subscribers.erase(conn, "reader3@example.org", **WRITES)
    with store.read() as conn:
        assert campaigns.intended_audience(conn, "2.20", tag=None) == 2
    made = frozen(store, workspace)
    assert statuses(store, made.id) == {ids[0]: Status.PENDING, ids[4]: Status.PENDING}
    assert (made.state, made.intended, made.audience) == (State.SENDING, 2, "")
    assert made.frozen.headers.date == NOW


def test_freezing_the_same_edition_again_gives_the_same_campaign_and_adds_nobody(store, workspace):
    people(store, 3)
    first = frozen(store, workspace)
    with store.begin() as conn:
        add(conn, "late@example.org")
    again, is_new = campaigns.freeze(
        store, workspace, an_edition(), tag=None, transport="smtp", now=later(60), actor="other"
    )
    assert (again, is_new) == (first, False)
    assert len(statuses(store, first.id)) == 3


def test_changed_edition_is_refused_while_the_frozen_one_has_a_campaign(store, workspace):
    people(store, 1)
    frozen(store, workspace)
    with pytest.raises(UsageError, match="was frozen as edition"):
        campaigns.freeze(
            store, workspace, an_edition(body="<p>new</p>"), tag=None, transport="smtp", **WRITES
        )


def test_cancelled_campaign_makes_room_for_those_it_did_not_reach(store, workspace):
    people(store, 6)
    first = frozen(store, workspace)
    for number, status in enumerate(
        (Status.ACCEPTED, Status.UNCERTAIN, Status.FAILED, Status.SUPPRESSED), start=1
    ):
        set_status(store, first.id, number, status)
    with store.begin() as conn:
        assert campaigns.cancel(conn, first.id, reason="a typo", **WRITES)
    second = frozen(store, workspace)
    assert second.id != first.id
    assert set(statuses(store, second.id)) == {3, 4, 5, 6}


def test_cancelled_campaign_with_messages_under_way_makes_no_room_yet(store, workspace):
    people(store, 2)
    first = frozen(store, workspace)
    set_status(store, first.id, 1, Status.SENDING)
    with store.begin() as conn:
        campaigns.cancel(conn, first.id, reason="a typo", **WRITES)
    with pytest.raises(UsageError, match="under way"):
        frozen(store, workspace)


def test_nobody_gets_a_number_by_two_audiences(store, workspace):
    with store.begin() as conn:
        press = add(conn, "press@example.org", tags=["press"]).id
        other = add(conn, "other@example.org").id
    first = frozen(store, workspace, tag="press")
    assert first.audience == "tag:press"
    second = frozen(store, workspace)
    assert (set(statuses(store, first.id)), set(statuses(store, second.id))) == ({press}, {other})
    assert set(statuses(store, frozen(store, workspace, "2.21").id)) == {press, other}


def test_failed_delivery_is_not_resent_to_who_got_the_number_by_another_campaign(store, workspace):
    with store.begin() as conn:
        press = add(conn, "press@example.org", tags=["press"]).id
    first = frozen(store, workspace, tag="press")
    set_status(store, first.id, press, Status.FAILED)
    second = frozen(store, workspace)
    set_status(store, second.id, press, Status.ACCEPTED)
    with store.begin() as conn:
        assert retry_failed(conn, first.id, **WRITES) == 0


def test_resending_makes_only_failed_ones_pending_and_a_completed_campaign_sends_again(
    store, workspace
):
    people(store, 4)
    made = frozen(store, workspace)
    for number, status in enumerate(
        (Status.ACCEPTED, Status.UNCERTAIN, Status.FAILED, Status.SUPPRESSED), start=1
    ):
        set_status(store, made.id, number, status)
    with store.begin() as conn:
        conn.execute(sa.text("UPDATE campaign SET state = 'completed'"))
        assert retry_failed(conn, made.id, **WRITES) == 1
        assert campaigns.get(conn, made.id).state is State.SENDING
        found = counts(conn, made.id)
    assert (found.pending, found.uncertain, found.failed) == (1, 1, 0)
    with store.begin() as conn:
        campaigns.cancel(conn, made.id, reason="enough", **WRITES)
        with pytest.raises(UsageError, match="is cancelled"):
            retry_failed(conn, made.id, **WRITES)


def test_freezing_at_once_from_several_processes_makes_one_campaign(database_url, workspace):
    with open_url(database_url) as store:
        people(store, 50)
    found = []

    def work(tag):
        with open_url(database_url) as store:
            found.append(
                campaigns.freeze(
                    store, workspace, an_edition(), tag=tag, transport="scripted", **WRITES
                )
            )

    threads = [threading.Thread(target=work, args=(None,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert len({made.id for made, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1
    assert {made.intended for made, _ in found} == {50}


def test_pause_resume_and_cancel_change_the_state_once_and_are_audited(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    with store.begin() as conn:
        assert not campaigns.resume(conn, made.id, **WRITES)
        assert campaigns.pause(conn, made.id, reason="ask ada@example.org", **WRITES)
        assert not campaigns.pause(conn, made.id, reason="again", **WRITES)
        assert campaigns.get(conn, made.id).reason == "ask …"
        assert campaigns.resume(conn, made.id, **WRITES)
        assert campaigns.get(conn, made.id).reason == ""
        assert campaigns.cancel(conn, made.id, reason="a typo", **WRITES)
        assert not campaigns.cancel(conn, made.id, reason="again", **WRITES)
        assert not campaigns.resume(conn, made.id, **WRITES)
        assert campaigns.current(conn, "2.20") is None
        assert [found.id for found in campaigns.campaigns(conn, "2.20")] == [made.id]
        actions = conn.scalars(
            sa.select(audit.c.action)
            .where(audit.c.action.startswith("campaign"))
            .order_by(audit.c.id)
        ).all()
    assert actions == [
        "campaign.freeze",
        "campaign.pause",
        "campaign.resume",
        "campaign.cancel",
    ]


def test_frozen_edition_is_read_back_and_an_altered_one_refused(store, workspace):
    people(store, 1)
    made = frozen(store, workspace)
    mailing = campaigns.mailing_of(workspace, made)
    assert mailing.html == an_edition().files["email.html"].decode()
    folder = campaigns.edition_folder(workspace, made.edition_hash)
    (folder / "email.txt").write_text("something else")
    with pytest.raises(StorageError, match=r"not the edition that was frozen: email\.txt"):
        campaigns.mailing_of(workspace, made)
    frozen(store, workspace, "2.21")
    (folder / "manifest.json").write_bytes(an_edition("2.21").files["manifest.json"])
    (folder / "email.txt").write_bytes(an_edition().files["email.txt"])
    with pytest.raises(StorageError, match=r"manifest\.json"):
        campaigns.mailing_of(workspace, made)


def test_campaign_that_does_not_exist_is_an_error_that_says_so(store):
    with store.read() as conn, pytest.raises(UsageError, match="no campaign 7"):
        campaigns.get(conn, 7)
