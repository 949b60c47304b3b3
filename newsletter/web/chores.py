"""What the server does besides answering.

Notices, counts of views, news of the archive, and forgetting who never confirmed.

One thread, a round every second. What goes wrong is logged once until it goes well
again, and tried in the next round; the server goes on answering.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from newsletter.audience import subscribers
from newsletter.audience.leaving import UNCONFIRMED_KEPT
from newsletter.errors import NewsletterError
from newsletter.web.logs import log

if TYPE_CHECKING:
    from newsletter.web.context import Context

_ROUND = 1.0  # seconds
_VIEWS_EVERY, _SITE_EVERY = 5.0, 2.0
_UNCONFIRMED_EVERY = 3600.0
_LEFT_OUT_EVERY = 60.0  # an edition that is broken: all pages are made anew to see


class Chores:
    """Start it, and stop it before the store is closed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stop = threading.Event()
        self._failing: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="chores", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the round that is under way, and write what was counted."""
        self._stop.set()
        self._thread.join()
        self._try("views", lambda: self._context.views.write(self._context.store))

    def _run(self) -> None:
        from newsletter.web.notice_post import NoticePost

        post = NoticePost(self._context)
        due = {"views": 0.0, "archive": 0.0, "unconfirmed": 0.0}
        due["left out"] = time.monotonic() + _LEFT_OUT_EVERY
        while not self._stop.wait(_ROUND):
            self._try("notices", lambda: post.send_due(is_over=self._stop.is_set))
            now = time.monotonic()
            if now >= due["views"]:
                due["views"] = now + _VIEWS_EVERY
                self._try("views", lambda: self._context.views.write(self._context.store))
            if now >= due["archive"]:
                due["archive"] = now + _SITE_EVERY
                again = now >= due["left out"]
                if again:
                    due["left out"] = now + _LEFT_OUT_EVERY
                self._try("archive", partial(self._refresh, again=again))
            if now >= due["unconfirmed"]:
                due["unconfirmed"] = now + _UNCONFIRMED_EVERY
                self._try("unconfirmed", self._forget_unconfirmed)

    def _forget_unconfirmed(self) -> None:
        context, now = self._context, self._context.clock()
        void_after = timedelta(days=context.config.subscribe.confirm_within_days)
        before = now - void_after - UNCONFIRMED_KEPT
        while not self._stop.is_set():
            with context.store.begin() as conn:
                number = subscribers.forget_unconfirmed(conn, before=before, now=now)
            if not number:
                break
            log().info("forgot who never confirmed", people=number)

    def _refresh(self, *, again: bool) -> None:
        if self._context.site.refresh(again=again):
            for problem in self._context.site.problems:
                log().warning("edition left out", problem=problem)

    def _try(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            # Our own mistakes too: the other chores must not wait for somebody who reads this.
            said = type(error).__name__
            if self._failing.get(what) != said:
                self._failing[what] = said
                hint = error.hint if isinstance(error, NewsletterError) else None
                log().error("chore failed", chore=what, error=error, hint=hint)
        else:
            if self._failing.pop(what, None):
                log().info("chore works again", chore=what)
