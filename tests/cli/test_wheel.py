"""The wheel works outside the repository: install, init, check, render."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def call(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_wheel_lays_out_a_workspace_that_checks_and_renders(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    call(*pip, "wheel", *offline, "--no-build-isolation", "-w", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    call(*pip, "install", *offline, "--target", site, wheel, cwd=tmp_path)

    def newsletter(*arguments: str, cwd: Path) -> str:
        return call(sys.executable, "-m", "newsletter", *arguments, cwd=cwd, PYTHONPATH=str(site))

    newsletter("init", "my-digest", cwd=tmp_path)
    digest = tmp_path / "my-digest"
    assert sorted(path.name for path in digest.iterdir()) == [
        "issues",
        "newsletter.toml",
        "people.txt",
        "subscribers",
        "templates",
        "terms.toml",
    ]
    assert newsletter("check", "--strict", cwd=digest) == ""
    newsletter("render", "2.24", "--to", "out", cwd=digest)
    assert (digest / "out" / "issue.pdf").read_bytes().startswith(b"%PDF-")
    newsletter("publish", "--all", cwd=digest)
    assert "1 edition" in newsletter("site", "build", "--to", "public", cwd=digest)
    assert "active" in newsletter("subscribers", "stats", cwd=digest)  # migrations come along
    newsletter("subscribers", "import", "--consent", "example people, made up", cwd=digest)
    assert (digest / ".newsletter" / "newsletter.db").exists()
    where = call(
        sys.executable,
        "-c",
        "import newsletter; print(newsletter.__file__)",
        cwd=digest,
        PYTHONPATH=str(site),
    )
    assert where.startswith(str(site))
