"""The server as a process: from the sign-up to the last mail, logs, signals, restarts."""

from __future__ import annotations

import email
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest

from tests.compose.composed import ROOT
from tests.web.serving import PATIENCE, Serving, serving

READER = "alex@example.org"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Our newsletter, whose mail goes into an outbox."""
    folder = tmp_path / "newsletter"
    folder.mkdir()
    for part in ("people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder)
    for part in ("templates", "issues"):
        shutil.copytree(ROOT / part, folder / part)
    text = (ROOT / "newsletter.toml").read_text("utf-8")
    with socket.create_server(("127.0.0.1", 0)) as found:
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    text = text.replace("https://digest.example.org", url)
    (folder / "newsletter.toml").write_text(text, "utf-8")
    return folder


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def ask(url: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str]:
    data = None if form is None else urlencode(form).encode()
    request = Request(url, data, headers)
    try:
        with build_opener(_Stay).open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def until(found: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def mails(workspace: Path) -> dict[str, EmailMessage]:
    """What lies in the outbox, by the first word of its subject."""
    found = {}
    for path in sorted((workspace / "outbox").glob("test/new/*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found[str(message["Subject"]).partition(" ")[0]] = message
    return found


def links(message: EmailMessage) -> list[str]:
    body = message.get_body(("plain",))
    assert body is not None
    return re.findall(r"https?://[^\s>)]+", body.get_content())


def local(server: Serving, url: str) -> str:
    """The same page at the port that the server has."""
    return re.sub(r"^http://127\.0\.0\.1:\d+", server.url, url)


def test_a_reader_comes_reads_and_leaves_with_nothing_but_links(workspace: Path):
    with serving(workspace) as server:
        assert ask(f"{server.url}/subscribe/", {"email": READER, "name": "Alex"})[0] == 303
        until(lambda: "Please" in mails(workspace))
        confirm = next(url for url in links(mails(workspace)["Please"]) if "/confirm/" in url)
        status, page = ask(local(server, confirm))
        assert status == 200
        assert "Yes, subscribe me" in page
        status, page = ask(local(server, confirm), {})
        assert status == 200
        assert "You are on the list" in page
        until(lambda: "Welcome" in mails(workspace))
        welcome = mails(workspace)["Welcome"]
        preferences = next(url for url in links(welcome) if "/preferences/" in url)
        status, page = ask(local(server, preferences))
        assert status == 200
        assert READER in page
        leave = str(welcome["List-Unsubscribe"]).strip("<>")
        assert welcome["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert ask(local(server, leave), {"List-Unsubscribe": "One-Click"})[0] == 200
        assert "you left" in ask(local(server, preferences))[1]
    assert server.process.returncode == 0


def test_logs_hold_no_address_no_token_and_no_network_address(workspace: Path):
    with serving(workspace) as server:
        ask(f"{server.url}/subscribe/", {"email": READER})
        until(lambda: "Please" in mails(workspace))
        confirm = next(url for url in links(mails(workspace)["Please"]) if "/confirm/" in url)
        ask(local(server, confirm), {})
        ask(f"{server.url}/unsubscribe/made-up-token")
    token = confirm.rpartition("/")[2]
    entries = [json.loads(line) for line in server.lines if line.startswith("{")]
    assert {entry["event"] for entry in entries} >= {"serving", "request", "stopped"}
    assert any(entry.get("route") == "/confirm/{token}" for entry in entries)
    requests = "".join(json.dumps(entry) for entry in entries if entry["event"] == "request")
    for secret in (READER, "alex", token, "made-up-token", "127.0.0.1"):
        assert secret not in requests
    assert READER not in server.log
    assert token not in server.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(workspace: Path, number: signal.Signals):
    server = Serving(workspace)
    assert server.url
    assert server.end(number) == 0
    assert "Traceback" not in server.log
    assert '"event": "stopped"' in server.log


def test_a_port_that_is_taken_is_named(workspace: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Serving(workspace, "--port", str(port))
        assert server.process.wait(PATIENCE) == 2
        server.end()
    assert f"127.0.0.1 port {port} cannot be listened on" in server.log
    assert "web.port" in server.log


def test_what_waited_when_it_was_killed_is_sent_by_the_next(workspace: Path):
    server = Serving(workspace)
    assert ask(f"{server.url}/subscribe/", {"email": READER})[0] == 303
    server.end(signal.SIGKILL)
    already = "Please" in mails(workspace)
    with serving(workspace):
        if not already:
            until(lambda: "Please" in mails(workspace))
    assert len(list((workspace / "outbox").glob("test/new/*.eml"))) == 1


def test_health_and_readiness_are_told(workspace: Path):
    with serving(workspace) as server:
        assert ask(f"{server.url}/healthz") == (200, '{"status":"ok"}')
        status, text = ask(f"{server.url}/readyz")
        assert (status, json.loads(text)["status"]) == (200, "ok")


def test_requests_are_answered_though_nobody_reads_the_log_any_more(workspace: Path):
    command = [sys.executable, "-m", "newsletter", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=workspace, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        url = next(line.split()[1] for line in lines if line.startswith("serving "))
        process.stderr.close()
        for path in ("subscribe/", "unsubscribe/made-up", "nothing", "healthz"):
            assert ask(url + path)[0] in (200, 404)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
