"""Scripts for other processes, and migrations that are made up for a test."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from newsletter.store.migrate import MIGRATIONS

ROOT = Path(__file__).parents[2]

_REVISION = '''"""A revision that was made up for a test."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE parcel (id INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO parcel VALUES (1)")
    {then}
'''
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def migrations_with_a_second(folder: Path, then: str = "pass") -> Path:
    """A copy of the migrations, with a revision 0002 that ends with the statement *then*."""
    target = folder / f"migrations-{len(list(folder.iterdir()))}"
    shutil.copytree(MIGRATIONS, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "versions" / "0002_parcel.py").write_text(_REVISION.format(then=then))
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
