"""`newsletter run` as a process with a real clock, in a workspace of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("America/New_York")
PATIENCE = 60.0  # seconds for anything to happen


class Running:
    """A `newsletter run` that goes on beside the test."""

    def __init__(self, workspace: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "run", *arguments],
            cwd=workspace,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait_for(self, words: str) -> str:
        """Wait for a line with *words*."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if words in line:
                    return line
            time.sleep(0.05)
        raise AssertionError(f"no “{words}” in:\n{''.join(self.lines)}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ctrl-C goes to the whole group, as from a terminal; other signals to the process."""
        if self.process.poll() is None and number == signal.SIGINT:
            os.killpg(self.process.pid, number)
        elif self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def call(workspace: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", *arguments],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def plan(workspace: Path, *, seconds: float, hold: int = 0, rates: str = "") -> datetime:
    """Put a slot so many seconds ahead, the next one 14 days later at the same wall time."""
    slot = (datetime.now(ZONE) + timedelta(seconds=seconds)).replace(microsecond=0)
    after = (slot + timedelta(days=14)).replace(tzinfo=None)
    file = workspace / "newsletter.toml"
    text = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
    schedule = (
        f"[schedule]\nextra = [{slot:%Y-%m-%dT%H:%M:%S}, {after.isoformat()}]\n"
        f'hold = {hold}\ntimezone = "America/New_York"\n\n'
    )
    text = re.sub(r"(?ms)^\[schedule\]$.*?(?=^\[review\]$)", schedule, text)
    text += f'\n[delivery]\nalert = ["desk@example.org"]\n\n[rates]\n{rates}\n'
    text = text.replace("[web]\n", "[web]\nin_run = false\n")  # tests run side by side
    file.write_text(text, encoding="utf-8")
    return slot
