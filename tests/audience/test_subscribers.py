"""Join, change, confirm, find: on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import ConsentKind, Reason, Status
from newsletter.errors import UsageError
from newsletter.store.tables import confirmation, consent
from tests.audience.people import NOW, WRITES, add, mailed, request, status_of
from tests.audience.people import consent as given

ADA = "ada@example.org"


def consents(store, subscriber_id):
    query = sa.select(consent.c.kind).where(consent.c.subscriber_id == subscriber_id)
    with store.read() as conn:
        return list(conn.scalars(query.order_by(consent.c.id)))


# ── add ─────────────────────────────────────────────────────────────────────


def test_added_person_is_found_in_any_spelling_with_everything_given(store):
    with store.begin() as conn:
        added = add(
            conn,
            "Ada.L@Example.org",
            name="Ada L.",
            language="en",
            timezone="Europe/London",
            format="text",
            tags=["press", "beta"],
        )
    with store.read() as conn:
        found = subscribers.find(conn, "ADA.L@EXAMPLE.ORG")
        assert found == added == subscribers.get(conn, added.id)
        assert subscribers.find(conn, "nobody@example.org") is None
        assert subscribers.find(conn, "no address") is None
    assert added.email == "Ada.L@example.org"
    assert added.tags == ("beta", "press")
    assert added.status is Status.ACTIVE
    assert added.created_at == NOW
    assert (added.name, added.language, added.timezone, added.format) == (
        "Ada L.",
        "en",
        "Europe/London",
        "text",
    )


def test_adding_again_merges_and_never_makes_a_second_person(store):
    later = NOW + timedelta(days=1)
    with store.begin() as conn:
        first = add(conn, ADA, name="Ada", language="en", tags=["press"], format="text")
        second = add(conn, "ada@EXAMPLE.org", name="Ada L.", tags=["beta"], now=later)
    assert second.id == first.id
    assert (second.name, second.language, second.format) == ("Ada L.", "en", "text")
    assert second.tags == ("beta", "press")
    assert (second.created_at, second.updated_at) == (NOW, later)
    assert consents(store, first.id) == ["added"]


def test_adding_the_same_again_changes_nothing(store):
    with store.begin() as conn:
        first = add(conn, ADA, name="Ada", tags=["press"])
        before = len(subscribers.timeline(conn, first.id))
        again = add(conn, ADA, name="Ada", tags=["press"], now=NOW + timedelta(days=1))
        assert again == first
        assert len(subscribers.timeline(conn, first.id)) == before


def test_operator_with_a_consent_makes_a_pending_person_active_and_leaves_a_paused_one(store):
    with store.begin() as conn:
        request(conn, ADA)
        assert add(conn, ADA).status is Status.ACTIVE
        paused = add(conn, "bo@example.org", status=Status.PAUSED)
        assert add(conn, "bo@example.org").status is Status.PAUSED
        assert subscribers.resume(conn, paused.id, **WRITES)
        assert not subscribers.resume(conn, paused.id, **WRITES)
        assert subscribers.pause(conn, paused.id, **WRITES)
    assert mailed(store) == [ADA]


@pytest.mark.parametrize(
    ("email", "values", "reason"),
    [
        ("no address", {}, "cannot be subscribed"),
        (ADA, {"name": "x\r\nBcc: b@example.org"}, "U\\+000D"),
        (ADA, {"timezone": "Nowhere"}, "time zone"),
        (ADA, {"tags": ["a,b"]}, "comma"),
        (ADA, {"consent": given(wording="  ")}, "needs a consent"),
        (ADA, {"consent": given(wording="ADA@example.org agreed")}, "the person's address"),
        (ADA, {"tags": [ADA]}, "the person's address"),
        (ADA, {"source": "a\0b"}, "U\\+0000"),
        (ADA, {"actor": "\udcff"}, "U\\+DCFF"),
        ("\udcff@example.org", {}, "cannot be subscribed"),
    ],
)
def test_what_cannot_be_added_is_refused_with_a_reason_and_leaves_nothing(
    store, email, values, reason
):
    with pytest.raises(UsageError, match=reason), store.begin() as conn:
        add(conn, email, **values)
    with store.read() as conn:
        assert subscribers.statistics(conn)["total"] == 0


# ── request and confirm ─────────────────────────────────────────────────────


def test_requested_person_is_mailed_only_once_confirmed(store):
    with store.begin() as conn:
        person, token = request(conn, ADA)
        assert person.status is Status.PENDING
    assert mailed(store) == []
    with store.begin() as conn:
        confirmed = subscribers.confirm(conn, token, now=NOW, ip="192.0.2.7", page="/confirm")
        assert confirmed is not None
        shown = subscribers.timeline(conn, person.id)
    assert mailed(store) == [ADA]
    assert consents(store, person.id) == ["requested", "confirmed"]
    (entry,) = [entry for entry in shown if entry.what == "confirmed"]
    assert (entry.detail, entry.ip, entry.page) == (
        "“Send me the digest.”",
        "192.0.2.7",
        "/confirm",
    )


def test_token_is_kept_only_as_a_hash(store):
    with store.begin() as conn:
        _, token = request(conn, ADA)
        (row,) = conn.execute(sa.select(confirmation)).all()
    assert token.encode() not in row.token_hash
    assert len(row.token_hash) == 32


def test_confirmation_counts_once_and_in_time(store):
    with store.begin() as conn:
        _, token = request(conn, ADA)
        late = NOW + timedelta(days=7)
        assert subscribers.confirm(conn, token, now=late) is None
        assert subscribers.confirm(conn, "invented", now=NOW) is None
        assert subscribers.confirm(conn, token, now=late - timedelta(seconds=1)) is not None
        assert subscribers.confirm(conn, token, now=NOW) is None


def test_form_filled_in_by_a_stranger_changes_nothing_for_an_active_person(store):
    with store.begin() as conn:
        first = add(conn, ADA, name="Ada", tags=["press"])
        same, token = request(conn, ADA, name="Somebody", tags=["vip"])
        assert same == first
        assert subscribers.confirm(conn, token, now=NOW) == first


@pytest.mark.parametrize("leave", ["unsubscribe", "suppress", "erase"])
def test_late_confirmation_brings_nobody_back(store, leave):
    with store.begin() as conn:
        person, token = request(conn, ADA)
        if leave == "unsubscribe":
            subscribers.unsubscribe(conn, person.id, source="page", **WRITES)
        elif leave == "suppress":
            reason = Reason.BOUNCED
            subscribers.suppress(conn, ADA, reason=reason, source="mailbox", **WRITES)
        else:
            subscribers.erase(conn, ADA, **WRITES)
        assert subscribers.confirm(conn, token, now=NOW) is None
    assert mailed(store) == []


def test_late_confirmation_leaves_a_paused_person_paused(store):
    with store.begin() as conn:
        add(conn, ADA, status=Status.PAUSED)
        _, token = request(conn, ADA)
        person = subscribers.confirm(conn, token, now=NOW)
    assert person is not None
    assert person.status is Status.PAUSED


# ── find ────────────────────────────────────────────────────────────────────


def test_people_are_read_in_order_of_id_whatever_the_chunk(store):
    with store.begin() as conn:
        for number in range(25):
            add(conn, f"p{number}@example.org", tags=["even"] if number % 2 == 0 else [])
    with store.read() as conn:
        for chunk in (1, 7, 25, 100):
            found = list(subscribers.iterate(conn, subscribers.eligible(), chunk=chunk))
            assert [person.email for person in found] == [
                f"p{number}@example.org" for number in range(25)
            ]
            assert found[2].tags == ("even",)
            assert found[3].tags == ()
        assert subscribers.count(conn, subscribers.eligible(tag="even")) == 13
    assert mailed(store, tag="even") == [f"p{number}@example.org" for number in range(0, 25, 2)]
    assert mailed(store, tag="odd") == []


def test_people_are_found_by_status_and_by_text_that_is_not_a_pattern(store):
    with store.begin() as conn:
        add(conn, ADA, name="Ada Löwe")
        request(conn, "100%@example.org")
        everyone = subscribers.everyone
        for select, expected in [
            (everyone(), [ADA, "100%@example.org"]),
            (everyone(status=Status.PENDING), ["100%@example.org"]),
            (everyone(text="DA lö"), [ADA]),
            (everyone(text="0%"), ["100%@example.org"]),
            (everyone(text="_"), []),
        ]:
            found = [person.email for person in subscribers.iterate(conn, select)]
            assert found == expected


@pytest.mark.parametrize("text", ["\0", "\udcff", "\x1b[2J"])
def test_text_that_cannot_be_looked_for_is_refused(store, text):
    with store.read() as conn:
        assert subscribers.find(conn, text) is None
        with pytest.raises(UsageError, match="control character"):
            subscribers.everyone(text=text)


def test_tags_come_and_go_and_again_changes_nothing(store):
    with store.begin() as conn:
        person = add(conn, ADA, tags=["press"])
        person = subscribers.tag(conn, person.id, add=["b", "a"], remove=["press"], **WRITES)
        assert person.tags == ("a", "b")
        before = len(subscribers.timeline(conn, person.id))
        subscribers.tag(conn, person.id, add=["a"], remove=["press"], **WRITES)
        assert len(subscribers.timeline(conn, person.id)) == before
        with pytest.raises(UsageError, match="no subscriber 99"):
            subscribers.tag(conn, 99, add=["a"], **WRITES)


def test_statistics_count_every_status_and_reason(store):
    with store.begin() as conn:
        add(conn, ADA, tags=["press"])
        request(conn, "bo@example.org")
        gone = add(conn, "cy@example.org")
        subscribers.unsubscribe(conn, gone.id, source="page", **WRITES)
        add(conn, "di@example.org")
        subscribers.erase(conn, "di@example.org", **WRITES)
        found = subscribers.statistics(conn)
    assert found == {
        "total": 3,
        "eligible": 1,
        "status": {"pending": 1, "active": 1, "paused": 0, "unsubscribed": 1, "erased": 1},
        "suppressed": {
            "unsubscribed": 1,
            "bounced": 0,
            "complained": 0,
            "erased": 1,
            "manual": 0,
        },
        "tags": {"press": 1},
        "consents": {"added": 3, "requested": 1, "withdrawn": 1},
    }


def test_record_for_an_access_request_holds_all_that_is_kept(store):
    with store.begin() as conn:
        add(conn, ADA, name="Ada", tags=["press"], consent=given(ip="192.0.2.7", page="/join"))
        found = subscribers.record(conn, ADA)
        with pytest.raises(UsageError, match="nothing is kept"):
            subscribers.record(conn, "bo@example.org")
    assert found["email"] == ADA
    assert found["subscriber"]["tags"] == ["press"]
    assert found["subscriber"]["created_at"] == NOW.isoformat()
    assert found["consents"][0]["ip"] == "192.0.2.7"
    assert found["consents"][0]["kind"] == ConsentKind.ADDED
    assert found["audit"][0]["action"] == "subscriber.add"
    assert found["suppressions"] == []


def test_paused_person_is_not_mailed_and_keeps_the_status(store):
    with store.begin() as conn:
        person = add(conn, ADA)
        subscribers.pause(conn, person.id, **WRITES)
    assert mailed(store) == []
    assert status_of(store, ADA) is Status.PAUSED
