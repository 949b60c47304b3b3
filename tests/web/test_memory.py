"""The server does not grow with what it answers: archive, forms, links that were made up."""

from __future__ import annotations

import http.client
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.compose.composed import ROOT
from tests.web.serving import PATIENCE, Serving, serving

REQUESTS = 1_500
PATHS = (
    "/",
    "/archive/?q=harbor",
    "/subscribe/",
    "/feed.atom",
    "/nothing-{}",
    "/confirm/made-up-{}",
    "/unsubscribe/made-up-{}",
    "/archive/?q=word{}",
    "/readyz",
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "newsletter"
    folder.mkdir()
    for part in ("people.txt", "terms.toml", "newsletter.toml"):
        shutil.copy(ROOT / part, folder)
    shutil.copytree(ROOT / "templates", folder / "templates")
    return folder


def memory(server: Serving) -> int:
    """MB that the process holds."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


def ask_many(server: Serving, first: int) -> None:
    client = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    for number in range(first, first + REQUESTS):
        path = PATHS[number % len(PATHS)].format(number)
        client.request("GET", path, headers={"user-agent": "Mozilla/5.0"})
        answer = client.getresponse()
        answer.read()
        assert answer.status in (200, 404, 410), path
    client.close()


def test_memory_stays_flat_over_thousands_of_requests(workspace: Path):
    with serving(workspace) as server:
        ask_many(server, 0)
        before = memory(server)
        ask_many(server, REQUESTS)
        ask_many(server, 2 * REQUESTS)
        assert memory(server) - before < 10
        assert memory(server) < 200
