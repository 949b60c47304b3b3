"""Hand letters to the editors through the transport, and keep those that could not leave.

A laptop that has just woken has no network yet: such a letter is tried again for a day.
Never raises for a bad world; what went wrong is said to whoever watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from newsletter.calendar.letters import Letter
from newsletter.config import Workspace
from newsletter.delivery.alert import alert
from newsletter.delivery.transports import transport_of
from newsletter.errors import NewsletterError

_KEPT = timedelta(days=1)
_PAUSE = timedelta(minutes=5)  # between tries: a server that does not answer takes half a minute


class Post:
    """The letters of one process. Used by one thread at a time."""

    def __init__(self, *, clock: Callable[[], datetime], say: Callable[[str], object]) -> None:
        self._clock = clock
        self._say = say
        self._kept: list[tuple[datetime, Letter]] = []  # since when
        self._not_before: datetime | None = None

    def send(self, letter: Letter, workspace: Workspace) -> None:
        """Send *letter* to every address of delivery.alert, or keep it for `try_again`."""
        if not workspace.config.delivery.alert:
            self._say(f"nobody is told “{letter.subject}”: delivery.alert names no address")
            return
        if not self._leaves(letter, workspace):
            self._kept.append((self._clock(), letter))
            self._not_before = self._clock() + _PAUSE

    def try_again(self, workspace: Workspace) -> None:
        """Send what was kept, if it is time."""
        now = self._clock()
        if not self._kept or (self._not_before is not None and now < self._not_before):
            return
        kept, self._kept = self._kept, []
        for since, letter in kept:
            if now - since < _KEPT and not self._leaves(letter, workspace):
                self._kept.append((since, letter))
        self._not_before = now + _PAUSE

    def _leaves(self, letter: Letter, workspace: Workspace) -> bool:
        """Whether anybody got it; those who did must not get it again."""
        try:
            transport = transport_of(workspace)
        except NewsletterError as error:
            self._say(f"“{letter.subject}” was not sent: {error.message}")
            return False
        sending = alert(workspace, transport, subject=letter.subject, text=letter.text)
        problems = asyncio.run(sending)
        for problem in problems:
            self._say(problem)
        return len(problems) < len(workspace.config.delivery.alert)
