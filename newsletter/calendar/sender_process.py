"""The sender of a campaign in a process of its own, so that memory and signals stay apart.

It ends by itself when its parent is gone, in order: what is under way is finished and
recorded. Should another sender be at work all the same, the campaign's lock keeps them
apart. Decides nothing about who gets mail.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection

from newsletter.config import Workspace
from newsletter.delivery.sending import Ending
from newsletter.errors import NewsletterError, TransportError


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a sender ended: by itself, by an error in words, or without a word."""

    ending: Ending | None = None
    resumes_at: datetime | None = None  # of WAITING
    problem: str = ""
    is_told: bool = False  # the sender has told the editors of the problem
    is_busy: bool = False  # another sender is at work


class SenderProcess:
    """Starts at once."""

    def __init__(self, workspace: Workspace, campaign_id: int) -> None:
        context = get_context("spawn")
        self._answer, sender = context.Pipe(duplex=False)
        arguments = (sender, workspace, campaign_id)
        self._process = context.Process(target=_send, args=arguments, daemon=True)
        self._process.start()
        sender.close()  # so that its end is noticed here

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def terminate(self) -> None:
        """Ask it to end in order."""
        self._process.terminate()

    def join(self, seconds: float | None = None) -> None:
        self._process.join(seconds)

    def ended(self) -> Ended:
        """Wait for its end, and say how it ended."""
        try:
            answer = self._answer.recv()
        except (EOFError, OSError):
            answer = None
        self._process.join()
        self._answer.close()
        if isinstance(answer, Ended):
            return answer
        code = self._process.exitcode or 0
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return Ended(problem=f"the sender ended {how} before it was done")


def _send(answer: Connection, workspace: Workspace, campaign_id: int) -> None:
    # Ctrl-C in a terminal is for the parent, which asks once; the sender takes two as “at once”.
    os.setsid()
    die_with_parent()
    ended = _ended(workspace, campaign_id)
    with suppress(OSError):  # nobody is left to tell
        answer.send(ended)


def die_with_parent() -> None:
    """Send this process SIGTERM when the one that started it is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _ended(workspace: Workspace, campaign_id: int) -> Ended:
    from newsletter.delivery.campaign import get
    from newsletter.delivery.sender import SenderBusy, send
    from newsletter.delivery.transports import transport_of
    from newsletter.store.engine import open_store

    try:
        with open_store(workspace) as store:
            with store.read() as conn:
                kind = get(conn, campaign_id).transport
            summary = send(store, workspace, campaign_id, transport_of(workspace, kind))
    except SenderBusy:
        return Ended(is_busy=True)
    except NewsletterError as error:
        return Ended(problem=error.message, is_told=isinstance(error, TransportError))
    return Ended(ending=summary.ending, resumes_at=summary.resumes_at)
