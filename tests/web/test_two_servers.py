"""Two servers on one database: each answers, and together they send one mail, not two."""

from __future__ import annotations

import email
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
import sqlalchemy as sa

from newsletter.store.engine import Store, open_url
from newsletter.store.tables import notice
from tests.compose.composed import ROOT
from tests.web.serving import PATIENCE, Serving, serving

READERS = [f"reader{number}@example.org" for number in range(8)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "newsletter"
    folder.mkdir()
    for part in ("people.txt", "terms.toml", "newsletter.toml"):
        shutil.copy(ROOT / part, folder)
    for part in ("templates", "issues"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def post(url: str, form: dict[str, str]) -> int:
    request = Request(url, urlencode(form).encode())
    try:
        with urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def mails(workspace: Path) -> list[EmailMessage]:
    found = []
    for path in (workspace / "outbox").glob("test/new/*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def subjects(workspace: Path, word: str) -> list[str]:
    return sorted(str(m["To"]) for m in mails(workspace) if str(m["Subject"]).startswith(word))


def link(workspace: Path, reader: str) -> str:
    (message,) = (
        m
        for m in mails(workspace)
        if reader in str(m["To"]) and str(m["Subject"]).startswith("Please")
    )
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/]+(/confirm/\S+)", body.get_content())
    assert found is not None
    return found[1]


def test_one_sign_up_gives_one_mail_whichever_server_takes_it(workspace: Path, database_url: str):
    with (
        serving(workspace, NEWSLETTER_DATABASE_URL=database_url) as first,
        serving(workspace, NEWSLETTER_DATABASE_URL=database_url) as second,
    ):
        servers: list[Serving] = [first, second]
        asked = [(server.url, reader) for reader in READERS for server in servers]
        with ThreadPoolExecutor(8) as pool:
            codes = list(
                pool.map(lambda one: post(f"{one[0]}/subscribe/", {"email": one[1]}), asked)
            )
        assert set(codes) == {200}  # as the browser sees it: the page after the redirect
        until(lambda: len(subjects(workspace, "Please")) >= len(READERS))
        confirmed = [
            (server.url, link(workspace, reader)) for reader in READERS for server in servers
        ]
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda one: post(one[0] + one[1], {}), confirmed))
        assert set(codes) == {200}
        until(lambda: len(subjects(workspace, "Welcome")) >= len(READERS))
        with open_url(database_url) as store:
            until(lambda: _waiting(store) == 0)
    for word in ("Please", "Welcome"):
        found = subjects(workspace, word)
        assert len(found) == len(set(found)) == len(READERS), word
    for server in servers:
        assert server.process.returncode == 0
        assert "chore failed" not in server.log
        assert '"status": 5' not in server.log


def _waiting(store: Store) -> int:
    with store.read() as conn:
        query = sa.select(sa.func.count()).where(notice.c.ended_at.is_(None))
        return int(conn.scalar(query) or 0)
