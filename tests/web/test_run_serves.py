"""`newsletter run` serves the pages from a process of its own, which comes and goes with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.calendar.running import PATIENCE, ROOT, Running, call, plan


def a_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
def port() -> int:
    return a_port()


@pytest.fixture
def workspace(tmp_path: Path, port: int) -> Path:
    """Our newsletter, to be served on a port that is free, and no slot soon."""
    folder = tmp_path / "digest"
    folder.mkdir()
    for part in ("people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    for part in ("templates", "issues"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "newsletter.toml", folder)
    change(folder, "port = 8000", f"port = {port}")
    return folder


Start = Callable[..., Running]


@pytest.fixture
def start(workspace: Path) -> Iterator[Start]:
    running: list[Running] = []

    def begin(*arguments: str) -> Running:
        running.append(Running(workspace, *arguments))
        return running[-1]

    yield begin
    for run in running:
        run.end(signal.SIGKILL)


def change(workspace: Path, before: str, after: str) -> None:
    file = workspace / "newsletter.toml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(json.load(answer)["status"] == "ok")
    except (HTTPError, URLError, OSError):
        return False


def until(found: Callable[[], object], about: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, about()
        time.sleep(0.05)


def descendants(pid: int) -> dict[int, str]:
    """The processes below *pid*, with their command lines."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue  # it has ended meanwhile
        parent = int(stat.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(int(folder.name))
    found: dict[int, str] = {}
    left = [pid]
    while left:
        for child in parents.get(left.pop(), []):
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            left.append(child)
    return found


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def server_of(run: Running) -> int:
    """The process that listens: of multiprocessing's, the one that is a server."""
    found = [pid for pid, line in descendants(run.process.pid).items() if "spawn_main" in line]
    assert len(found) == 1, found
    return found[0]


def test_it_serves_and_ends_in_order_with_nothing_left_behind(workspace, start, port):
    run = start()
    until(lambda: ready(port), lambda: run.lines)
    left = descendants(run.process.pid)
    assert server_of(run) in left
    assert run.end(signal.SIGTERM) == 0
    until(lambda: all(map(is_gone, left)), lambda: left)
    assert not ready(port)
    log = "".join(run.lines)
    assert "Traceback" not in log
    assert '"event": "stopped"' in log


def test_ctrl_c_ends_both_without_a_traceback(workspace, start, port):
    run = start()
    until(lambda: ready(port), lambda: run.lines)
    left = descendants(run.process.pid)
    assert run.end(signal.SIGINT) == 0
    until(lambda: all(map(is_gone, left)), lambda: left)
    assert "Traceback" not in "".join(run.lines)


def test_ended_while_the_server_starts_nothing_is_left_behind(workspace, start, port):
    run = start()
    until(lambda: descendants(run.process.pid), lambda: run.lines)
    left = descendants(run.process.pid)
    run.end(signal.SIGTERM)
    until(lambda: all(map(is_gone, left)), lambda: left)
    assert not ready(port)


def test_a_server_that_is_killed_is_started_again_and_it_is_said(workspace, start, port):
    run = start()
    until(lambda: ready(port), lambda: run.lines)
    first = server_of(run)
    os.kill(first, signal.SIGKILL)
    run.wait_for("the web server ended: by signal 9; it is started again")
    until(lambda: ready(port), lambda: run.lines)
    assert server_of(run) != first
    assert run.end() == 0


def test_a_server_that_hangs_at_the_end_is_killed(workspace, start, port):
    run = start()
    until(lambda: ready(port), lambda: run.lines)
    server = server_of(run)
    os.kill(server, signal.SIGSTOP)
    assert run.end() == 0
    until(lambda: is_gone(server))


def test_killed_it_takes_the_server_along(workspace, start, port):
    run = start()
    until(lambda: ready(port), lambda: run.lines)
    server = server_of(run)
    run.process.send_signal(signal.SIGKILL)
    until(lambda: is_gone(server), lambda: run.lines)
    assert not ready(port)
    run.end()


def test_switched_off_it_serves_nothing(workspace, start, port):
    change(workspace, "[web]\n", "[web]\nin_run = false\n")
    run = start()
    until(lambda: run.lines)
    assert not [line for line in descendants(run.process.pid).values() if "spawn_main" in line]
    assert not ready(port)
    assert run.end() == 0


def test_once_serves_nothing(workspace, port):
    said = call(workspace, "run", "--once")
    assert "serving" not in said
    assert not ready(port)


def test_a_port_that_is_taken_is_said_once_and_slots_go_on(workspace, start, port):
    with socket.create_server(("127.0.0.1", port)):
        plan(workspace, seconds=12)
        change(workspace, "in_run = false", "in_run = true")
        change(workspace, "port = 8000", f"port = {port}")
        run = start()
        said = run.wait_for("the web server ended")
        assert f"127.0.0.1 port {port} cannot be listened on" in said
        assert "web.port" in said
        run.wait_for("skipped, nothing is approved")
    until(lambda: ready(port), lambda: run.lines)  # it is free again
    assert run.end() == 0
    log = "".join(run.lines)
    assert len(re.findall("the web server ended", log)) == 1
    assert "Traceback" not in log
