"""Count how often the pages of an issue are looked at: a number a day, and nothing of anybody.

Programs that say they are robots are left out. Kept in memory and written every few
seconds, so that reading a page writes nothing; a crash loses those seconds.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.stats.views import count_views

if TYPE_CHECKING:
    from newsletter.store.engine import Store

_ROBOT = re.compile(
    rb"bot|crawl|spider|slurp|preview|scan|monitor|curl|wget|python|java/|go-http|headless|feed",
    re.IGNORECASE,
)


def is_robot(user_agent: bytes) -> bool:
    """Whether a program says that nobody is reading. Says nothing of those that pretend."""
    return not user_agent or _ROBOT.search(user_agent) is not None


class Views:
    """What was looked at since it was last written. Safe in threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, number: str, form: str, now: datetime) -> None:
        """One more look at the issue *number*, as “web” or “pdf”."""
        with self._lock:
            self._counts[now.date().isoformat(), number, form] += 1

    def write(self, store: Store) -> None:
        """Add what was counted to the database; kept for another time where it refuses.

        Raises:
            StorageError: the database refused.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            with store.begin() as conn:
                count_views(conn, counts)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
