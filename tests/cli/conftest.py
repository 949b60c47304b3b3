"""Run the real command line in a workspace of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
