"""Count an issue's deliveries and what was reported of them: one pass, and a few rows by index.

A delivery's `report` is the gravest thing that was heard, whatever came first: so nothing here
depends on the order of events. Never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.model import Status
from newsletter.feedback.events import Kind
from newsletter.stats.sent import REACHED, Sent
from newsletter.store.tables import campaign, delivery, event

# What a reader said about a message: the two gravest reports.
SAID = (Kind.UNSUBSCRIBED.value, Kind.COMPLAINED.value)

# Only who reports of every message tells these: not the mailbox for bounces.
_TOLD_OF_ALL = (Kind.PROCESSED.value, Kind.DELIVERED.value, Kind.DROPPED.value)

# A person in several campaigns of the number counts by the row that got furthest.
_NEVER, _SUPPRESSED, _FAILED, _PENDING, _UNCERTAIN, _ACCEPTED = range(1, 7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """People by what became of handing over; the sum is who was intended."""

    accepted: int
    failed: int
    suppressed: int
    uncertain: int
    pending: int
    never_sent: int  # of the pending ones
    delivered: int  # of the accepted, where nothing graver was reported
    first_delivery_at: datetime | None

    @property
    def intended(self) -> int:
        return self.accepted + self.failed + self.suppressed + self.uncertain + self.pending


@dataclass(frozen=True, kw_only=True, slots=True)
class Reports:
    """People by what was reported of them; of the accepted, but for the last two."""

    bounced: int
    hard: int
    soft: int
    delivered: int  # and then left or complained
    complained: int
    answered: int  # unsubscribed, says an event of this campaigns


def ledger(conn: sa.Connection, sent: Sent) -> Ledger:
    """Count the deliveries of an issue: a second for some millions of them."""
    is_accepted = delivery.c.status == Status.ACCEPTED.value
    was_delivered = sa.and_(is_accepted, delivery.c.report == Kind.DELIVERED.value)
    row_of_it: list[sa.ColumnElement[Any]] = [
        _furthest(sent).label("place"),
        sa.case((was_delivered, 1), else_=0).label("delivered"),
        sa.case((delivery.c.status.in_(REACHED), delivery.c.updated_at)).label("at"),
    ]
    rows = sa.select(*row_of_it).where(sent.deliveries())
    if len(sent.ids) > 1:
        each = rows.add_columns(delivery.c.subscriber_id).subquery().c
        of_person: list[sa.ColumnElement[Any]] = [
            sa.func.max(each.place).label("place"),
            sa.func.max(each.delivered).label("delivered"),
            sa.func.min(each.at).label("at"),
        ]
        rows = sa.select(*of_person).group_by(each.subscriber_id)
    people = rows.subquery()
    columns: list[sa.ColumnElement[Any]] = [
        *(sa.func.count().filter(people.c.place == one) for one in range(_NEVER, _ACCEPTED + 1)),
        sa.func.sum(people.c.delivered),
        sa.func.min(people.c.at),
    ]
    row = conn.execute(sa.select(*columns).select_from(people)).one()
    return Ledger(
        accepted=row[_ACCEPTED - 1],
        failed=row[_FAILED - 1],
        suppressed=row[_SUPPRESSED - 1],
        uncertain=row[_UNCERTAIN - 1],
        pending=row[_PENDING - 1] + row[_NEVER - 1],
        never_sent=row[_NEVER - 1],
        delivered=int(row[-2] or 0),
        first_delivery_at=row[-1],
    )


def _furthest(sent: Sent) -> sa.ColumnElement[int]:
    status = delivery.c.status
    whens: list[tuple[sa.ColumnElement[bool], int]] = [
        (status == Status.ACCEPTED.value, _ACCEPTED),
        (status == Status.FAILED.value, _FAILED),
        (status == Status.SUPPRESSED.value, _SUPPRESSED),
        (status == Status.UNCERTAIN.value, _UNCERTAIN),
    ]
    if sent.cancelled:
        is_pending = status == Status.PENDING.value
        whens.append((sa.and_(is_pending, delivery.c.campaign_id.in_(sent.cancelled)), _NEVER))
    return sa.case(*whens, else_=_PENDING)


def reports(conn: sa.Connection, sent: Sent) -> Reports:
    """Count what was reported of an issue's deliveries, but for plain arrivals (see `ledger`)."""
    is_accepted = delivery.c.status == Status.ACCEPTED.value
    bounced = _heard(event.c.kind == Kind.BOUNCED.value)
    flags = {
        "bounced": sa.and_(is_accepted, bounced),
        "hard": sa.and_(is_accepted, _heard(event.c.permanent.is_(True))),
        "soft": sa.and_(is_accepted, _heard(event.c.permanent.is_(False))),
        "delivered": sa.and_(is_accepted, ~bounced, _heard(event.c.kind == Kind.DELIVERED.value)),
        "complained": delivery.c.report == Kind.COMPLAINED.value,
        "answered": sa.and_(delivery.c.report == Kind.UNSUBSCRIBED.value, ~_said_before()),
    }
    people = (
        sa.select(
            *(sa.func.max(sa.case((flag, 1), else_=0)).label(name) for name, flag in flags.items())
        )
        .where(sent.deliveries(), delivery.c.report.in_((Kind.BOUNCED.value, *SAID)))
        .group_by(delivery.c.subscriber_id)
        .subquery()
    )
    columns = people.c
    row = conn.execute(
        sa.select(
            sa.func.count().filter(columns.bounced == 1),
            sa.func.count().filter(columns.hard == 1),
            # Given up for now and then for good is one bounce, and a hard one.
            sa.func.count().filter(columns.soft == 1, columns.hard == 0),
            sa.func.count().filter(columns.delivered == 1),
            sa.func.count().filter(columns.complained == 1),
            # Who called it spam has not asked to leave, and counts there.
            sa.func.count().filter(columns.answered == 1, columns.complained == 0),
        ).select_from(people)
    ).one()
    return Reports(
        bounced=row[0],
        hard=row[1],
        soft=row[2],
        delivered=row[3],
        complained=row[4],
        answered=row[5],
    )


def is_anything_reported(conn: sa.Connection, sent: Sent) -> bool:
    """Whether any source of events has spoken of an issue's campaigns."""
    return _exists(conn, event.c.campaign_id.in_(sent.ids))


def is_arrival_reported(conn: sa.Connection, sent: Sent) -> bool:
    """Whether a source has spoken that tells of every message, and not of those that came back."""
    return _exists(conn, event.c.campaign_id.in_(sent.ids), event.c.kind.in_(_TOLD_OF_ALL))


def _exists(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> bool:
    return conn.execute(sa.select(sa.literal(1)).where(*where).limit(1)).first() is not None


def _heard(what: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether an event of the row of `delivery` is *what*."""
    return sa.exists().where(
        event.c.campaign_id == delivery.c.campaign_id,
        event.c.subscriber_id == delivery.c.subscriber_id,
        what,
    )


def _said_before() -> sa.ColumnElement[bool]:
    """Whether the person answered an earlier issue too, and not before this one was frozen.

    Somebody who answers two messages leaves once: with the first. Somebody who left, came back
    and leaves again leaves twice.
    """
    other, this, heard = delivery.alias(), campaign.alias(), event.alias()
    return sa.exists().where(
        other.c.subscriber_id == delivery.c.subscriber_id,
        other.c.campaign_id < delivery.c.campaign_id,
        other.c.report.in_(SAID),
        this.c.id == delivery.c.campaign_id,
        heard.c.campaign_id == other.c.campaign_id,
        heard.c.subscriber_id == other.c.subscriber_id,
        heard.c.kind.in_(SAID),
        heard.c.received_at >= this.c.created_at,
    )
