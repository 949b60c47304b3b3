"""Health: alive, ready, and numbers that a monitor can read, which tell nothing of anybody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from newsletter.audience import api_keys
from newsletter.audience.api_keys import Scope
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import campaign
from tests.databases import PostgresServer
from tests.web.lives import EMAIL, sign_up
from tests.web.webhooks import an_event, hooked, send_campaign, tell
from tests.web.worlds import NOW, World, served


def numbers(world: World, **headers: str) -> dict[str, float]:
    """The samples of /metrics, by name and labels."""
    answer = world.client.get("/metrics", headers=headers or key_of(world))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        " ".join([sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def key_of(world: World, scope: Scope = Scope.METRICS) -> dict[str, str]:
    with world.store.begin() as conn:
        name = f"key {scope} {len(api_keys.list_keys(conn))}"
        key = api_keys.create(conn, name, [scope], now=NOW, actor="operator")
    return {"authorization": f"Bearer {key}"}


def ready(world: World) -> tuple[int, object]:
    answer = world.client.get("/readyz")
    return answer.status_code, answer.json()


def test_it_is_alive_whatever_else_is_gone(world: World):
    assert world.client.get("/healthz").json() == {"status": "ok"}
    world.store.close()
    assert world.client.get("/healthz").status_code == 200
    assert world.client.head("/healthz").status_code == 200


def test_it_is_ready_where_database_and_pages_are_there(world: World):
    assert ready(world) == (200, {"status": "ok", "editions_left_out": 0})


def test_an_edition_that_was_altered_is_left_out_and_counted(world: World):
    found = world.context.site.current.editions[0]
    folder = world.context.workspace.root / ".newsletter" / "editions" / found.edition_hash
    (folder / "web.html").write_text("<p>another")
    fresh = type(world.context.site)(world.context.workspace, world.store)
    fresh.refresh()
    assert len(fresh.problems) == 1
    assert not fresh.refresh(again=False)
    assert not fresh.refresh(again=True)  # tried, and it is as it was
    object.__setattr__(world.context, "site", fresh)
    assert ready(world) == (200, {"status": "ok", "editions_left_out": 1})


def test_without_its_file_it_is_not_ready(tmp_path: Path):
    path = tmp_path / "newsletter.db"
    with open_url(f"sqlite:///{path}") as store, served(store, tmp_path / "newsletter") as site:
        assert ready(site)[0] == 200
        path.unlink()
        assert ready(site) == (503, {"status": "the database does not answer"})


def test_without_its_server_it_is_not_ready_and_pages_say_so(
    postgres: PostgresServer, tmp_path: Path
):
    name = postgres.create()
    with (
        open_url(postgres.url(name)) as store,
        served(store, tmp_path / "newsletter", "2.20") as site,
    ):
        reader = site.reader()
        headers = key_of(site)
        assert ready(site)[0] == 200
        postgres.drop(name)
        assert ready(site)[0] == 503
        assert site.client.get("/vol-2-20/").status_code == 200  # from memory
        for path in (site.preferences_path(reader), site.unsubscribe_path(reader)):
            answer = site.client.post(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
            assert "Not just now" in answer.text
        assert site.client.post("/subscribe/", data={"email": EMAIL}).status_code == 503
        assert site.client.get("/metrics", headers=headers).status_code == 503


def test_numbers_are_for_who_has_their_key(world: World):
    assert world.client.get("/metrics").status_code == 401
    assert world.client.get("/metrics", headers=key_of(world, Scope.STATUS)).status_code == 403
    assert numbers(world)["newsletter_database_up"] == 1


def test_last_success_next_slot_queue_and_events_are_told(store: Store, tmp_path: Path):
    planned = {"first": NOW.date()}
    with hooked(store, tmp_path / "newsletter", schedule=planned) as site:
        before = numbers(site)
        assert "newsletter_last_success_timestamp_seconds" not in before
        assert "newsletter_last_event_timestamp_seconds" not in before
        assert before["newsletter_next_slot_timestamp_seconds"] > NOW.timestamp()
        assert before["newsletter_notices_waiting"] == 0
        person = site.reader()
        send_campaign(site, [person], DeliveryStatus.ACCEPTED)
        assert tell(site, an_event(site, person, "delivered")).status_code == 204
        assert tell(site, an_event(site, person, "delivered")).status_code == 204
        assert site.client.post("/webhooks/sendgrid").status_code == 403
        sign_up(site, "robin@example.org")
        site.pass_time(timedelta(minutes=10))
        with site.store.begin() as conn:
            conn.execute(sa.insert(campaign), {**_row(), "id": 2, "state": "sending"})
            conn.execute(
                sa.insert(campaign), {**_row(), "id": 3, "state": "paused", "audience": "vip"}
            )
        after = numbers(site)
    assert after["newsletter_last_success_timestamp_seconds"] == NOW.timestamp()
    assert after["newsletter_last_event_timestamp_seconds"] == NOW.timestamp()
    assert after["newsletter_notices_waiting"] == 1
    assert after["newsletter_notices_oldest_seconds"] == 600
    assert after["newsletter_campaigns_sending"] == 1
    assert after["newsletter_campaigns_paused"] == 1
    told = {what: after[f"newsletter_webhook_events_total what={what}"] for what in _WHAT}
    assert told == {"new": 1, "known": 1, "refused": 1}
    assert after["newsletter_sign_ups_total what=taken"] == 1


_WHAT = ("new", "known", "refused")


def _row() -> dict[str, object]:
    return {
        "number": "2.21",
        "audience": "",
        "edition_hash": "00",
        "transport": "outbox",
        "mailing": "{}",
        "intended": 0,
        "created_at": NOW,
        "created_by": "operator",
        "updated_at": NOW,
    }


def test_numbers_hold_no_address_token_or_path(world: World):
    reader = world.reader()
    secrets = [
        EMAIL,
        "192.0.2.7",
        world.preferences_path(reader).rpartition("/")[2],
        "private-path",
    ]
    world.client.get(world.preferences_path(reader))
    world.client.get("/private-path")
    world.client.request("X-PRIVATE", "/")
    text = world.client.get("/metrics", headers=key_of(world)).text
    for secret in (*secrets, "PRIVATE"):
        assert secret not in text


def test_without_a_schedule_there_is_no_next_slot(sqlite_store: Store, tmp_path: Path):
    none = {"first": None, "days": (), "extra": ()}
    with served(sqlite_store, tmp_path / "newsletter", schedule=none) as site:
        found = numbers(site)
    assert "newsletter_next_slot_timestamp_seconds" not in found
    assert found["newsletter_database_up"] == 1
