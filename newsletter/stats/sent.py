"""Which issues were sent, in which order, and which deliveries are an issue's. Never writes.

An issue may have several campaigns: to everyone and to a tag, or a new one after one that
was cancelled. Its people are counted once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.model import State, Status
from newsletter.store.tables import campaign, delivery

# They have it, or may have it.
REACHED = (Status.ACCEPTED.value, Status.UNCERTAIN.value)
_BEYOND_RECALL = (*REACHED, Status.SENDING.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The campaigns of one issue; ids in the order of freezing."""

    number: str
    current: tuple[int, ...]
    superseded: tuple[int, ...] = ()  # cancelled; whom they did not reach is in a later one
    cancelled: tuple[int, ...] = ()  # of the current ones: nobody made a new one after them
    is_to_everyone: bool = True

    @property
    def ids(self) -> tuple[int, ...]:
        return (*self.current, *self.superseded)

    @property
    def first(self) -> int:
        return min(self.ids)

    def deliveries(self) -> sa.ColumnElement[bool]:
        """Where a row of `delivery` counts for this issue."""
        ours = delivery.c.campaign_id.in_(self.current)
        if not self.superseded:
            return ours
        reached = sa.and_(
            delivery.c.campaign_id.in_(self.superseded), delivery.c.status.in_(_BEYOND_RECALL)
        )
        return sa.or_(ours, reached)

    def people(self) -> sa.Select[Any]:
        """Select the subscribers it was for, each once."""
        query = sa.select(delivery.c.subscriber_id).where(self.deliveries())
        return query if len(self.ids) == 1 else query.distinct()


def sent_issues(conn: sa.Connection, number: str | None = None) -> list[Sent]:
    """Return the issues that have a campaign, in the order in which they were frozen first.

    One of which nothing was sent and that was cancelled is not among them.
    """
    query = sa.select(campaign).order_by(campaign.c.id)
    if number is not None:
        query = query.where(campaign.c.number == number)
    rows: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in conn.execute(query):
        if row.state != State.CANCELLED or _reached_anybody(conn, row.id):
            rows[row.number].append(row)
    return sorted((_sent(name, found) for name, found in rows.items()), key=lambda one: one.first)


def campaign_alone(conn: sa.Connection, number: str, audience: str) -> Sent | None:
    """One campaign of an issue by itself: that is not cancelled, else the last one."""
    query = (
        sa.select(campaign.c.id, campaign.c.state)
        .where(campaign.c.number == number, campaign.c.audience == audience)
        .order_by((campaign.c.state == State.CANCELLED.value).asc(), campaign.c.id.desc())
    )
    row = conn.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    is_cancelled = row.state == State.CANCELLED
    return Sent(
        number=number,
        current=(row.id,),
        cancelled=(row.id,) if is_cancelled else (),
        is_to_everyone=False,
    )


def _sent(number: str, rows: Iterable[sa.Row[Any]]) -> Sent:
    last = {row.audience: row for row in rows}
    current = tuple(sorted(row.id for row in last.values()))
    return Sent(
        number=number,
        current=current,
        superseded=tuple(row.id for row in rows if row.id not in current),
        cancelled=tuple(sorted(row.id for row in last.values() if row.state == State.CANCELLED)),
        is_to_everyone="" in last,
    )


def _reached_anybody(conn: sa.Connection, campaign_id: int) -> bool:
    query = sa.select(sa.literal(1)).where(
        delivery.c.campaign_id == campaign_id, delivery.c.status.in_(_BEYOND_RECALL)
    )
    return conn.execute(query.limit(1)).first() is not None
