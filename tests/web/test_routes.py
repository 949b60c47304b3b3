"""Deny by default: this is the list of all routes, with who may use each.

A route that is not listed here fails the test, so that nobody opens one by mistake.
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from newsletter.audience import api_keys
from newsletter.audience.api_keys import Scope
from newsletter.web.app import make_routes
from tests.web.worlds import NOW, World

ANYBODY = "anybody"
LINK = "who has the signed link"
SIGNED = "who signs"

ROUTES = {
    ("GET", "/subscribe/"): ANYBODY,
    ("GET", "/subscribe/sent/"): ANYBODY,
    ("POST", "/subscribe/"): ANYBODY,
    ("GET", "/confirm/{token}"): LINK,
    ("POST", "/confirm/{token}"): LINK,
    ("GET", "/preferences/{token}"): LINK,
    ("POST", "/preferences/{token}"): LINK,
    ("POST", "/preferences/{token}/pause"): LINK,
    ("POST", "/preferences/{token}/resume"): LINK,
    ("POST", "/preferences/{token}/export"): LINK,
    ("POST", "/preferences/{token}/erase"): LINK,
    ("GET", "/unsubscribe/{token}"): LINK,
    ("POST", "/unsubscribe/{token}"): LINK,
    ("GET", "/calendar.ics"): ANYBODY,
    ("POST", "/api/v1/subscriptions"): Scope.SUBSCRIBE,
    ("OPTIONS", "/api/v1/subscriptions"): ANYBODY,  # a browser asks before it sends the key
    ("GET", "/api/v1/campaigns/{number}"): Scope.STATUS,
    ("GET", "/api/v1/openapi.json"): ANYBODY,
    ("POST", "/webhooks/sendgrid"): SIGNED,
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/readyz"): ANYBODY,
    ("GET", "/metrics"): Scope.METRICS,
}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    left = list(app.routes)
    while left:
        route = left.pop()
        if (router := getattr(route, "original_router", None)) is not None:
            left += router.routes
            continue
        assert isinstance(route, (APIRoute, Route)), "nothing is mounted"
        assert route.methods is not None
        found |= {(method, route.path) for method in route.methods - {"HEAD"}}
    return found


def address(path: str) -> str:
    return path.format(token="AAAAAAAAAAAAAAAAAAAAAAAA", number="2.20")


def test_there_are_no_routes_but_those_that_are_listed(world: World):
    assert routes_of(make_routes(world.context)) == set(ROUTES)


def test_a_made_up_link_is_refused_wherever_one_is_needed(world: World):
    for (method, path), who in ROUTES.items():
        if who is LINK:
            answer = world.client.request(method, address(path), data={"issues": "1"})
            assert answer.status_code in (404, 410), (method, path)


def test_every_scope_opens_its_routes_and_no_others(world: World):
    keys = {}
    with world.store.begin() as conn:
        for scope in Scope:
            keys[scope] = api_keys.create(conn, scope, [scope], now=NOW, actor="operator")
    asked = {"email": "alex@example.org"}
    for (method, path), who in ROUTES.items():
        if who not in set(Scope):
            continue
        body = {"json": asked} if method == "POST" else {}
        for key in ("", "nk_" + "A" * 43, "Basic"):
            headers = {"authorization": f"Bearer {key}"} if key else {}
            answer = world.client.request(method, address(path), headers=headers, **body)
            assert answer.status_code == 401, (method, path, key)
        for scope, key in keys.items():
            headers = {"authorization": f"Bearer {key}"}
            answer = world.client.request(method, address(path), headers=headers, **body)
            assert (answer.status_code == 403) == (scope != who), (method, path, scope)


def test_a_revoked_key_opens_nothing(world: World):
    with world.store.begin() as conn:
        key = api_keys.create(conn, "old", [Scope.METRICS], now=NOW, actor="operator")
        api_keys.revoke(conn, "old", now=NOW, actor="operator")
    answer = world.client.get("/metrics", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_an_unsigned_webhook_is_refused_and_without_a_key_it_is_not_there(world: World):
    assert world.client.post("/webhooks/sendgrid", json=[]).status_code == 404


def test_a_get_of_what_only_a_post_does_is_refused(world: World):
    for (method, path), _ in ROUTES.items():
        if method == "POST" and ("GET", path) not in ROUTES:
            assert world.client.get(address(path)).status_code == 405, path


def test_every_answer_keeps_to_itself(world: World):
    for (method, path), _ in ROUTES.items():
        answer = world.client.request(method, address(path))
        fields = answer.headers
        assert fields["x-content-type-options"] == "nosniff", path
        assert fields["referrer-policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in fields["content-security-policy"], path
        assert "unsafe" not in fields["content-security-policy"], path
        assert fields["strict-transport-security"].startswith("max-age="), path
        assert "set-cookie" not in fields, path
        assert "server" not in fields, path
