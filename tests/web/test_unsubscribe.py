"""Leaving: one button for people, one POST for mail programs, and no GET that does it."""

from __future__ import annotations

import pytest

from newsletter.audience import subscribers
from newsletter.audience.model import Status
from tests.web.worlds import WRITES, World, text_of

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.mark.parametrize("form", ["urlencoded", "multipart", "empty", "nonsense"])
def test_a_mail_programs_post_leaves_without_cookie_or_redirect(world: World, form: str):
    person = world.reader()
    path = world.unsubscribe_path(person)
    answer = {
        "urlencoded": lambda: world.client.post(path, data=ONE_CLICK),
        "multipart": lambda: world.client.post(
            path, files={name: (None, value) for name, value in ONE_CLICK.items()}
        ),
        "empty": lambda: world.client.post(path),
        "nonsense": lambda: world.client.post(
            path, content=b"\xff\x00", headers={"content-type": "multipart/form-data"}
        ),
    }[form]()
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert world.status() is Status.UNSUBSCRIBED


def test_the_page_shows_one_button_that_leaves_and_a_way_to_pause(world: World):
    person = world.reader()
    page = world.client.get(world.unsubscribe_path(person))
    assert page.status_code == 200
    assert page.text.count('<form class="panel" method="post">') == 1
    assert world.preferences_path(person) in page.text
    assert world.status() is Status.ACTIVE


def test_leaving_again_changes_nothing_and_says_the_same(world: World):
    person = world.reader()
    path = world.unsubscribe_path(person)
    first, second = world.client.post(path), world.client.post(path)
    assert first.text == second.text
    assert "You are unsubscribed" in text_of(world.client.get(path).text)
    with world.store.read() as conn:
        kinds = [entry.what for entry in subscribers.timeline(conn, person.id)]
    assert kinds.count("withdrawn") == 1


def test_hundreds_of_gets_and_heads_leave_everybody_where_they_are(world: World):
    people = [world.reader(f"reader{number}@example.org") for number in range(5)]
    for person in people * 20:
        for path in (world.unsubscribe_path(person), world.preferences_path(person)):
            assert world.client.get(path).status_code == 200
            assert world.client.head(path).status_code == 200
    for person in people:
        assert world.person(person.email) == person


@pytest.mark.parametrize("change", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), str.upper])
def test_a_link_that_was_tampered_with_names_nobody(world: World, change: object):
    person = world.reader()
    token = world.unsubscribe_path(person).rpartition("/")[2]
    answer = world.client.post("/unsubscribe/" + change(token))  # type: ignore[operator]
    assert answer.status_code == 404
    assert world.status() is Status.ACTIVE


def test_the_link_of_one_purpose_does_not_serve_another(world: World):
    person = world.reader()
    token = world.preferences_path(person).rpartition("/")[2]
    assert world.client.post(f"/unsubscribe/{token}").status_code == 404
    token = world.unsubscribe_path(person).rpartition("/")[2]
    assert world.client.get(f"/preferences/{token}").status_code == 404


def test_who_was_erased_finds_their_link_to_have_done_its_work(world: World):
    person = world.reader()
    path = world.unsubscribe_path(person)
    with world.store.begin() as conn:
        subscribers.erase(conn, person.email, **WRITES)
    assert world.client.post(path).status_code == 200
    assert "You are unsubscribed" in text_of(world.client.get(path).text)


def test_nothing_of_the_person_stands_on_the_page(world: World):
    person = world.reader(name="Alex Example")
    for method in ("GET", "POST"):
        page = world.client.request(method, world.unsubscribe_path(person)).text
        assert "alex@" not in page
        assert "Alex Example" not in page
