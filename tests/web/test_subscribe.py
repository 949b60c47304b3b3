"""Sign-up: asked by anybody, decided by the mailbox; the same answer whoever is asked about."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Status
from newsletter.store.engine import Store
from newsletter.store.tables import consent, notice, subscriber
from newsletter.web.proof_of_work import WAIT
from newsletter.web.routes.subscribe import QUANTUM, SENT
from tests.web.worlds import WRITES, World, served, text_of

EMAIL = "alex@example.org"


def sign_up(world: World, email: str = EMAIL, **fields: str):  # type: ignore[no-untyped-def]
    return world.client.post("/subscribe/", data={"email": email, **fields})


def notices(world: World) -> list[tuple[str, str]]:
    """Whom a notice waits for, and which."""
    query = (
        sa.select(subscriber.c.email, notice.c.kind)
        .join(subscriber, subscriber.c.id == notice.c.subscriber_id)
        .where(notice.c.ended_at.is_(None))
        .order_by(notice.c.id)
    )
    with world.store.read() as conn:
        return [tuple(row) for row in conn.execute(query)]


def test_who_signs_up_is_pending_and_gets_one_mail_to_confirm(world: World):
    answer = sign_up(world, name="Alex Example")
    assert (answer.status_code, answer.headers["location"]) == (303, SENT)
    assert "Check your mail" in text_of(world.client.get(SENT).text)
    assert world.status() is Status.PENDING
    assert notices(world) == [(EMAIL, "confirm")]


def test_the_consent_says_what_when_where_and_from_which_address(world: World):
    sign_up(world)
    with world.store.read() as conn:
        row = conn.execute(sa.select(consent)).one()
    assert row.wording == world.context.config.consent_wording
    assert row.wording in world.client.get("/subscribe/").text.replace("&#34;", '"')
    assert (row.kind, row.at, row.ip) == ("requested", world.at, "192.0.2.7")
    assert row.page == "https://digest.example.org/subscribe/"


def test_the_form_can_be_sent_in_both_encodings(world: World):
    files = {"email": (None, EMAIL), "name": (None, "Zoë")}
    assert world.client.post("/subscribe/", files=files).status_code == 303
    found = world.person(EMAIL)
    assert found is not None
    assert found.name == "Zoë"


@pytest.mark.parametrize("state", ["new", "pending", "active", "paused", "left", "complained"])
def test_answer_and_page_are_the_same_whoever_is_asked_about(world: World, state: str):
    if state == "pending":
        sign_up(world)
    elif state != "new":
        person = world.reader()
        with world.store.begin() as conn:
            if state == "paused":
                subscribers.pause(conn, person.id, **WRITES)
            elif state == "left":
                subscribers.unsubscribe(conn, person.id, source="page", **WRITES)
            elif state == "complained":
                subscribers.suppress(conn, EMAIL, reason=Reason.COMPLAINED, source="test", **WRITES)
    before = world.status()
    world.pass_time(timedelta(minutes=5))
    started = time.monotonic()
    answer = sign_up(world)
    took = time.monotonic() - started
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, SENT, b"")
    assert took >= QUANTUM
    if state not in ("new", "pending"):
        assert world.status() is before
    kinds = {kind for _, kind in notices(world)}
    expected = {
        "new": {"confirm"},
        "pending": {"confirm"},
        "active": {"known"},
        "paused": {"known"},
        "left": {"confirm"},
        "complained": set(),
    }
    assert kinds == expected[state]


def test_a_mailbox_is_not_flooded_however_often_it_is_asked_for(world: World):
    for number in range(30):
        world.context.sign_ups._counts.clear()  # as if each came from another network
        sign_up(world, EMAIL if number % 2 else "ALEX@Example.org")
    assert len(notices(world)) == 1
    with world.store.begin() as conn:  # it has left
        conn.execute(sa.update(notice).values(ended_at=world.at, outcome="accepted"))
    world.context.sign_ups._counts.clear()
    sign_up(world)
    assert notices(world) == []
    world.pass_time(timedelta(hours=world.context.config.subscribe.per_address_hours, seconds=1))
    world.context.sign_ups._counts.clear()
    sign_up(world)
    assert len(notices(world)) == 1


def test_one_network_may_ask_so_often_and_no_more(world: World):
    allowed = world.context.config.subscribe.per_ip_per_hour
    answers = [sign_up(world, f"reader{n}@example.org").status_code for n in range(allowed + 2)]
    assert answers == [303] * allowed + [429] * 2
    assert world.person(f"reader{allowed}@example.org") is None


def test_what_only_a_machine_fills_in_is_answered_alike_and_thrown_away(world: World):
    answer = sign_up(world, website="https://spam.example.com")
    assert (answer.status_code, answer.headers["location"]) == (303, SENT)
    assert world.person(EMAIL) is None


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("", ""),
        ("alex", ""),
        ("alex@localhost", ""),
        ("alex@example.org, eve@example.org", ""),
        ("alex@example.org\r\nBcc: eve@example.org", ""),
        (EMAIL, "Alex\r\nBcc: eve@example.org"),
        (EMAIL, "x" * 201),
        ("a" * 400 + "@example.org", ""),
    ],
)
def test_what_cannot_be_used_is_said_and_the_form_keeps_the_rest(
    world: World, email: str, name: str
):
    answer = sign_up(world, email, name=name)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    with world.store.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(subscriber)) == 0


def test_markup_in_the_form_comes_back_as_text(world: World):
    answer = sign_up(world, '"><script>alert(1)</script>', name="<b>Alex</b>")
    assert "<script>alert" not in answer.text
    assert "<b>Alex" not in answer.text


def test_a_form_that_is_too_large_or_malformed_is_refused(world: World):
    assert sign_up(world, name="x" * 20_000).status_code == 413
    assert sign_up(world, name="x" * 6_000).status_code in (400, 422)
    head = {"content-type": "multipart/form-data; boundary=x"}
    assert world.client.post("/subscribe/", content=b"--y\r\n", headers=head).status_code in (
        400,
        422,
    )
    many = {f"field{number}": "x" for number in range(50)}
    assert world.client.post("/subscribe/", data=many).status_code == 400
    assert world.client.post("/subscribe/", json={"email": EMAIL}).status_code == 422


def test_a_file_instead_of_a_field_is_refused(world: World):
    assert world.client.post("/subscribe/", files={"email": b"x"}).status_code in (400, 422)


def test_closed_sign_up_takes_nobody_and_says_so(sqlite_store: Store, tmp_path: Path):
    with served(sqlite_store, tmp_path / "newsletter", subscribe={"open": False}) as site:
        assert sign_up(site).status_code == 403
        assert site.person(EMAIL) is None
        assert "<form" not in site.client.get("/").text


class TestProofOfWork:
    """Where newsletter.toml asks for it."""

    @pytest.fixture
    def guarded(self, sqlite_store: Store, tmp_path: Path) -> Iterator[World]:
        keys = {"proof_of_work": 4}
        with served(sqlite_store, tmp_path / "newsletter", subscribe=keys) as site:
            yield site

    def challenge(self, page: str) -> str:
        return page.partition('name="challenge" value="')[2].partition('"')[0]

    def test_a_form_without_it_leads_to_the_page_that_does_it(self, guarded: World):
        answer = sign_up(guarded)
        assert answer.status_code == 200
        assert 'src="/proof-of-work.js"' in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert guarded.person(EMAIL) is None
        script = guarded.client.get("/proof-of-work.js")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"

    def test_work_that_was_done_is_taken_once(self, guarded: World):
        from tests.web.test_proof_of_work import solution_of

        challenge = self.challenge(sign_up(guarded).text)
        work = {"challenge": challenge, "solution": solution_of(challenge, 4)}
        assert sign_up(guarded, **work).status_code == 303
        assert guarded.status() is Status.PENDING
        assert sign_up(guarded, "other@example.org", **work).status_code == 200
        assert guarded.person("other@example.org") is None

    def test_without_javascript_who_waits_is_taken(self, guarded: World):
        challenge = self.challenge(sign_up(guarded).text)
        early = sign_up(guarded, challenge=challenge)
        assert early.status_code == 200
        assert self.challenge(early.text) == challenge
        guarded.pass_time(timedelta(seconds=WAIT))
        assert sign_up(guarded, challenge=challenge).status_code == 303
        assert guarded.status() is Status.PENDING
