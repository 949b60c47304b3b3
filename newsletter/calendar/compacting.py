"""Rewrite the database after an erasure, when nothing is being sent.

A reader erases themselves by a request of the web, which cannot wait for that. Tries at
most once an hour, and says so when somebody is in the way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.delivery.model import State
from newsletter.errors import StorageError
from newsletter.store.engine import Store
from newsletter.store.tables import campaign

_PAUSE = timedelta(hours=1)


class Compacting:
    """The owed rewriting of one database. Used by one thread at a time."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime], say: Callable[[str], object]
    ) -> None:
        self._store = store
        self._clock = clock
        self._say = say
        self._not_before: datetime | None = None

    def see_to(self) -> bool:
        """Compact if it is owed, time, and quiet; whether it was done."""
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return False
        if self._store.compact_owed() is None or self._is_sending():
            return False
        self._not_before = now + _PAUSE
        try:
            removed = self._store.compact()
        except StorageError as error:
            self._say(f"what was erased is not compacted yet: {error.message}")
            return False
        self._say("compacted: what was erased is in no file of the database any more")
        for path in removed:
            self._say(f"deleted with it: {path.name}, a copy of the database")
        return True

    def _is_sending(self) -> bool:
        query = sa.select(campaign.c.id).where(campaign.c.state == State.SENDING.value)
        with self._store.read() as conn:
            return conn.execute(query.limit(1)).first() is not None
