"""Leaving is absolute: whoever left or is suppressed is not mailed until a person lifts it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.identity import Hasher
from newsletter.audience.model import Reason, Status
from newsletter.errors import UsageError
from newsletter.store.tables import audit, consent, setting, subscriber, suppression
from tests.audience.people import NOW, WRITES, add, everything, mailed, request, status_of
from tests.audience.people import consent as given

ADA = "ada@example.org"


def suppress(conn, email, reason=Reason.MANUAL):
    return subscribers.suppress(conn, email, reason=reason, source="desk", **WRITES)


def lift(conn, email, reason="wrote that the mailbox works again"):
    return subscribers.lift(conn, email, reason=reason, **WRITES)


def test_unsubscribed_person_is_not_mailed_and_again_changes_nothing(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        left = subscribers.unsubscribe(conn, person.id, source="one-click", **WRITES)
        assert left is not None
        assert left.status is Status.UNSUBSCRIBED
        before = subscribers.timeline(conn, person.id)
        assert subscribers.unsubscribe(conn, person.id, source="one-click", **WRITES) == left
        assert subscribers.timeline(conn, person.id) == before
        assert subscribers.unsubscribe(conn, 99, source="one-click", **WRITES) is None
    assert mailed(store) == []
    assert [entry.what for entry in before if entry.kind != "audit"] == [
        "added",
        "withdrawn",
        "unsubscribed",
    ]


@pytest.mark.parametrize("reason", [Reason.BOUNCED, Reason.MANUAL])
def test_suppressed_person_keeps_the_status_and_is_mailed_after_a_lift(store, reason):
    with store.begin() as conn:
        add(conn, ADA)
        assert suppress(conn, "ADA@example.org", reason)
        assert not suppress(conn, ADA, reason)
    assert mailed(store) == []
    assert status_of(store, ADA) is Status.ACTIVE
    with store.begin() as conn:
        assert lift(conn, ADA) is reason
    assert mailed(store) == [ADA]


@pytest.mark.parametrize("reason", [Reason.UNSUBSCRIBED, Reason.COMPLAINED])
def test_person_who_left_needs_a_lift_and_then_a_new_consent(store, reason):
    with store.begin() as conn:
        add(conn, ADA)
        suppress(conn, ADA, reason)
    for come_back in (add, request):
        with pytest.raises(UsageError, match=f"suppressed \\({reason}\\)"), store.begin() as conn:
            come_back(conn, ADA)
    with store.begin() as conn:
        lift(conn, ADA)
    assert mailed(store) == []
    with store.begin() as conn:
        _, token = request(conn, ADA)
        assert subscribers.confirm(conn, token, now=NOW) is not None
    assert mailed(store) == [ADA]


def test_address_that_is_not_on_the_list_can_be_suppressed(store):
    with store.begin() as conn:
        assert suppress(conn, ADA, Reason.BOUNCED)
        assert subscribers.suppression_of(conn, "ADA@example.org") is Reason.BOUNCED
        assert subscribers.record(conn, ADA)["suppressions"][0]["reason"] == "bounced"
    with pytest.raises(UsageError, match="suppressed"), store.begin() as conn:
        add(conn, ADA)
    assert status_of(store, ADA) is None


def test_graver_reason_takes_the_place_of_a_lighter_one_and_not_the_other_way(store):
    with store.begin() as conn:
        add(conn, ADA)
        suppress(conn, ADA, Reason.BOUNCED)
        assert suppress(conn, ADA, Reason.COMPLAINED)
        assert not suppress(conn, ADA, Reason.BOUNCED)
        assert subscribers.suppression_of(conn, ADA) is Reason.COMPLAINED
        history = subscribers.record(conn, ADA)["suppressions"]
    assert [row["reason"] for row in history] == ["bounced", "complained"]
    assert history[0]["lifted_reason"] == "now complained"


def test_lift_needs_a_suppression_and_a_reason(store):
    with store.begin() as conn:
        with pytest.raises(UsageError, match="not suppressed"):
            lift(conn, ADA)
        suppress(conn, ADA)
        for reason in ("", "  "):
            with pytest.raises(UsageError, match="only with a reason"):
                lift(conn, ADA, reason)
        with pytest.raises(UsageError, match="the person's address"):
            lift(conn, ADA, "Ada@Example.org wrote")
        assert subscribers.suppression_of(conn, ADA) is Reason.MANUAL


def test_lift_is_remembered_with_its_reason_and_a_new_suppression_may_follow(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        suppress(conn, ADA)
        lift(conn, ADA)
        assert suppress(conn, ADA)
        shown = [entry for entry in subscribers.timeline(conn, person.id) if entry.what == "lifted"]
    assert [(entry.detail, entry.actor) for entry in shown] == [
        ("wrote that the mailbox works again", "operator")
    ]
    assert mailed(store) == []


def test_what_is_no_address_cannot_be_suppressed_lifted_or_erased(store):
    with store.begin() as conn:
        for act in (suppress, lift, lambda conn, email: subscribers.erase(conn, email, **WRITES)):
            with pytest.raises(UsageError, match="no e-mail address"):
                act(conn, "no address")
        with pytest.raises(ValueError, match="erase"):
            suppress(conn, ADA, Reason.ERASED)


# ── erase ───────────────────────────────────────────────────────────────────


@pytest.fixture
def erased(store):
    """A store where Ada has been everything before she was erased."""
    with store.begin() as conn:
        add(
            conn,
            ADA,
            name="Ada Löwe",
            timezone="Europe/Berlin",
            tags=["press"],
            consent=given(ip="192.0.2.7", page=f"/join?email={ADA}"),
        )
        suppress(conn, ADA, Reason.BOUNCED)
        lift(conn, ADA)
        suppress(conn, ADA, Reason.COMPLAINED)
        subscribers.erase(conn, "ADA@example.org", **WRITES)
    return store


def test_erased_person_is_nowhere_but_in_a_hash(erased):
    text = everything(erased)
    for trace in ("ada@", "Löwe", "192.0.2.7", "/join", "Berlin"):
        assert trace.lower() not in text.lower()
    with erased.read() as conn:
        rows = conn.execute(sa.select(suppression)).all()
        known = setting.c.name == "identity_key"
        key = conn.scalars(sa.select(setting.c.value).where(known)).one()
    assert {row.identity_hash for row in rows} == {Hasher(bytes.fromhex(key)).hash(ADA)}
    assert [row.reason for row in rows if row.lifted_at is None] == ["erased"]


def test_erased_person_leaves_consent_and_audit_under_a_number_that_leads_to_nobody(erased):
    with erased.read() as conn:
        person = subscribers.get(conn, 1)
        assert person is not None
        assert (person.status, person.email, person.name) == (Status.ERASED, "", "")
        assert conn.scalar(sa.select(sa.func.count()).select_from(consent)) == 2
        actions = list(conn.scalars(sa.select(audit.c.action).order_by(audit.c.id)))
        assert actions[-1] == "subscriber.erase"
        assert subscribers.find(conn, ADA) is None
        assert person.tags == ()
        assert subscribers.statistics(conn)["status"]["erased"] == 1


def test_erased_address_stays_suppressed_and_erasing_again_changes_nothing(erased):
    for come_back in (add, request):
        with pytest.raises(UsageError, match="suppressed \\(erased\\)"), erased.begin() as conn:
            come_back(conn, ADA)
    with erased.begin() as conn:
        before = conn.scalar(sa.select(sa.func.count()).select_from(audit))
        assert not subscribers.erase(conn, ADA, **WRITES)
        assert not suppress(conn, ADA, Reason.COMPLAINED)
        assert conn.scalar(sa.select(sa.func.count()).select_from(audit)) == before
    assert "ada@" not in everything(erased)


def test_row_that_appears_for_an_erased_address_is_not_mailed(erased):
    """Two imports and an erasure at once on PostgreSQL: the hash decides, whatever came first."""
    with erased.begin() as conn:
        row = {"email": ADA, "identity": ADA, "status": "active"}
        times = {"created_at": NOW, "updated_at": NOW}
        key = bytes.fromhex(
            conn.scalars(sa.select(setting.c.value).where(setting.c.name == "identity_key")).one()
        )
        conn.execute(
            sa.insert(subscriber), {**row, **times, "identity_hash": Hasher(key).hash(ADA)}
        )
    assert mailed(erased) == []


def test_erased_person_may_come_back_as_somebody_new_after_a_lift(erased):
    with erased.begin() as conn:
        assert lift(conn, ADA) is Reason.ERASED
        back = add(conn, ADA)
        assert back.id != 1
    assert mailed(erased) == [ADA]


def test_erasing_an_address_that_was_only_suppressed_leaves_the_hash(store):
    with store.begin() as conn:
        suppress(conn, ADA, Reason.BOUNCED)
        assert subscribers.erase(conn, ADA, **WRITES)
        assert subscribers.suppression_of(conn, ADA) is Reason.ERASED
        with pytest.raises(UsageError, match="nothing is kept"):
            subscribers.erase(conn, "bo@example.org", **WRITES)
    assert "ada@" not in everything(store)
