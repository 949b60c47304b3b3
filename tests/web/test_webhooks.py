"""SendGrid's webhook: what it signed is recorded once, whole, and nothing else is even read."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.feedback.sendgrid_events import (
    MAX_AGE,
    MAX_AHEAD,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
)
from newsletter.store.engine import Store, open_url
from newsletter.web.routes import webhooks
from newsletter.web.routes.webhooks import MAX_BODY
from tests.web.lives import EMAIL, at_once
from tests.web.webhooks import (
    PATH,
    an_event,
    body_of,
    deliveries,
    hooked,
    kinds,
    send_campaign,
    signed,
    tell,
)
from tests.web.worlds import World


@pytest.fixture
def hook(store: Store, tmp_path: Path) -> Iterator[World]:
    with hooked(store, tmp_path / "newsletter") as world:
        yield world


@pytest.fixture
def lite(sqlite_store: Store, tmp_path: Path) -> Iterator[World]:
    with hooked(sqlite_store, tmp_path / "newsletter") as world:
        yield world


def reason(world: World, email: str = EMAIL) -> Reason | None:
    with world.store.read() as conn:
        return subscribers.suppression_of(conn, email)


# ── is it SendGrid? ─────────────────────────────────────────────────────────


def test_what_is_signed_is_recorded(hook: World):
    person = hook.reader()
    send_campaign(hook, [person], DeliveryStatus.ACCEPTED)
    answer = tell(hook, an_event(hook, person, "delivered"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert kinds(hook) == ["delivered"]
    assert deliveries(hook) == [("accepted", "delivered")]


def forgeries(world: World, body: bytes) -> dict[str, tuple[bytes, dict[str, str]]]:
    now = world.at.timestamp()
    good = signed(body, now)
    other, curve = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    without = {name: {k: v for k, v in good.items() if k != name} for name in good}
    return {
        "another body": (body.replace(b"spamreport", b"bounce"), good),
        "a space more": (body + b" ", good),
        "no body": (b"", good),
        "another time": (body, {**good, TIMESTAMP_HEADER: str(int(now) + 1)}),
        "old": (body, signed(body, now - MAX_AGE.total_seconds() - 1)),
        "of the future": (body, signed(body, now + MAX_AHEAD.total_seconds() + 1)),
        "no signature": (body, without[SIGNATURE_HEADER]),
        "no time": (body, without[TIMESTAMP_HEADER]),
        "nothing": (body, {}),
        "another key": (body, signed(body, now, other)),
        "another curve": (body, signed(body, now, curve)),
        "no base64": (body, {**good, SIGNATURE_HEADER: "!" * 96}),
        "empty": (body, {**good, SIGNATURE_HEADER: ""}),
        "endless": (body, {**good, SIGNATURE_HEADER: "A" * 10_000}),
        "no number": (body, {**good, TIMESTAMP_HEADER: "soon"}),
        "a huge number": (body, {**good, TIMESTAMP_HEADER: "9" * 5000}),
    }


def test_a_forgery_is_refused_without_a_word_about_what_was_wrong(lite: World):
    person = lite.reader()
    body = body_of([an_event(lite, person, "spamreport")])
    answers = set()
    for name, (forged, headers) in forgeries(lite, body).items():
        answer = lite.client.post(PATH, content=forged, headers=headers)
        answers.add((answer.status_code, answer.text))
        assert answer.status_code == 403, name
    assert len(answers) == 1
    assert kinds(lite) == []
    assert lite.status() is Status.ACTIVE


def test_what_is_not_signed_is_not_parsed(lite: World, monkeypatch: pytest.MonkeyPatch):
    def parsed(_body: bytes) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(webhooks, "parse", parsed)
    deep = b"[" * 1_000_000
    answer = lite.client.post(PATH, content=deep, headers=signed(b"", lite.at.timestamp()))
    assert answer.status_code == 403


def test_a_replay_changes_nothing(hook: World):
    person = hook.reader()
    send_campaign(hook, [person], DeliveryStatus.ACCEPTED)
    body = body_of([an_event(hook, person, "delivered"), an_event(hook, person, "deferred")])
    headers = signed(body, hook.at.timestamp())
    for _ in range(3):
        assert hook.client.post(PATH, content=body, headers=headers).status_code == 204
        hook.pass_time(timedelta(hours=8))
    assert kinds(hook) == ["deferred", "delivered"]
    hook.pass_time(timedelta(hours=2))
    assert hook.client.post(PATH, content=body, headers=headers).status_code == 403


# ── what does it say? ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"no JSON",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'[{"event":"delivered"}]',
        b'[1,null,"x",[],{"event":{}}]',
        b'[{"event":"click","email":"a@example.org","timestamp":1}]',
        b'[{"event":"delivered","email":"a\\u0000@example.org","timestamp":1772445180}]',
        b'[{"event":"delivered","email":"a\\ud800@example.org","timestamp":1772445180}]',
        b'[{"event":"bounce","email":"a@b","timestamp":1e308,"reason":7}]',
    ],
)
def test_what_says_nothing_that_can_be_used_is_taken_and_recorded_as_nothing_about_anybody(
    hook: World, body: bytes
):
    answer = hook.client.post(PATH, content=body, headers=signed(body, hook.at.timestamp()))
    assert answer.status_code == 204
    assert set(kinds(hook)) <= {"delivered"}


def test_one_malformed_event_does_not_cost_the_others(hook: World):
    person = hook.reader()
    bad = {"event": "bounce", "email": 7, "timestamp": "x"}
    nul = an_event(hook, person, "bounce", 3, reason="550 \x00 no such user", status="5.1.1")
    assert tell(hook, bad, an_event(hook, person, "delivered"), nul).status_code == 204
    assert kinds(hook) == ["bounced", "delivered"]


def test_a_complaint_suppresses_and_nothing_later_brings_anybody_back(hook: World):
    person = hook.reader()
    send_campaign(hook, [person], DeliveryStatus.ACCEPTED)
    assert tell(hook, an_event(hook, person, "spamreport")).status_code == 204
    assert (hook.status(), reason(hook)) == (Status.UNSUBSCRIBED, Reason.COMPLAINED)
    late = [an_event(hook, person, kind, 2) for kind in ("processed", "delivered", "deferred")]
    assert tell(hook, *late).status_code == 204
    assert (hook.status(), reason(hook)) == (Status.UNSUBSCRIBED, Reason.COMPLAINED)
    assert deliveries(hook) == [("accepted", "complained")]


def test_out_of_order_and_twice_in_one_request_ends_the_same(hook: World):
    person = hook.reader()
    send_campaign(hook, [person], DeliveryStatus.ACCEPTED)
    told = [an_event(hook, person, kind) for kind in ("bounce", "delivered", "deferred", "bounce")]
    told = [{**one, "status": "5.1.1", "type": "bounce"} for one in told]
    assert tell(hook, *told).status_code == 204
    assert kinds(hook) == ["bounced", "deferred", "delivered"]
    assert reason(hook) is Reason.BOUNCED
    assert deliveries(hook) == [("accepted", "bounced")]


def test_an_event_settles_what_was_uncertain(hook: World):
    people = [hook.reader(f"reader{number}@example.org") for number in range(3)]
    send_campaign(hook, people, DeliveryStatus.UNCERTAIN)
    delivered = an_event(hook, people[0], "delivered")
    dropped = an_event(hook, people[1], "dropped", reason="Bounced Address")
    assert tell(hook, delivered, dropped).status_code == 204
    (first, second, third) = (status for status, _ in deliveries(hook))
    assert (first, third) == ("accepted", "uncertain")
    assert second != "uncertain"


def test_about_somebody_else_or_nobody_it_is_kept_without_an_address(hook: World):
    stranger = {**an_event(hook, hook.reader(), "delivered"), "email": "eve@example.com"}
    stranger["delivery"] = "AAAA"
    assert tell(hook, stranger).status_code == 204
    with hook.store.read() as conn:
        rows = str([tuple(row) for row in conn.exec_driver_sql("SELECT * FROM event")])
    assert "eve" not in rows


def test_ten_thousand_events_in_one_request_are_all_recorded_in_seconds(hook: World):
    people = [hook.reader(f"reader{number}@example.org") for number in range(20)]
    send_campaign(hook, people, DeliveryStatus.ACCEPTED)
    events = [an_event(hook, people[number % 20], "delivered", number) for number in range(10_000)]
    started = time.process_time()
    assert tell(hook, *events).status_code == 204
    assert time.process_time() - started < 6
    assert len(kinds(hook)) == 10_000


def test_the_same_at_once_is_recorded_once(hook: World):
    person = hook.reader()
    send_campaign(hook, [person], DeliveryStatus.ACCEPTED)
    events = [an_event(hook, person, "delivered", number) for number in range(50)]
    events.append(an_event(hook, person, "spamreport"))
    assert set(at_once(lambda: tell(hook, *events).status_code, 4)) == {204}
    assert len(kinds(hook)) == 51
    assert reason(hook) is Reason.COMPLAINED


# ── the world is in the way ─────────────────────────────────────────────────


def test_a_body_beyond_the_bound_is_refused(lite: World):
    body = b" " * (MAX_BODY + 1)
    headers = signed(body, lite.at.timestamp())
    assert lite.client.post(PATH, content=body, headers=headers).status_code == 413
    pieces = iter([b" " * 1_000_000] * 20)  # no length is told
    assert lite.client.post(PATH, content=pieces, headers=headers).status_code == 413
    just = body_of([]) + b" " * (MAX_BODY - 10)
    answer = lite.client.post(PATH, content=just, headers=signed(just, lite.at.timestamp()))
    assert answer.status_code == 204


def test_bodies_of_many_are_held_up_to_a_bound(lite: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhooks, "ROOM", 100_000)
    body = b" " * 100_001
    headers = signed(body, lite.at.timestamp())
    answer = lite.client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert tell(lite).status_code == 204  # what was held is given back
    for _ in range(3):
        assert lite.client.post(PATH, content=b" " * 90_000).status_code == 403


def test_without_a_key_the_webhook_is_not_there(world: World):
    assert tell(world).status_code == 404


@pytest.mark.parametrize("held", [0.3, None])
def test_a_locked_database_is_waited_for_and_then_nothing_is_lost(
    tmp_path: Path, held: float | None
):
    path = tmp_path / "newsletter.db"
    with (
        open_url(f"sqlite:///{path}", wait=1.0) as store,
        hooked(store, tmp_path / "newsletter") as world,
    ):
        person = world.reader()
        send_campaign(world, [person], DeliveryStatus.ACCEPTED)
        events = [an_event(world, person, "delivered", number) for number in range(1_500)]
        lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        if held is not None:
            timer = threading.Timer(held, lock.rollback)
            timer.start()
            assert tell(world, *events).status_code == 204
            timer.join()
        else:
            answer = tell(world, *events)
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert EMAIL not in answer.text
            assert kinds(world) == []
            lock.rollback()
            assert tell(world, *events).status_code == 204
        lock.close()
        assert len(kinds(world)) == 1_500
