"""The numbers of one issue. Holds data and divides; None is what the records do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Name → what it is a share of. Nothing is divided by what we do not know.
SHARES = {
    "accepted": "intended",
    "delivered": "accepted",
    "bounced": "accepted",
    "complained": "accepted",
    "unsubscribed": "accepted",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueNumbers:
    """An issue, or one campaign of it, counted in people: nobody counts twice.

    Always: intended = accepted + failed + suppressed + uncertain + pending. *unknown* says of
    each number that is None why it is.
    """

    number: str  # the issue's, as in "2.20"
    tag: str | None  # of the one campaign that was asked for; None: all of the number
    first_delivery_at: datetime | None  # None: nobody was reached yet
    intended: int
    accepted: int  # the next server took it; it may still bounce
    failed: int
    suppressed: int
    uncertain: int
    pending: int
    never_sent: int  # of the pending ones: their campaign was cancelled
    delivered: int | None  # of the accepted: reported as taken by the reader's server
    bounced: int | None  # of the accepted: reported as given up; hard and soft are of these
    bounced_hard: int | None
    bounced_soft: int | None
    complained: int | None
    unsubscribed: int  # left after this issue, the last one that they got; no complaints
    list_then: int | None  # who was to get it, as frozen: the list at that moment
    list_now: int
    joined: int | None  # since the issue before, and still there
    left: int | None
    web_views: int | None  # page loads, not people
    pdf_views: int | None
    unknown: Mapping[str, str]

    @property
    def growth(self) -> int | None:
        """Net: joined − left."""
        return None if self.joined is None or self.left is None else self.joined - self.left

    def share(self, name: str) -> float | None:
        """*name* as a share of what `SHARES` says, 0 to 1; None if it is not known or of nobody."""
        part, whole = getattr(self, name), getattr(self, SHARES[name])
        return part / whole if part is not None and whole else None
