"""The JSON API: who may call it, from which pages, how often; the same answer for everybody."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.audience import api_keys
from newsletter.audience.api_keys import Scope
from newsletter.audience.model import Status
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.store.engine import Store
from newsletter.store.tables import consent, subscriber
from newsletter.web.context import PER_KEY
from newsletter.web.routes import subscribe
from newsletter.web.routes.subscribe import QUANTUM
from tests.web.lives import EMAIL, STATES, put_into, waiting
from tests.web.webhooks import send_campaign
from tests.web.worlds import NOW, World, served

PATH = "/api/v1/subscriptions"
PAGE = "https://www.example.org"
OTHER = "https://shop.example.com"


def a_key(world: World, *origins: str, name: str = "", scope: Scope = Scope.SUBSCRIBE) -> str:
    with world.store.begin() as conn:
        return api_keys.create(
            conn, name or f"key {scope} {origins}", [scope], origins, now=NOW, actor="operator"
        )


def ask(world: World, key: str | None, email: str = EMAIL, *, origin: str = "", **values: Any):  # type: ignore[no-untyped-def]
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    if origin:
        headers["origin"] = origin
    return world.client.post(PATH, json={"email": email, **values}, headers=headers)


@pytest.fixture
def few(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two an hour from one network."""
    monkeypatch.setattr(subscribe, "QUANTUM", 0.001)
    keys = {"per_ip_per_hour": 2}
    with served(sqlite_store, tmp_path / "newsletter", subscribe=keys) as site:
        yield site


# ── subscriptions ───────────────────────────────────────────────────────────


def test_a_server_asks_for_a_reader_who_then_gets_a_mail_to_confirm(world: World):
    values = {"name": "Alex", "language": "en", "timezone": "Asia/Tokyo", "page": f"{PAGE}/join"}
    answer = ask(world, a_key(world), **values)
    assert (answer.status_code, answer.json()) == (202, {"status": "check your mail"})
    person = world.person(EMAIL)
    assert person is not None
    assert (person.status, person.name, person.source) == (Status.PENDING, "Alex", "api")
    assert waiting(world) == ["confirm"]
    with world.store.read() as conn:
        row = conn.execute(sa.select(consent)).one()
    assert (row.page, row.ip) == (f"{PAGE}/join", None)  # the caller is not the reader


def test_of_a_script_in_a_page_the_readers_own_address_is_in_the_proof(world: World):
    assert ask(world, a_key(world, PAGE), origin=PAGE).status_code == 202
    with world.store.read() as conn:
        assert conn.scalar(sa.select(consent.c.ip)) == "192.0.2.7"


@pytest.mark.parametrize("state", ["new", *STATES])
def test_answer_and_time_are_the_same_whoever_is_asked_about(world: World, state: str):
    if state != "new":
        put_into(world, state)
        world.pass_time(timedelta(minutes=5))
    before = world.status()
    key = a_key(world)
    started = time.monotonic()
    answer = ask(world, key)
    assert time.monotonic() - started >= QUANTUM
    assert (answer.status_code, answer.json()) == (202, {"status": "check your mail"})
    assert world.status() is (Status.PENDING if state == "new" else before)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "alex"}, 400),
        ({"email": EMAIL, "name": "a\u0000b"}, 400),
        ({"email": EMAIL, "name": "\ud800"}, 422),
        ({"email": EMAIL, "language": "?"}, 400),
        ({"email": EMAIL, "timezone": "Mars"}, 400),
        ({"email": "x" * 321}, 422),
        ({"email": EMAIL, "name": "x" * 201}, 422),
        ({"email": EMAIL, "status": "active"}, 422),
        ({"email": [EMAIL]}, 422),
        ({}, 422),
        ([], 422),
        (None, 422),
    ],
)
def test_what_cannot_be_used_is_said_and_takes_nobody(few: World, body: object, status: int):
    headers = {"authorization": f"Bearer {a_key(few)}", "content-type": "application/json"}
    content = _json(body)
    answer = few.client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert EMAIL not in answer.text
    with few.store.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(subscriber)) == 0


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def test_too_large_malformed_or_not_json_is_refused(few: World):
    headers = {"authorization": f"Bearer {a_key(few)}", "content-type": "application/json"}
    for content, status in (
        (b" " * 20_000, 413),
        (b"{", 422),
        (b"\xff\xfe", 422),
        (b"[" * 10_000, 422),
        (b'{"email": 1e999}', 422),
    ):
        few.context.api_calls._counts.clear()
        answer = few.client.post(PATH, content=content, headers=headers)
        assert answer.status_code in (status, 400), content[:10]
        media_type = "text/plain; charset=utf-8" if status == 413 else "application/json"
        assert answer.headers["content-type"] == media_type, content[:10]
    form = few.client.post(PATH, data={"email": EMAIL}, headers=headers | {"content-type": "x/y"})
    assert form.status_code in (400, 415, 422)


def test_closed_sign_up_is_closed_here_too(sqlite_store: Store, tmp_path: Path):
    with served(sqlite_store, tmp_path / "newsletter", subscribe={"open": False}) as site:
        assert ask(site, a_key(site)).status_code == 403
        assert site.person(EMAIL) is None


def test_a_revoked_key_is_refused_at_once(few: World):
    key = a_key(few, name="old")
    assert ask(few, key).status_code == 202
    with few.store.begin() as conn:
        api_keys.revoke(conn, "old", now=NOW, actor="operator")
    answer = ask(few, key)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


# ── how often ───────────────────────────────────────────────────────────────


def test_a_key_that_stands_in_a_page_is_limited_by_network_with_and_without_origin(few: World):
    key = a_key(few, PAGE)
    codes = [ask(few, key, f"r{n}@example.org", origin=PAGE).status_code for n in range(2)]
    assert codes == [202, 202]
    for origin in (PAGE, ""):
        answer = ask(few, key, "late@example.org", origin=origin)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["detail"]
    assert few.person("late@example.org") is None
    form = few.client.post("/subscribe/", data={"email": "late@example.org"})
    assert form.status_code == 429  # one budget for the form and for scripts
    assert ask(few, a_key(few)).status_code == 202  # a server is not stopped by it
    few.pass_time(timedelta(hours=2))
    assert ask(few, key, origin=PAGE).status_code == 202


def test_a_servers_key_is_limited_by_itself_and_generously(few: World):
    key, other = a_key(few), a_key(few, name="another")
    codes = [ask(few, key).status_code for _ in range(2 * PER_KEY + 1)]
    assert codes == [202] * 2 * PER_KEY + [429]
    assert ask(few, other).status_code == 202


def test_what_is_malformed_counts_too(few: World):
    key = a_key(few, PAGE)
    codes = [ask(few, key, "alex", origin=PAGE).status_code for _ in range(3)]
    assert codes == [400, 400, 429]


def test_made_up_keys_use_up_nobodys_limit(few: World):
    for _ in range(50):
        assert ask(few, "nk_" + "A" * 43, origin=PAGE).status_code == 401
    assert ask(few, a_key(few, PAGE), origin=PAGE).status_code == 202


# ── from which pages ────────────────────────────────────────────────────────


def preflight(world: World, origin: str):  # type: ignore[no-untyped-def]
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    return world.client.options(PATH, headers={k: v for k, v in headers.items() if v})


def test_a_browser_may_send_the_key_and_read_the_answer(few: World):
    key = a_key(few, PAGE)
    asked = preflight(few, PAGE)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-methods"] == "POST"
    allowed = asked.headers["access-control-allow-headers"]
    assert {"authorization", "content-type"} <= set(allowed.split(", "))
    for answer in (asked, ask(few, key, origin=PAGE)):
        assert answer.headers.get_list("access-control-allow-origin") == [PAGE]
        assert answer.headers["vary"] == "origin"
        assert "access-control-allow-credentials" not in answer.headers


def test_a_browser_may_read_errors_too(few: World):
    key = a_key(few, PAGE)
    answers = {
        400: ask(few, key, "alex", origin=PAGE),
        401: ask(few, "nk_unknown", origin=PAGE),
        422: ask(few, key, origin=PAGE, extra="x"),
        429: ask(few, key, origin=PAGE),
        405: few.client.get(PATH, headers={"origin": PAGE}),
        413: few.client.post(PATH, content=b" " * 20_000, headers={"origin": PAGE}),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE, status
        assert answer.headers["access-control-expose-headers"] == "retry-after", status


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        "null",
        "*",
        "https://www.example.org.evil.com",
        "http://www.example.org",
        f"{PAGE}:8443",
    ],
)
def test_pages_of_another_origin_are_refused_and_cannot_read_why(few: World, origin: str):
    key = a_key(few, PAGE)
    refused = preflight(few, origin)
    assert refused.status_code == 403
    answer = ask(few, key, origin=origin)
    assert answer.status_code == 403
    for each in (refused, answer):
        assert "access-control-allow-origin" not in each.headers
        assert each.headers["vary"] == "origin"
    assert few.person(EMAIL) is None


def test_the_key_of_one_site_does_not_serve_the_pages_of_another(few: World):
    key = a_key(few, PAGE)
    a_key(few, OTHER)
    answer = ask(few, key, origin=OTHER)
    assert answer.status_code == 403
    assert answer.headers["access-control-allow-origin"] == OTHER


def test_no_other_route_lets_scripts_of_other_sites_in(few: World):
    a_key(few, PAGE)
    person = few.reader()
    for path in (few.preferences_path(person), "/", "/subscribe/", "/api/v1/campaigns/2.20"):
        answer = few.client.get(path, headers={"origin": PAGE})
        assert "access-control-allow-origin" not in answer.headers, path


# ── campaigns ───────────────────────────────────────────────────────────────


def test_a_campaigns_counts_are_told(world: World):
    people = [world.reader(f"reader{n}@example.org") for n in range(3)]
    send_campaign(world, people, DeliveryStatus.UNCERTAIN)
    headers = {"authorization": f"Bearer {a_key(world, scope=Scope.STATUS)}"}
    found = world.client.get("/api/v1/campaigns/2.20", headers=headers)
    assert found.status_code == 200
    told = found.json()
    assert (told["issue"], told["state"]) == ("2.20", "completed")
    assert (told["intended"], told["uncertain"], told["accepted"]) == (3, 3, 0)
    assert "@" not in found.text
    for number in ("2.21", "x", "%00", "1" * 21, "2.20.1", "-1"):
        answer = world.client.get(f"/api/v1/campaigns/{number}", headers=headers)
        assert answer.status_code in (404, 422), number
        assert answer.headers["content-type"] == "application/json"
