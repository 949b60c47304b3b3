"""Looks into the bounce mailbox at their times, each in a process of its own.

A mail server may take its time, or never answer: that keeps no slot waiting, and a look that
takes too long is ended. A look that fails is tried again at the next time; its problem is
said once, until one succeeds. Decides nothing about what is found.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from newsletter.calendar.sender_process import die_with_parent
from newsletter.config import Workspace
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from newsletter.feedback.looking import Looked

PATIENCE = timedelta(minutes=10)  # that a look has; the next one goes on where it ended
_MOMENT = 5.0  # seconds for a look that was ended to be gone


class MailboxLooks:
    """To be used by one thread at a time."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        say: Callable[[str], object],
        patience: timedelta = PATIENCE,
    ) -> None:
        self._clock = clock
        self._say = say
        self._patience = patience
        self._look: _Look | None = None
        self._started_at: datetime | None = None
        self.problem = ""  # of the last look

    def see_to(self, workspace: Workspace) -> None:
        """Take note of a look that has ended, and begin the next one if it is time."""
        now = self._clock()
        if self._look is not None:
            self._take_note(self._look, now)
        feedback = workspace.config.feedback
        if self._look is not None or feedback.mailbox == "none":
            return
        every = timedelta(minutes=feedback.every_minutes)
        # A clock that was set back must not stop the looks.
        if self._started_at is None or not timedelta(0) <= now - self._started_at < every:
            self._started_at = now
            self._look = _Look(workspace)

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for the look to end; False where there is none."""
        if self._look is None:
            return False
        self._look.process.join(seconds)
        self._take_note(self._look, self._clock())
        return self._look is not None

    def terminate(self) -> None:
        """End a look that is under way; what it did not record is still in the mailbox."""
        if self._look is not None:
            self._look.end()
            self._look = None

    def _take_note(self, look: _Look, now: datetime) -> None:
        if look.process.is_alive() and not look.answer.poll():
            if self._started_at is not None and now - self._started_at < self._patience:
                return
            self._complain(f"it took more than {self._patience.total_seconds() / 60:g} minutes")
            self.terminate()
            return
        found = look.ended()
        self._look = None
        if found is None:
            self._complain("a look ended before it was done")
        elif isinstance(found, NewsletterError):
            self._complain(found.message + (f" ({found.hint})" if found.hint else ""))
        else:
            self.problem = ""
            if found.messages:
                self._say(f"bounce mailbox: {_words(found)}")

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            self._say(f"bounce mailbox: {problem}; it is tried again")
        self.problem = problem


class _Look:
    """Starts at once."""

    def __init__(self, workspace: Workspace) -> None:
        context = get_context("spawn")
        self.answer, sender = context.Pipe(duplex=False)
        self.process = context.Process(target=_look, args=(sender, workspace), daemon=True)
        self.process.start()
        sender.close()  # so that its end is noticed here

    def ended(self) -> Looked | NewsletterError | None:
        """Wait for its end; return what it found, or what was in the way."""
        found: Looked | NewsletterError | None = None
        with suppress(EOFError, OSError):
            found = self.answer.recv()
        self.end()
        return found

    def end(self) -> None:
        self.process.terminate()  # where it has said its word, there is nothing left to do
        self.process.join(_MOMENT)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.answer.close()


def _look(answer: Connection, workspace: Workspace) -> None:
    os.setsid()  # Ctrl-C in a terminal is for the parent, which ends this one
    die_with_parent()
    with suppress(OSError):  # nobody is left to tell
        answer.send(_found(workspace))


def _found(workspace: Workspace) -> Looked | NewsletterError:
    from newsletter.audience.links import links_of
    from newsletter.feedback.looking import mailbox_of, read_mailbox
    from newsletter.store.engine import open_store

    try:
        mailbox = mailbox_of(workspace)
        with open_store(workspace) as store:
            return read_mailbox(store, mailbox, links=links_of(workspace), now=datetime.now(UTC))
    except NewsletterError as error:
        return error


def _words(found: Looked) -> str:
    """Without addresses: counts alone."""
    recorded = found.recorded
    counts = [
        (found.messages, "message", "messages"),
        (recorded.new, "new event", "new events"),
        (recorded.suppressed, "person suppressed", "people suppressed"),
        (recorded.settled, "delivery settled", "deliveries settled"),
        (found.left, "letter for a person to read", "letters for a person to read"),
        (found.problems, "message that cannot be read", "messages that cannot be read"),
    ]
    return ", ".join(
        f"{number:,} {one if number == 1 else many}"
        for place, (number, one, many) in enumerate(counts)
        if number or place < 2
    )
