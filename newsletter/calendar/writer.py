"""Find out who wrote the last change of an issue: git knows, if anybody does.

Where somebody may not approve what they have written themselves, this is who that is.
Refuses to guess: an issue that is not committed as it stands has no known writer.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PATIENCE = 10.0  # seconds


def writer_of(folder: Path) -> tuple[str, ...]:
    """Return e-mail address and name of the author of the last commit in *folder*; () if unknown.

    Unknown where there is no git, no commit, or something that is not committed.
    """
    uncommitted = _git(folder, "status", "--porcelain", "--", ".")
    if uncommitted is None or uncommitted.strip():
        return ()
    last = _git(folder, "log", "-1", "--format=%ae%n%an", "--", ".")
    return tuple(filter(None, (last or "").splitlines()))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, None where it cannot tell. It runs nothing of the repository's own."""
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, timeout=_PATIENCE, check=False, env=environment
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
