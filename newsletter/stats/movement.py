"""Who came and who went between two issues. Never writes.

The list at a moment is the audience that was frozen then: a record, where the times of
consents are not (an import keeps those of the list it came from). Who joined is in this
audience and was not in the one before; who left was, and is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from newsletter.audience.model import ConsentKind
from newsletter.feedback.events import Kind
from newsletter.stats.counting import SAID
from newsletter.stats.sent import REACHED, Sent
from newsletter.store.tables import campaign, consent, delivery, event


def people_of(conn: sa.Connection, sent: Sent) -> int:
    """Count whom an issue was for."""
    return conn.scalar(sa.select(sa.func.count()).select_from(sent.people().subquery())) or 0


def in_both(conn: sa.Connection, sent: Sent, before: Sent) -> int:
    """Count whom both issues were for."""
    people = sent.people().subquery()
    was_there = sa.exists().where(
        delivery.c.subscriber_id == people.c.subscriber_id, before.deliveries()
    )
    query = sa.select(sa.func.count()).select_from(people).where(was_there)
    return conn.scalar(query) or 0


def left_after(conn: sa.Connection, *, since: datetime | None = None) -> Mapping[int, int]:
    """Count who left by themselves after the last campaign that reached them, by campaign.

    Looks at withdrawals of consent from *since* on. Leaves out what an event tells about: a
    complaint, and an answer to a message, which belongs to that message (see `counting`).
    """
    # A literal, or SQLite would not see that the partial index holds them.
    is_withdrawal = consent.c.kind == sa.literal_column(f"'{ConsentKind.WITHDRAWN.value}'")
    gone = sa.select(consent.c.subscriber_id, _last_reached().label("campaign_id")).where(
        is_withdrawal, ~_is_told_by_event()
    )
    if since is not None:
        gone = gone.where(consent.c.at >= since)
    left = gone.subquery()
    query = (
        sa.select(left.c.campaign_id, sa.func.count(left.c.subscriber_id.distinct()))
        .join(
            delivery,
            sa.and_(
                delivery.c.campaign_id == left.c.campaign_id,
                delivery.c.subscriber_id == left.c.subscriber_id,
            ),
        )
        .where(sa.func.coalesce(delivery.c.report, "").not_in(SAID))
        .group_by(left.c.campaign_id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def _last_reached() -> sa.ScalarSelect[int]:
    """The last campaign before the row of `consent` that reached the person, or may have."""
    return (
        sa.select(sa.func.max(delivery.c.campaign_id))
        .join(campaign, campaign.c.id == delivery.c.campaign_id)
        .where(
            delivery.c.subscriber_id == consent.c.subscriber_id,
            delivery.c.status.in_(REACHED),
            campaign.c.created_at <= consent.c.at,
        )
        .correlate(consent)
        .scalar_subquery()
    )


def _is_told_by_event() -> sa.ColumnElement[bool]:
    """Whether an event tells of the leaving that the row of `consent` records.

    It may have come later: somebody leaves on the page, and their answer by mail is read then.
    """
    of_a_message = (
        sa.exists()
        .where(
            delivery.c.subscriber_id == consent.c.subscriber_id,
            delivery.c.report.in_(SAID),
            campaign.c.id == delivery.c.campaign_id,
            campaign.c.created_at <= consent.c.at,
            event.c.campaign_id == delivery.c.campaign_id,
            event.c.subscriber_id == delivery.c.subscriber_id,
            event.c.kind.in_(SAID),
            event.c.received_at >= consent.c.at,
        )
        .correlate(consent)
    )
    a_complaint_about_no_known_message = (
        sa.exists()
        .where(
            event.c.campaign_id.is_(None),
            event.c.subscriber_id == consent.c.subscriber_id,
            event.c.kind == Kind.COMPLAINED.value,
            event.c.received_at >= consent.c.at,
        )
        .correlate(consent)
    )
    return sa.or_(of_a_message, a_complaint_about_no_known_message)
