"""Requests that no honest client sends: each is answered or cut off, and nobody else suffers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from newsletter.audience.model import Status
from newsletter.store.engine import Store
from newsletter.store.tables import consent, subscriber
from newsletter.web import protocol
from newsletter.web.server import uvicorn_config
from tests.web.lives import EMAIL, new_token, put_into
from tests.web.sockets import ask, connection, listening, statuses, tell
from tests.web.worlds import SITE, World, served

HOST = b"host: digest.example.org\r\n"
FORM = "content-type: application/x-www-form-urlencoded"


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path) -> Iterator[World]:
    with served(sqlite_store, tmp_path / "newsletter", "2.20") as made:
        yield made


@pytest.fixture
def port(site: World) -> Iterator[int]:
    with listening(site) as found:
        yield found


# ── where one request ends and the next begins ──────────────────────────────

HIDDEN = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5, 6\r\n",
        b"content-length: +5\r\n",
        b"content-length: -1\r\n",
        b"content-length: 0x5\r\n",
        b"content-length: 99999999999999999999999\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"transfer-encoding : chunked\r\n",
        b"x-a: b\r\n content-length: 5\r\n",
        b"x-a: b\nx-c: d\r\n",
        b"x-a: b\rx-c: d\r\n",
        b"x-a\x00: b\r\n",
        b"x-a: b\x00c\r\n",
        b": b\r\n",
    ],
)
def test_a_request_whose_end_could_be_read_in_two_ways_is_refused(port: int, head: bytes):
    data = b"POST /subscribe/ HTTP/1.1\r\n" + HOST + head + b"\r\n0\r\n\r\n" + HIDDEN
    found = statuses(tell(port, data + b"\r\n"))
    assert 200 not in found, "the hidden request was answered"
    assert not found or found[0] >= 400
    assert ask(port)[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/0.9\r\n\r\n",
        b"get / http/1.1\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
        b"CONNECT attacker.test:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http:// HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET //attacker.test/%2f.. HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"GET http://attacker.test/nothing HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"TRACE / HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /" + b"%41" * 4_000 + b" HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"GET /%c0%ae%c0%ae/ HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n",
    ],
)
def test_odd_requests_are_no_mistake_of_ours_and_the_next_is_served(
    port: int, data: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(protocol, "PATIENCE", 0.4)
    answer = tell(port, data)
    assert all(status < 500 for status in statuses(answer)), answer[:200]
    assert b"attacker" not in answer
    assert b"Traceback" not in answer
    assert ask(port)[0] == 200


def test_an_upgrade_is_not_taken_and_the_connection_does_not_stay(
    port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(protocol, "PATIENCE", 0.4)
    head = (
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    )
    found = statuses(tell(port, head + HIDDEN))
    assert 101 not in found
    assert set(found) <= {200, 400, 426}


def test_pipelined_requests_are_answered_in_order(port: int):
    first = b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /healthz HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
    assert statuses(tell(port, first + last)) == [404, 200]


# ── slow ones, and many ─────────────────────────────────────────────────────


def test_two_hundred_that_send_a_byte_now_and_then_stop_nobody(port: int):
    with ExitStack() as stack:
        clients = [stack.enter_context(connection(port)) for _ in range(200)]
        for byte in (b"G", b"E", b"T"):
            for client in clients:
                client.sendall(byte)
            assert ask(port)[0] == 200
            assert ask(port, "/subscribe/")[0] == 200


def test_who_sends_slowly_is_cut_off_however_steadily(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "PATIENCE", 0.5)
    with connection(port) as client:
        client.settimeout(0.05)
        closed = False
        for byte in b"GET /" + b"a" * 200:
            try:
                client.sendall(bytes([byte]))
                closed = client.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
        assert closed


def test_beyond_the_bound_of_connections_it_says_so_and_recovers(site: World):
    with listening(site, limit_concurrency=20) as port:
        with ExitStack() as stack:
            for _ in range(25):
                stack.enter_context(connection(port))
            assert ask(port)[0] == 503
        found = [ask(port)[0] for _ in range(20)]
    assert found[-1] == 200


def test_a_client_that_goes_away_in_the_middle_is_no_mistake_of_ours(port: int, site: World):
    for path in ("/subscribe/", "/api/v1/subscriptions", "/webhooks/sendgrid"):
        with connection(port) as client:
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\n{FORM}\r\ncontent-length: 99\r\n\r\n"
            client.sendall(head.encode() + b"email=")
    assert ask(port)[0] == 200
    text = site.context.metrics.text(site.store, site.context.workspace, site.at).decode()
    assert 'status="500"' not in text


# ── who asks, and where ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host",
    ["attacker.test", "digest.example.org:1@attacker.test", "", "[::1", "a" * 300],
)
def test_no_address_is_ever_built_from_the_host_that_was_asked_for(
    port: int, site: World, host: str
):
    fields = (f"host: {host}", "x-forwarded-host: attacker.test", "forwarded: host=attacker")
    token = new_token(site, put_into(site, "pending"))
    person = site.person(EMAIL)
    assert person is not None
    for path in (
        "/",
        "/vol-2-20",
        "/feed.atom",
        f"/confirm/{token}",
        site.preferences_path(person),
    ):
        status, named, body = ask(port, path, *fields)
        assert status in (200, 308), path
        assert b"attacker" not in body
        assert "attacker" not in str(named)
    status, named, _ = ask(port, "/subscribe/", *fields, FORM, method="POST", body=b"email=a@b.org")
    assert (status, named["location"]) == (303, "/subscribe/sent/")


def ip_of_confirmation(port: int, site: World, *fields: str) -> str | None:
    token = new_token(site, put_into(site, "pending"))
    assert ask(port, f"/confirm/{token}", *fields, method="POST")[0] == 200
    assert site.status() is Status.ACTIVE
    with site.store.read() as conn:
        found = sa.select(consent.c.ip).where(consent.c.kind == "confirmed")
        return conn.scalar(found.order_by(consent.c.id.desc()))


@pytest.mark.parametrize(
    ("fields", "ip"),
    [
        (["x-forwarded-for: 203.0.113.9"], "203.0.113.9"),
        (["x-forwarded-for: 6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        (["x-forwarded-for: 6.6.6.6", "x-forwarded-for: 203.0.113.9"], "203.0.113.9"),
        (["x-forwarded-for: 6.6.6.6, 203.0.113.9, 127.0.0.1"], "203.0.113.9"),
        (["x-forwarded-for: [2001:db8::7]:443"], "2001:db8::7"),
        (["x-forwarded-for: <script>, eve@example.org"], None),
        (["x-forwarded-for: fe80::1%attacker"], None),
        (["forwarded: for=6.6.6.6", "x-real-ip: 6.6.6.6"], "127.0.0.1"),
        ([], "127.0.0.1"),
    ],
)
def test_a_proxy_that_is_trusted_says_who_asks(
    port: int, site: World, fields: list[str], ip: str | None
):
    assert ip_of_confirmation(port, site, *fields) == ip


def test_who_is_not_trusted_says_nothing_about_who_asks(sqlite_store: Store, tmp_path: Path):
    keys = {"trusted_proxies": ("192.0.2.1", "198.51.100.0/24")}
    with (
        served(sqlite_store, tmp_path / "newsletter", web=keys) as site,
        listening(site) as port,
    ):
        spoofed = ("x-forwarded-for: 203.0.113.9", "x-forwarded-proto: http")
        assert ip_of_confirmation(port, site, *spoofed) == "127.0.0.1"
        allowed = site.context.config.subscribe.per_ip_per_hour
        codes = [
            ask(
                port,
                "/subscribe/",
                FORM,
                f"x-forwarded-for: 203.0.113.{number}",
                method="POST",
                body=b"email=alex",
            )[0]
            for number in range(allowed + 1)
        ]
        assert codes == [422] * allowed + [429]


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_proxy_is_known_in_both_families(site: World, proxy: str):
    assert ip_told_by(site, proxy) == "203.0.113.9"


def test_a_network_of_proxies_is_trusted_and_its_neighbour_is_not(
    sqlite_store: Store, tmp_path: Path
):
    keys = {"trusted_proxies": ("10.0.0.0/24",)}
    with served(sqlite_store, tmp_path / "newsletter", web=keys) as site:
        assert ip_told_by(site, "10.0.0.7") == "203.0.113.9"
        with site.store.begin() as conn:
            conn.execute(sa.update(subscriber).values(status="pending"))
        assert ip_told_by(site, "10.0.1.7") == "10.0.1.7"


def ip_told_by(site: World, proxy: str) -> str | None:
    config = uvicorn_config(site.context)
    config.load()
    token = new_token(site, put_into(site, "pending"))
    with TestClient(config.loaded_app, base_url=SITE, client=(proxy, 50000)) as client:
        answer = client.post(f"/confirm/{token}", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.status_code == 200
    with site.store.read() as conn:
        found = sa.select(consent.c.ip).where(consent.c.kind == "confirmed")
        return conn.scalar(found.order_by(consent.c.id.desc()))


@pytest.mark.parametrize("scheme", ["http", "https", "javascript", "ws"])
def test_the_scheme_that_a_proxy_tells_of_changes_no_answer(port: int, scheme: str):
    status, named, _ = ask(port, "/vol-2-20", f"x-forwarded-proto: {scheme}")
    assert (status, named["location"]) == (308, "/vol-2-20/")
    assert named["strict-transport-security"]
