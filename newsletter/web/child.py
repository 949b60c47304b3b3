"""The server inside `newsletter run`: a process of its own, started again when it dies.

So nothing that the web does can make a slot late, and the other way round.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

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
    def __init__(self, workspace: Workspace, say: Callable[[str], object]) -> None:
        super().__init__(name="web server", daemon=True)
        self._workspace, self._say = workspace, say
        self._stop_asked = threading.Event()
        self._process = get_context("spawn").Process(target=_serve, args=(workspace, None))

    def run(self) -> None:
        pause, said = _FIRST_PAUSE, ""
        context = get_context("spawn")
        while not self._stop_asked.is_set():
            answer, given = context.Pipe(duplex=False)
            self._process = context.Process(
                target=_serve, args=(self._workspace, given), daemon=True
            )
            self._process.start()
            given.close()
            self._process.join(_SOUND)
            if self._process.is_alive():
                pause, said = _FIRST_PAUSE, ""
                self._process.join()
            if self._stop_asked.is_set():
                return
            problem = answer.recv() if answer.poll() else f"code {self._process.exitcode}"
            answer.close()
            if problem != said:
                said = problem
                self._say(f"the web server ended: {problem}; it is started again")
            self._stop_asked.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def stop(self) -> None:
        self._stop_asked.set()
        if self._process.pid is not None and self._process.is_alive():
            self._process.terminate()
        self.join(_PATIENCE)


def _serve(workspace: Workspace, answer: object) -> None:
    from newsletter.store.engine import open_store
    from newsletter.web.server import serve

    os.setsid()  # Ctrl-C in a terminal is for the parent, which ends this in order
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with open_store(workspace) as store:
            serve(workspace, store)
    except NewsletterError as error:
        answer.send(error.message + (f" ({error.hint})" if error.hint else ""))  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
