"""Scripts for other processes, and migrations that are made up for a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from newsletter.store.migrate import MIGRATIONS, head_of

ROOT = Path(__file__).parents[2]

_REVISION = '''"""A revision that was made up for a test."""

from alembic import op

revision = "{revision}"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("CREATE TABLE parcel (id INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO parcel VALUES (1)")
    {then}
'''
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


HEAD = head_of(MIGRATIONS)
NEXT = f"{int(HEAD) + 1:04}"


def migrations_with_one_more(folder: Path, then: str = "pass") -> Path:
    """A copy of the migrations, with a revision NEXT that ends with the statement *then*."""
    target = folder / f"migrations-{len(list(folder.iterdir()))}"
    shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns("__pycache__"))
    text = _REVISION.format(revision=NEXT, head=HEAD, then=then)
    (target / "versions" / f"{NEXT}_parcel.py").write_text(text)
    return target


def migrations_up_to(folder: Path, revision: str) -> Path:
    """A copy of the migrations as they were when *revision* was the newest."""
    target = folder / f"migrations-{revision}"
    shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (target / "versions").glob("[0-9]*_*.py"):
        if file.name[:4] > revision:
            file.unlink()
    return target


def script(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Run Python code in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str], *, code: int = 0) -> str:
    """What the process printed; it must end with *code*."""
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stdout + stderr
    return stdout
