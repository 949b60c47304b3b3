"""The server inside `newsletter run`: a process of its own, started again when it dies.

So nothing that the web does can make a slot late, and the other way round. Leaves no
process behind: one that hangs at the end is killed, and one whose parent is gone ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from newsletter.config import Workspace
from newsletter.errors import NewsletterError

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds before it is started again
_SOUND = 60.0  # seconds: one that lives so long is not failing at its start
_PATIENCE = 20.0  # seconds that it has at the end


@contextmanager
def serving(workspace: Workspace, *, say: Callable[[str], object]) -> Iterator[None]:
    """Keep a server running while the block runs. *say* takes what goes wrong, once each."""
    keeper = _Keeper(workspace, say)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Starts and waits in its own thread; `stop` may be called from any other."""

    def __init__(self, workspace: Workspace, say: Callable[[str], object]) -> None:
        super().__init__(name="web server", daemon=True)
        self._workspace, self._say = workspace, say
        self._is_over = threading.Event()
        self._starting = threading.Lock()
        self._process: SpawnProcess | None = None

    def run(self) -> None:
        pause, said = _FIRST_PAUSE, ""
        while not self._is_over.is_set():
            began = time.monotonic()
            problem = self._serve_once()
            if self._is_over.is_set():
                return
            if time.monotonic() - began >= _SOUND:
                pause, said = _FIRST_PAUSE, ""
            if problem != said:
                said = problem
                self._say(f"the web server ended: {problem}; it is started again")
            self._is_over.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def stop(self) -> None:
        """End it in order, or else by force; returns when it is gone."""
        self._is_over.set()
        with self._starting:  # from here on none is started
            process = self._process
        if process is not None:
            process.terminate()
        self.join(_PATIENCE)
        if process is not None and self.is_alive():
            process.kill()
            self.join()

    def _serve_once(self) -> str:
        """Start a server and wait for its end; say how it ended."""
        context = get_context("spawn")
        answer, given = context.Pipe(duplex=False)
        with answer:
            with given, self._starting:
                if self._is_over.is_set():
                    return ""
                process = context.Process(target=_serve, args=(self._workspace, given), daemon=True)
                try:
                    process.start()
                except OSError as error:  # no memory, too many processes
                    return f"it cannot be started: {error.strerror}"
                self._process = process
            # Only this thread waits for it: two that do take its exit code from one another.
            process.join()
            with suppress(EOFError, OSError):  # it was killed, and said nothing
                return str(answer.recv())
        code = process.exitcode or 0
        return f"by signal {-code}" if code < 0 else f"with code {code}"


def _serve(workspace: Workspace, answer: Connection) -> None:
    from newsletter.store.engine import open_store
    from newsletter.web.server import serve

    os.setsid()  # Ctrl-C in a terminal is for the parent, which ends this in order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with open_store(workspace) as store:
            serve(workspace, store)
    except NewsletterError as error:
        with suppress(OSError):  # nobody is left to tell
            answer.send(error.message + (f" ({error.hint})" if error.hint else ""))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE)
        os.kill(os.getpid(), signal.SIGKILL)
