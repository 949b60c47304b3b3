"""Events: what providers and mailboxes say about a delivery, in one vocabulary.

Every source is turned into these before anything is recorded. Refuses to judge:
what follows from an event is decided by the policy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened, whoever tells it."""

    PROCESSED = "processed"  # the provider took it over from us
    DELIVERED = "delivered"  # the receiving server took it; not read
    DEFERRED = "deferred"  # not yet; the other side tries again by itself
    BOUNCED = "bounced"  # given up; see Event.is_permanent
    DROPPED = "dropped"  # the provider never tried
    COMPLAINED = "complained"  # the reader called it spam
    UNSUBSCRIBED = "unsubscribed"  # the reader asked to leave


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One report about one recipient.

    *event_id* is unique per provider; *at* is aware, UTC. *token* names the delivery
    (`newsletter.delivery.mailing.delivery_of`); *email* only finds the person and is
    never stored. *is_permanent* is said of a bounce. *detail* holds no address.
    """

    provider: str
    event_id: str
    kind: Kind
    at: datetime
    token: str | None
    email: str | None = field(repr=False)
    is_permanent: bool
    detail: str
