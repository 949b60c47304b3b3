"""What stands in the archive: what readers may hold in their hands, and what was put there."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.delivery import campaign as campaigns
from newsletter.delivery.campaign import Campaign
from newsletter.delivery.model import Status
from newsletter.errors import UsageError
from newsletter.site.editions import published
from newsletter.site.publishing import Outcome, publish, standing, unpublish
from newsletter.store.engine import Store
from newsletter.store.tables import audit, delivery, publication
from tests.delivery.campaigns import (
    NOW,
    WRITES,
    a_workspace,
    an_edition,
    frozen,
    later,
    people,
)


def numbers(store: Store) -> list[str]:
    with store.read() as conn:
        return [one.number for one in published(conn)]


def cancel(store: Store, sent: Campaign) -> None:
    with store.begin() as conn:
        assert campaigns.cancel(conn, sent.id, reason="", actor="operator", now=NOW)


def settle(store: Store, sent: Campaign, subscriber_id: int, status: Status) -> None:
    with store.begin() as conn:
        conn.execute(
            sa.update(delivery)
            .where(
                delivery.c.campaign_id == sent.id,
                delivery.c.subscriber_id == subscriber_id,
            )
            .values(status=status.value)
        )


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "digest")


def test_nothing_stands_in_the_archive_of_a_new_newsletter(store):
    assert numbers(store) == []


def test_newest_number_comes_first_and_numbers_are_no_decimals(store, workspace):
    people(store, 2)
    for number in ("2.9", "2.20", "1.3", "10.1", "2.2"):
        frozen(store, workspace, number)
    assert numbers(store) == ["10.1", "2.20", "2.9", "2.2", "1.3"]


def test_edition_of_a_campaign_stands_from_its_freezing_on(store, workspace):
    people(store, 2)
    sent = frozen(store, workspace)
    with store.read() as conn:
        (one,) = published(conn)
    assert (one.edition_hash, one.published_at, one.was_sent) == (sent.edition_hash, NOW, True)


def test_campaign_to_a_tag_counts_too(store, workspace):
    people(store, 2)
    frozen(store, workspace, tag="press")
    assert numbers(store) == ["2.20"]


def test_cancelled_campaign_that_nobody_got_does_not_count(store, workspace):
    people(store, 3)
    sent = frozen(store, workspace)
    settle(store, sent, 1, Status.FAILED)
    settle(store, sent, 2, Status.SUPPRESSED)
    cancel(store, sent)
    assert numbers(store) == []


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.UNCERTAIN, Status.SENDING])
def test_cancelled_campaign_that_somebody_may_have_counts(store, workspace, status):
    people(store, 3)
    sent = frozen(store, workspace)
    settle(store, sent, 3, status)
    cancel(store, sent)
    assert numbers(store) == ["2.20"]


def test_edition_is_that_of_the_newest_campaign(store, workspace):
    people(store, 3)
    first = frozen(store, workspace)
    settle(store, first, 1, Status.ACCEPTED)
    cancel(store, first)
    corrected = an_edition("2.20", body="corrected " + "x")
    made, _ = campaigns.freeze(
        store,
        workspace,
        corrected,
        tag=None,
        transport="scripted",
        now=later(60),
        actor="operator",
    )
    with store.read() as conn:
        assert [one.edition_hash for one in published(conn)] == [corrected.hash]
    cancel(store, made)  # before anybody got it: the first one is what readers have
    with store.read() as conn:
        assert [one.edition_hash for one in published(conn)] == [first.edition_hash]


def test_asking_takes_few_statements_however_many_campaigns_there_are(store, workspace):
    people(store, 3)
    for number in range(1, 8):
        sent = frozen(store, workspace, f"1.{number}")
        settle(store, sent, 1, Status.ACCEPTED)
        if number < 3:
            cancel(store, sent)
    asked: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    with store.read() as conn:
        asked.clear()
        assert len(published(conn)) == 7
    assert len([one for one in asked if one.startswith("SELECT")]) == 2 + 2  # two were cancelled


def test_cancelled_campaign_that_nobody_got_is_looked_through_once(store, workspace):
    people(store, 3)
    cancel(store, frozen(store, workspace))
    sent = frozen(store, workspace, "2.21")
    settle(store, sent, 1, Status.ACCEPTED)
    cancel(store, sent)
    unread: set[int] = set()
    with store.read() as conn:
        first = published(conn, unread=unread)
        assert len(unread) == 1
        assert published(conn, unread=unread) == first
    assert [one.number for one in first] == ["2.21"]


# ── by hand ─────────────────────────────────────────────────────────────────


def test_published_by_hand_stands_in_the_archive_and_in_the_audit(store, workspace):
    edition = an_edition()
    assert publish(store, workspace, edition, **WRITES) is Outcome.PUBLISHED
    with store.read() as conn:
        (one,) = published(conn)
        noted = conn.execute(sa.select(audit.c.action, audit.c.actor, audit.c.detail)).all()
    assert (one.number, one.edition_hash, one.was_sent) == ("2.20", edition.hash, False)
    assert noted == [("publication.publish", "operator", f"Vol 2.20, {edition.hash[:16]}")]
    assert campaigns.edition_folder(workspace, edition.hash).is_dir()


def test_publishing_twice_changes_nothing(store, workspace):
    publish(store, workspace, an_edition(), **WRITES)
    again = publish(store, workspace, an_edition(), now=later(3600), actor="somebody else")
    assert again is Outcome.UNCHANGED
    with store.read() as conn:
        assert [row.published_by for row in conn.execute(sa.select(publication))] == ["operator"]
        assert conn.scalar(sa.select(sa.func.count()).select_from(audit)) == 1


def test_publishing_what_was_changed_takes_the_place_of_the_old_edition(store, workspace):
    publish(store, workspace, an_edition(), **WRITES)
    corrected = an_edition(body="corrected")
    at = NOW + timedelta(days=1)
    assert publish(store, workspace, corrected, now=at, actor="operator") is Outcome.REPLACED
    with store.read() as conn:
        (one,) = published(conn)
    assert (one.edition_hash, one.published_at) == (corrected.hash, at)


def test_what_was_sent_is_not_published_by_hand(store, workspace):
    people(store, 2)
    sent = frozen(store, workspace)
    assert publish(store, workspace, an_edition(body="other"), **WRITES) is Outcome.SENT
    with store.read() as conn:
        (one,) = published(conn)
        assert conn.execute(sa.select(publication)).first() is None
    assert one.edition_hash == sent.edition_hash


def test_campaign_goes_before_what_was_published_by_hand(store, workspace):
    publish(store, workspace, an_edition(body="by hand"), **WRITES)
    people(store, 2)
    sent = frozen(store, workspace)
    with store.read() as conn:
        assert standing(conn, "2.20").edition_hash == sent.edition_hash


def test_unpublish_takes_out_what_was_put_there_by_hand(store, workspace):
    publish(store, workspace, an_edition(), **WRITES)
    with store.begin() as conn:
        assert unpublish(conn, "2.20", **WRITES)
        assert not unpublish(conn, "2.20", **WRITES)
    assert numbers(store) == []
    with store.read() as conn:
        actions = conn.scalars(sa.select(audit.c.action).order_by(audit.c.id)).all()
    assert actions == ["publication.publish", "publication.unpublish"]


def test_unpublish_refuses_what_was_sent_and_says_why(store, workspace):
    publish(store, workspace, an_edition(), **WRITES)
    people(store, 2)
    frozen(store, workspace)
    with (
        pytest.raises(UsageError, match="its readers have links to it") as caught,
        store.begin() as conn,
    ):
        unpublish(conn, "2.20", **WRITES)
    assert caught.value.hint
    assert numbers(store) == ["2.20"]
