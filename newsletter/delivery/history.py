"""What the ledger tells afterwards: to one person, about refusals, about speed. Never writes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.delivery.model import Status
from newsletter.store.tables import campaign, delivery

_DISTINCT = 1_000  # replies that are looked at; servers that word each one anew are many

# What differs from message to message in a server's words: queue numbers, tickets, hosts.
_PARTICULAR = re.compile(r"\b(?=[\w-]*\d)[\w-]{8,}\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class PastDelivery:
    """One issue on its way to one person; *report* is what was heard after handing over."""

    number: str
    status: Status
    report: str
    reply: str
    attempts: int
    at: datetime

    def as_record(self) -> dict[str, str | int]:
        """For JSON; the time in ISO 8601."""
        return {
            "at": self.at.isoformat(),
            "issue": self.number,
            "status": self.status.value,
            "report": self.report,
            "reply": self.reply,
            "attempts": self.attempts,
        }


def deliveries_of(conn: sa.Connection, subscriber_id: int) -> list[PastDelivery]:
    """Return every delivery to one person, oldest first; cancelled campaigns' too."""
    query = (
        sa.select(delivery, campaign.c.number)
        .join(campaign, campaign.c.id == delivery.c.campaign_id)
        .where(delivery.c.subscriber_id == subscriber_id)
        .order_by(delivery.c.updated_at, delivery.c.campaign_id)
    )
    return [
        PastDelivery(
            number=row.number,
            status=Status(row.status),
            report=row.report or "",
            reply=row.reply or "",
            attempts=row.attempts,
            at=row.updated_at,
        )
        for row in conn.execute(query)
    ]


def replies(
    conn: sa.Connection, campaign_id: int, status: Status, *, limit: int
) -> list[tuple[str, int]]:
    """Return what was said about deliveries in *status*, and how often; the most frequent first.

    Replies that differ only in numbers of a server's own count as one.
    """
    number = sa.func.count()
    query = (
        sa.select(delivery.c.reply, number)
        .where(
            delivery.c.campaign_id == campaign_id,
            delivery.c.status == status.value,
            delivery.c.reply.is_not(None),
        )
        .group_by(delivery.c.reply)
        .order_by(number.desc(), delivery.c.reply)
        .limit(_DISTINCT)
    )
    found: Counter[str] = Counter()
    for reply, times in conn.execute(query):
        found[_PARTICULAR.sub("…", reply)] += times
    return found.most_common(limit)


def decided_since(conn: sa.Connection, campaign_id: int, since: datetime) -> int:
    """Count the deliveries that a transport gave an outcome from *since* on."""
    outcomes = (Status.ACCEPTED, Status.FAILED, Status.UNCERTAIN)
    query = sa.select(sa.func.count()).where(
        delivery.c.campaign_id == campaign_id,
        delivery.c.updated_at >= since,
        delivery.c.status.in_([status.value for status in outcomes]),
    )
    return conn.scalar(query) or 0
