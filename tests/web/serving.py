"""`newsletter serve` as a process, in a workspace of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0  # seconds for anything to happen


class Serving:
    """A server that goes on beside the test; *url* has no slash at its end."""

    def __init__(self, workspace: Path, *arguments: str, **variables: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "serve", "--port", "0", *arguments],
            cwd=workspace,
            env={**os.environ, **variables},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(iter(self.process.stderr.readline, ""))

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(r"^serving (http://\S+)/$", self.log, re.MULTILINE):
                return found[1]
            time.sleep(0.02)
        raise AssertionError(self.log)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextmanager
def serving(workspace: Path, **variables: str) -> Iterator[Serving]:
    server = Serving(workspace, **variables)
    try:
        yield server
    finally:
        server.end()
