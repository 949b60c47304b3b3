"""Run the real command line in a workspace of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from people_on_the_list import Add, PerDay

from newsletter.audience import subscribers
from newsletter.audience.model import Consent, ConsentKind
from newsletter.config import open_workspace
from newsletter.store.engine import open_store

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A copy of the repository's own newsletter."""
    folder = tmp_path / "digest"
    folder.mkdir()
    for part in ("newsletter.toml", "people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    for part in ("issues", "templates", "subscribers"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


@pytest.fixture
def run(workspace: Path) -> Run:
    """Call `newsletter …` in the workspace, as a process; stdout and stderr are text."""

    def call(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        settings: dict[str, object] = {"cwd": workspace, "timeout": 60, **options}
        return subprocess.run(
            [sys.executable, "-m", "newsletter", *arguments],
            capture_output=True,
            text=True,
            check=False,
            **settings,  # type: ignore[call-overload]
        )

    return call


@pytest.fixture
def add(workspace: Path) -> Add:
    def call(*names: str, tag: str | None = None) -> None:
        now = datetime.now(UTC)
        given = Consent(kind=ConsentKind.ADDED, wording="asked by phone", at=now)
        with open_store(open_workspace(workspace)) as store, store.begin() as conn:
            for name in names:
                subscribers.add(
                    conn,
                    f"{name}@example.org",
                    tags=[tag] if tag else [],
                    consent=given,
                    source="test",
                    actor="operator",
                    now=now,
                )

    return call


@pytest.fixture
def per_day(workspace: Path) -> PerDay:
    file = workspace / "newsletter.toml"
    before = file.read_text(encoding="utf-8")

    def call(limit: int | None) -> None:
        rates = "" if limit is None else f"\n[rates]\nper_day = {limit}\n"
        file.write_text(before + rates, encoding="utf-8")

    return call
