"""Confirming: one button, once, in time, by who asked since they last left."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.store.tables import audit, consent
from tests.web.lives import EMAIL, STATES, WEEK, at_once, new_token, put_into, sign_up, waiting
from tests.web.worlds import WRITES, World, text_of


def press(world: World, token: str):  # type: ignore[no-untyped-def]
    return world.client.post(f"/confirm/{token}")


def look(world: World, token: str):  # type: ignore[no-untyped-def]
    return world.client.get(f"/confirm/{token}")


def test_the_button_makes_active_and_a_welcome_follows(world: World):
    token = new_token(world, put_into(world, "pending", name="Alex"))
    page = look(world, token)
    assert page.status_code == 200
    assert world.context.config.consent_wording.replace('"', "&#34;") in page.text
    assert "Yes, subscribe me" in page.text
    assert world.status() is Status.PENDING
    done = press(world, token)
    assert done.status_code == 200
    assert "You are on the list" in text_of(done.text)
    assert world.status() is Status.ACTIVE
    assert waiting(world) == ["confirm", "welcome"]


def test_the_proof_says_when_where_what_and_from_which_address(world: World):
    press(world, new_token(world, put_into(world, "pending")))
    with world.store.read() as conn:
        row = conn.execute(sa.select(consent).where(consent.c.kind == "confirmed")).one()
    assert (row.at, row.ip) == (world.at, "192.0.2.7")
    assert row.page == "https://digest.example.org/confirm/"
    assert row.wording == world.context.config.consent_wording


def test_looks_confirm_nobody_however_many(world: World):
    person = put_into(world, "pending")
    token = new_token(world, person)
    for _ in range(50):
        assert look(world, token).status_code == 200
        assert world.client.head(f"/confirm/{token}").status_code == 200
    assert world.person(EMAIL) == person
    assert press(world, token).status_code == 200


def test_pressed_twice_it_says_the_same_and_one_welcome_waits(world: World):
    token = new_token(world, put_into(world, "pending"))
    assert press(world, token).status_code == 200
    again = press(world, token)
    assert again.status_code == 200
    assert "You are on the list" in text_of(again.text)
    assert "/preferences/" not in again.text  # whoever finds an old link does not get in
    assert "You are on the list" in text_of(look(world, token).text)
    assert waiting(world).count("welcome") == 1
    with world.store.read() as conn:
        query = sa.select(sa.func.count()).where(audit.c.action == "subscriber.confirm")
        assert conn.scalar(query) == 1


def test_a_link_that_is_too_old_offers_the_form(world: World):
    token = new_token(world, put_into(world, "pending"))
    world.pass_time(WEEK)
    for answer in (look(world, token), press(world, token)):
        assert answer.status_code == 410
        assert 'action="/subscribe/"' in answer.text
    assert world.status() is Status.PENDING


def test_a_confirmation_from_before_the_leaving_does_not_count(world: World):
    person = put_into(world, "pending")
    first, second = new_token(world, person), new_token(world, person)
    assert press(world, first).status_code == 200
    world.pass_time(timedelta(minutes=1))
    assert world.client.post(world.unsubscribe_path(person)).status_code == 200
    for token in (first, second):
        assert look(world, token).status_code == 410
        assert press(world, token).status_code == 410
    assert world.status() is Status.UNSUBSCRIBED


def test_who_left_asks_again_and_confirms_is_back(world: World):
    person = put_into(world, "active")
    world.pass_time(timedelta(minutes=1))
    old = new_token(world, person)
    world.client.post(world.unsubscribe_path(person))
    world.pass_time(timedelta(minutes=1))
    sign_up(world)
    assert world.status() is Status.UNSUBSCRIBED  # somebody else may have filled it in
    token = new_token(world, person)
    assert press(world, old).status_code == 410
    assert press(world, token).status_code == 200
    assert world.status() is Status.ACTIVE
    with world.store.read() as conn:
        assert subscribers.suppression_of(conn, EMAIL) is None


@pytest.mark.parametrize("state", ["bounced", "complained", "manual"])
def test_who_is_suppressed_cannot_come_back_by_a_confirmation(world: World, state: str):
    person = put_into(world, state)
    world.pass_time(timedelta(minutes=1))
    before = world.status()
    sign_up(world)
    assert waiting(world) == []
    token = new_token(world, person)
    assert look(world, token).status_code == 410
    assert press(world, token).status_code == 410
    assert world.status() is before
    with world.store.read() as conn:
        assert subscribers.suppression_of(conn, EMAIL) is not None


def test_who_was_erased_cannot_come_back_by_a_confirmation(world: World):
    person = put_into(world, "pending")
    token = new_token(world, person)
    with world.store.begin() as conn:
        subscribers.erase(conn, EMAIL, **WRITES)
    assert press(world, token).status_code == 410
    world.pass_time(timedelta(minutes=1))
    sign_up(world)
    assert world.person(EMAIL) is None
    assert waiting(world) == []


def test_a_complaint_between_asking_and_confirming_wins(world: World):
    token = new_token(world, put_into(world, "pending"))
    with world.store.begin() as conn:
        subscribers.suppress(conn, EMAIL, reason=Reason.COMPLAINED, source="test", **WRITES)
    assert press(world, token).status_code == 410
    assert "welcome" not in waiting(world)


def test_what_was_pressed_at_once_counts_once(world: World):
    token = new_token(world, put_into(world, "pending"))
    assert set(at_once(lambda: press(world, token).status_code)) == {200}
    assert world.status() is Status.ACTIVE
    assert waiting(world).count("welcome") == 1
    with world.store.read() as conn:
        query = sa.select(sa.func.count()).where(consent.c.kind == "confirmed")
        assert conn.scalar(query) == 1


def test_leaving_and_confirming_at_once_never_leaves_somebody_in_between(world: World):
    person = put_into(world, "pending")
    token = new_token(world, person)
    world.pass_time(timedelta(seconds=1))
    leave = world.unsubscribe_path(person)
    ways = iter([f"/confirm/{token}", leave] * 4)
    assert set(at_once(lambda: world.client.post(next(ways)).status_code)) <= {200, 410}
    assert world.status() is Status.UNSUBSCRIBED
    with world.store.read() as conn:
        assert subscribers.suppression_of(conn, EMAIL) is Reason.UNSUBSCRIBED


@pytest.mark.parametrize(
    "token",
    [
        "",
        "A" * 22,
        "A" * 5000,
        "%00",
        "%ff%fe",
        "..%2f..%2f",
        "é",
        "a b",
        "'; DROP TABLE--",
        "%0d%0a",
    ],
)
def test_what_we_never_made_confirms_nobody(world: World, token: str):
    put_into(world, "pending")
    assert look(world, token).status_code in (404, 410)
    assert press(world, token).status_code in (404, 405, 410)
    assert world.status() is Status.PENDING


@pytest.mark.parametrize("state", STATES)
def test_the_links_of_other_purposes_confirm_nobody(world: World, state: str):
    person = put_into(world, state)
    before = world.status()
    for path in (world.unsubscribe_path(person), world.preferences_path(person)):
        assert press(world, path.rpartition("/")[2]).status_code == 410
    assert world.status() is before


def test_a_wrong_letter_in_the_link_confirms_nobody(world: World):
    token = new_token(world, put_into(world, "pending"))
    for place in range(len(token)):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert press(world, other).status_code == 410
    assert press(world, token.swapcase()).status_code == 410
    assert world.status() is Status.PENDING
    assert press(world, token).status_code == 200
