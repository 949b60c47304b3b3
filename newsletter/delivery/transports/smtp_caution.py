"""How many connections to use, and how long to wait when nothing succeeds.

Both know nothing but times (in seconds, of any one clock) and numbers of messages.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

_TOO_MANY = 0.1  # of what was decided: so many refusals for now mean “slow down”


@dataclass(slots=True)
class Width:
    """How many connections: *most* at first, half when the server refuses, more by and by."""

    most: int
    growth: float  # seconds without a refusal before one more
    pulse: float  # seconds: refusals of one moment count once
    since: float  # the last change
    limit: int = 0
    _refused: int = 0  # since the last look
    _decided: int = 0  # at the last look

    def __post_init__(self) -> None:
        self.limit = self.most

    def change(self, limit: int, now: float) -> None:
        self.limit = max(1, limit)
        self.since = now

    def refused(self, now: float, decided: int, in_use: int) -> bool:
        """Count a refusal for now; whether the limit fell.

        A few among many messages are about their recipients, not about our speed.
        """
        self._refused += 1
        if self._refused < _TOO_MANY * (decided - self._decided):
            return False
        if now - self.since < self.pulse and self.limit < self.most:
            return False
        self.change(in_use // 2, now)
        return True

    def look(self, now: float, decided: int) -> bool:
        """Whether the limit rose: messages went, none was refused, and for long enough."""
        goes_well = decided > self._decided and not self._refused
        self._decided, self._refused = decided, 0
        if not goes_well or self.limit >= self.most or now - self.since < self.growth:
            return False
        self.change(self.limit + 1, now)
        return True


@dataclass(slots=True)
class Patience:
    """Failures in a row, that is without any message decided between them."""

    limit: float  # seconds
    first_wait: float
    longest_wait: float
    _failures: int = 0
    _since: float = 0.0
    _decided: int = 0  # when the row began

    def is_tried(self, decided: int) -> bool:
        """Whether nothing has succeeded since the last failure."""
        return self._failures > 0 and decided == self._decided

    def failed(self, now: float, decided: int) -> float:
        """Count a failure; seconds to wait, with jitter so that senders do not return together."""
        if not self.is_tried(decided):
            self._failures, self._since, self._decided = 0, now, decided
        self._failures += 1
        wait = min(self.longest_wait, self.first_wait * 2.0 ** min(self._failures - 1, 20))
        return wait * random.uniform(0.5, 1)  # noqa: S311 - nobody need be surprised

    def lasted(self, now: float) -> float:
        """Seconds since the first failure of the row."""
        return now - self._since

    def is_over(self, now: float) -> bool:
        return self._failures > 1 and self.lasted(now) >= self.limit
