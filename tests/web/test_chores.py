"""What the server does besides answering: said once where it fails, tried again, ended in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.errors import StorageError
from newsletter.store.engine import Store
from newsletter.store.tables import notice
from newsletter.web import chores
from newsletter.web.chores import Chores
from newsletter.web.logs import configure
from newsletter.web.notice_post import NoticePost
from tests.web.lives import EMAIL, sign_up, waiting
from tests.web.worlds import World, publish, served

PATIENCE = 30.0  # seconds


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(chores, "_ROUND", 0.02)
    monkeypatch.setattr(chores, "_SITE_EVERY", 0.02)
    monkeypatch.setattr(chores, "_VIEWS_EVERY", 0.02)
    with served(sqlite_store, tmp_path / "newsletter", "2.19", "2.20", raises=False) as made:
        yield made


@pytest.fixture
def working(site: World) -> Iterator[Chores]:
    found = Chores(site.context)
    found.start()
    yield found
    found.stop()


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line[:1] == "{"]


def break_edition(site: World, number: str) -> Path:
    (edition,) = [one for one in site.context.site.current.editions if str(one.number) == number]
    page = site.context.workspace.root / ".newsletter/editions" / edition.edition_hash / "web.html"
    page.write_bytes(page.read_bytes() + b"<!-- altered -->")
    return page


def test_notices_leave_and_editions_come_by_themselves(site: World, working: Chores):
    sign_up(site)
    publish(site.store, site.context.workspace, "2.21")
    until(lambda: waiting(site) == [])
    until(lambda: site.client.get("/vol-2-21/").status_code == 200)
    (letter,) = (site.context.workspace.root / "outbox").glob("test/new/*.eml")
    assert EMAIL in letter.read_text("utf-8")


def test_a_broken_edition_is_tried_again_every_minute_and_not_in_every_round(site: World):
    break_edition(site, "2.19")
    site.context.site._site = None  # as in a server that starts
    site.context.site._of = None
    assert site.context.site.refresh()
    before = site.context.site.current
    assert len(before.problems) == 1
    assert EMAIL not in before.problems[0]
    assert not site.context.site.refresh(again=False)
    assert site.context.site.current is before


def test_a_mended_edition_is_there_again(site: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chores, "_LEFT_OUT_EVERY", 0.1)
    page = break_edition(site, "2.19")
    site.context.site._site = None
    site.context.site._of = None
    site.context.site.refresh()
    assert site.client.get("/vol-2-19/").status_code == 404
    page.write_bytes(page.read_bytes().removesuffix(b"<!-- altered -->"))
    working = Chores(site.context)
    working.start()
    try:
        until(lambda: site.client.get("/vol-2-19/").status_code == 200)
    finally:
        working.stop()


def test_what_fails_is_said_once_without_the_address_and_again_when_it_works(
    site: World, capsys: pytest.CaptureFixture[str]
):
    configure()
    sign_up(site, "secret.reader@example.org")
    template = site.context.workspace.root / "templates/notices"
    away = template.rename(template.with_name("away"))
    working = Chores(site.context)
    working.start()
    try:
        until(lambda: "notices" in working._failing)
        seen = entries(capsys)
        _forget_pauses(site)
        until(lambda: _attempts(site) >= 2)
        away.rename(template)
        _forget_pauses(site)
        until(lambda: waiting(site) == [])
        until(lambda: "notices" not in working._failing)
    finally:
        working.stop()
    seen += entries(capsys)
    failed = [entry for entry in seen if entry["event"] == "chore failed"]
    assert [entry["chore"] for entry in failed] == ["notices"]
    assert [entry["chore"] for entry in seen if entry["event"] == "chore works again"] == [
        "notices"
    ]
    assert "secret.reader" not in str(seen)


def _forget_pauses(site: World) -> None:
    with site.store.begin() as conn:
        conn.execute(sa.update(notice).values(not_before=site.at))


def _attempts(site: World) -> int:
    with site.store.read() as conn:
        return int(conn.scalar(sa.select(sa.func.max(notice.c.attempts))) or 0)


def test_what_was_counted_is_written_at_the_end(site: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(chores, "_VIEWS_EVERY", 1e9)
    working = Chores(site.context)
    working.start()
    until(working._thread.is_alive)
    site.client.get("/vol-2-20/")
    working.stop()
    with site.store.read() as conn:
        assert conn.scalar(sa.text("SELECT sum(count) FROM view")) == 1


def test_many_notices_do_not_hold_up_the_end(site: World):
    for number in range(20):
        site.context.sign_ups._counts.clear()
        sign_up(site, f"reader{number}@example.org")
    working = Chores(site.context)
    working._stop.set()
    NoticePost(site.context).send_due(is_over=working._stop.is_set)
    assert 0 < len(waiting(site)) < 20  # one round of a few, and no more


def test_with_broken_templates_errors_are_told_in_plain_words(site: World):
    folder = site.context.workspace.root / "templates/site"
    for name in ("subscribe.html.j2", "error.html.j2"):
        (folder / name).write_text("{% broken", "utf-8")
    answer = site.client.get("/subscribe/")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Not just now" in answer.text
    assert "broken" not in answer.text
    assert str(folder) not in answer.text
    assert site.client.get("/nothing").status_code == 404
    assert site.client.get("/vol-2-20/").status_code == 200
    person = site.reader()
    assert site.client.post(site.unsubscribe_path(person)).status_code == 200


def test_leaving_counts_even_where_its_page_cannot_be_shown(site: World):
    person = site.reader()
    folder = site.context.workspace.root / "templates/site"
    (folder / "left.html.j2").write_text("{% broken", "utf-8")
    assert site.client.post(site.unsubscribe_path(person)).status_code in (200, 503)
    assert site.status() == "unsubscribed"


def test_without_pages_it_says_what_to_do(site: World):
    site.context.site._site = None
    with pytest.raises(StorageError, match="not made yet"):
        _ = site.context.site.current
    assert site.client.get("/readyz").status_code == 503
    assert site.client.get("/").status_code == 503
