"""A workspace with people on its list, and `newsletter run` in it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.calendar.running import ROOT, Running, call


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "digest"
    folder.mkdir()
    for part in ("newsletter.toml", "people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    for part in ("issues", "templates", "subscribers"):
        shutil.copytree(ROOT / part, folder / part)
    call(folder, "subscribers", "import", "--consent", "example people, made up")
    return folder


Start = Callable[..., Running]


@pytest.fixture
def start(workspace: Path) -> Iterator[Start]:
    running: list[Running] = []

    def begin(*arguments: str) -> Running:
        running.append(Running(workspace, *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.end(signal.SIGKILL)
