"""A reader's own page: every button, whatever became of the reader; never another's data."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Status
from newsletter.store.engine import Store
from newsletter.store.tables import audit, consent, notice, subscriber, suppression
from tests.web.lives import EMAIL, STATES, at_once, put_into
from tests.web.worlds import World, served, text_of

BUTTONS = {
    "": {"name": "Alex Example"},
    "/pause": {"issues": "2"},
    "/resume": {},
    "/export": {},
    "/erase": {"sure": "yes"},
}
SEEN = ("pending", "active", "paused", "left", "bounced", "complained", "manual")


def press(world: World, path: str, button: str = "", **fields: str):  # type: ignore[no-untyped-def]
    return world.client.post(path + button, data=fields)


@pytest.mark.parametrize("state", SEEN)
def test_the_page_says_how_it_stands_and_changes_nothing(world: World, state: str):
    person = put_into(world, state)
    before, path = world.person(EMAIL), world.preferences_path(person)
    page = world.client.get(path)
    assert page.status_code == 200
    assert EMAIL in page.text
    said = {
        "pending": "waits to be confirmed",
        "paused": "3 more issues are left out",
        "left": "because you left",
        "bounced": "Nothing is sent to this address",
        "complained": "Nothing is sent to this address",
        "manual": "Nothing is sent to this address",
    }
    assert said.get(state, "Your preferences") in text_of(page.text)
    can_leave = state in ("active", "paused")
    assert ("Unsubscribe" in text_of(page.text)) == can_leave
    assert (f'action="{path}/pause"' in page.text) == can_leave
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert world.person(EMAIL) == before


@pytest.mark.parametrize("button", BUTTONS)
def test_who_was_erased_has_no_page_any_more(world: World, button: str):
    path = world.preferences_path(put_into(world, "erased"))
    assert world.client.get(path).status_code == 410
    assert press(world, path, button, **BUTTONS[button]).status_code == 410


@pytest.mark.parametrize("button", BUTTONS)
def test_a_made_up_or_altered_link_opens_nobodys_page(world: World, button: str):
    path = world.preferences_path(put_into(world, "active"))
    before = world.person(EMAIL)
    other = path[:-1] + ("A" if path[-1] != "A" else "B")
    for wrong in (other, path.upper(), "/preferences/" + "A" * 24, "/preferences/%00", path + "A"):
        assert press(world, wrong, button, **BUTTONS[button]).status_code == 404
    assert world.person(EMAIL) == before


@pytest.mark.parametrize("state", ["bounced", "complained", "manual", "left", "pending"])
def test_no_button_brings_anybody_back(world: World, state: str):
    person = put_into(world, state)
    before, path = world.status(), world.preferences_path(person)
    for button in ("", "/pause", "/resume"):
        assert press(world, path, button, **BUTTONS[button]).status_code == 303
    assert world.status() is before
    with world.store.read() as conn:
        eligible = subscribers.iterate(conn, subscribers.eligible())
        assert list(eligible) == []


def test_what_is_saved_is_kept_and_the_page_says_so(world: World):
    path = world.preferences_path(put_into(world, "active"))
    wish = {"name": "Zoë", "language": "pt-BR", "timezone": "Asia/Tokyo", "format": "text"}
    answer = press(world, path, **wish)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?done=saved")
    assert "Saved." in world.client.get(answer.headers["location"]).text
    person = world.person(EMAIL)
    assert person is not None
    assert {key: getattr(person, key) for key in wish} == wish
    press(world, path, name="", language="", timezone="", format="html")
    person = world.person(EMAIL)
    assert person is not None
    assert (person.name, person.language, person.timezone, person.format) == ("", "", "", "html")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Alex\r\nBcc: eve@example.org", "control character"),
        ("name", "Alex\u202egnp.exe", "control character"),
        ("name", "x" * 201, "200 characters"),
        ("language", "english please", "the language is not written as in"),
        ("language", "en\x00", "the language is not written as in"),
        ("timezone", "Mars/Olympus", "the time zone is not written as in"),
        ("timezone", "../../etc/passwd", "the time zone is not written as in"),
        ("format", "carrier pigeon", "the format is neither"),
    ],
)
def test_what_cannot_be_kept_is_said_and_nothing_is_changed(
    world: World, field: str, value: str, said: str
):
    path = world.preferences_path(put_into(world, "active"))
    before = world.person(EMAIL)
    answer = press(world, path, **{"name": "Other", "language": "de", field: value})
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert 'role="alert"' in answer.text
    assert world.person(EMAIL) == before


def test_fields_that_are_not_of_the_form_change_nothing(world: World):
    person = put_into(world, "active")
    wish = {"email": "eve@example.org", "status": "paused", "id": "1", "tags": "vip", "source": "x"}
    assert press(world, world.preferences_path(person), **wish).status_code == 303
    assert world.person(EMAIL) == person


def test_a_name_with_markup_comes_back_as_text(world: World):
    path = world.preferences_path(put_into(world, "active"))
    assert press(world, path, name='"><script>alert(1)</script>').status_code == 303
    page = world.client.get(path).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "<b>x" not in press(world, path, name="<b>x", language="no such").text
    assert "javascript" not in world.client.get(path, params={"done": "javascript:x"}).text


@pytest.mark.parametrize("issues", ["1", "3", "26"])
def test_a_pause_is_for_so_many_issues_and_ends_when_asked(world: World, issues: str):
    person = put_into(world, "active")
    path = world.preferences_path(person)
    assert press(world, path, "/pause", issues=issues).status_code == 303
    assert world.status() is Status.PAUSED
    with world.store.read() as conn:
        assert subscribers.issues_left(conn, person.id) == int(issues)
    assert press(world, path, "/resume").headers["location"].endswith("?done=resumed")
    assert world.status() is Status.ACTIVE
    assert press(world, path, "/resume").status_code == 303
    assert world.status() is Status.ACTIVE


@pytest.mark.parametrize(
    "issues",
    ["0", "27", "-1", "1e3", "²", "١", "", " 1", "1.0", "+1", "01", "0269", "9" * 31, "9" * 4000],
)
def test_a_pause_that_is_no_choice_of_the_form_is_refused(world: World, issues: str):
    path = world.preferences_path(put_into(world, "active"))
    assert press(world, path, "/pause", issues=issues).status_code == 422
    assert press(world, path, "/pause").status_code == 422
    assert world.status() is Status.ACTIVE


def test_the_export_holds_all_of_one_person_and_nothing_of_another(world: World):
    person = put_into(world, "pending", name="Alex Example")
    put_into(world, "active", "robin@example.org", name="Robin Other")
    put_into(world, "active", "ALEX@example.org", name="Alexis Upper")  # another person
    answer = press(world, world.preferences_path(person), "/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    found = json.loads(answer.content)
    assert found["email"] == EMAIL
    assert found["subscriber"]["name"] == "Alex Example"
    assert [row["ip"] for row in found["consents"]] == ["192.0.2.7"]
    assert [row["kind"] for row in found["notices"]] == ["confirm"]
    assert found["deliveries"] == found["events"] == []
    for other in ("robin", "Robin", "ALEX@", "Alexis"):
        assert other not in answer.text


@pytest.mark.parametrize("fields", [{}, {"sure": ""}, {"sure": "no"}, {"sure": "on"}])
def test_without_the_tick_nothing_is_erased(world: World, fields: dict[str, str]):
    path = world.preferences_path(put_into(world, "active"))
    answer = press(world, path, "/erase", **fields)
    assert answer.status_code == 422
    assert "Nothing was erased" in text_of(answer.text)
    assert world.status() is Status.ACTIVE


@pytest.mark.parametrize("state", [state for state in STATES if state != "erased"])
def test_erasing_forgets_whoever_asks(world: World, state: str):
    person = put_into(world, state, name="Alex Example")
    path = world.preferences_path(person)
    answer = press(world, path, "/erase", sure="yes")
    assert answer.status_code == 200
    assert EMAIL not in answer.text
    assert world.person(EMAIL) is None
    assert world.client.get(path).status_code == 410
    with world.store.read() as conn:
        assert subscribers.suppression_of(conn, EMAIL) is not None
        for table in (subscriber, consent, suppression, audit, notice):
            rows = str([tuple(row) for row in conn.execute(sa.select(table))])
            for secret in (EMAIL, "Alex Example", "192.0.2.7"):
                assert secret not in rows, table.name
    assert world.store.compact_owed() is not None


def test_who_is_erased_is_nowhere_in_the_file_after_the_compact_that_is_owed(
    sqlite_store: Store, tmp_path: Path
):
    with served(sqlite_store, tmp_path / "newsletter") as site:
        names = [f"reader{number}.of.interest@example.org" for number in range(40)]
        for name in names:
            put_into(site, "active", name, name=f"Person {name[:8]} Example")
        site.pass_time(timedelta(minutes=1))
        path = site.preferences_path(put_into(site, "active", "gone.for.good@example.org"))
        assert press(site, path, name="Gone Forgood").status_code == 303
        assert press(site, path, "/erase", sure="yes").status_code == 200
        site.store.compact()
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("newsletter.db*"))
    assert b"reader7.of.interest" in kept
    assert b"gone.for.good" not in kept
    assert b"Gone Forgood" not in kept


def test_buttons_that_are_pressed_at_once_agree(world: World):
    person = put_into(world, "active")
    path = world.preferences_path(person)
    ways = iter([("/pause", {"issues": "2"}), ("/resume", {}), ("", {"name": "A"})] * 3)

    def work() -> int:
        button, fields = next(ways)
        return int(press(world, path, button, **fields).status_code)

    assert set(at_once(work, 9)) == {303}
    with world.store.read() as conn:
        left = subscribers.issues_left(conn, person.id)
    assert (world.status() is Status.PAUSED) == (left == 2)


def test_erasing_twice_at_once_erases_once(world: World):
    path = world.preferences_path(put_into(world, "active"))
    codes = at_once(lambda: press(world, path, "/erase", sure="yes").status_code, 4)
    assert sorted(set(codes)) in ([200], [200, 410])
    with world.store.read() as conn:
        query = sa.select(sa.func.count()).where(audit.c.action == "subscriber.erase")
        assert conn.scalar(query) == 1
