"""The ledger's statements: claim a thousand rows, fold a thousand results. Named, not run here.

Both databases take the same ones; what differs is how a list of ids is passed in.
What a claim reads comes as one JSON text, which costs half as much as a thousand rows.
It walks the primary key (campaign, subscriber) upwards, and finds those that wait for
another try by their own index, so that no claim looks at the whole table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from newsletter.audience.reading import eligible
from newsletter.delivery.model import Status
from newsletter.store.tables import campaign, delivery, subscriber

_OURS = delivery.c.campaign_id == sa.bindparam("campaign")
_NOW = sa.bindparam("now", type_=delivery.c.updated_at.type)

# Not FROM json_each: see the plan.
_ACCEPT_SQLITE = """
UPDATE delivery SET status = 'accepted', provider_id = ?, reply = NULL, updated_at = ?
WHERE campaign_id = ? AND subscriber_id IN (SELECT value FROM json_each(?)) AND status = 'sending'
"""
_ACCEPT_POSTGRESQL = """
UPDATE delivery SET status = 'accepted', provider_id = %s::jsonb ->> subscriber_id::text,
reply = NULL, updated_at = %s
WHERE campaign_id = %s AND subscriber_id = ANY (%s::bigint[]) AND status = 'sending'
"""


class Statements:
    """For one dialect. Parameters: campaign, now, and what each one names."""

    def __init__(self, dialect: str) -> None:
        self._is_sqlite = dialect == "sqlite"
        # Read under a lock that a pause waits for: what is claimed was claimed before it.
        self.state = (
            sa.select(campaign.c.state)
            .where(campaign.c.id == sa.bindparam("campaign"))
            .with_for_update(read=True)
        )
        due = delivery.c.not_before <= _NOW
        self.due = self._as_json(_candidates(due, order=delivery.c.not_before))
        fresh = sa.and_(
            delivery.c.subscriber_id > sa.bindparam("after"), delivery.c.not_before.is_(None)
        )
        self.fresh = self._as_json(_candidates(fresh, order=delivery.c.subscriber_id))
        self.people = self._as_json(
            eligible()
            .with_only_columns(
                subscriber.c.id, subscriber.c.email, subscriber.c.name, subscriber.c.format
            )
            .where(self._named(subscriber.c.id))
        )
        ours = sa.update(delivery).where(_OURS, self._named(delivery.c.subscriber_id))
        self.claim = ours.values(
            status=Status.SENDING.value,
            attempts=delivery.c.attempts + 1,
            not_before=None,
            updated_at=_NOW,
        )
        self.suppress = ours.values(
            status=Status.SUPPRESSED.value, not_before=None, updated_at=_NOW
        )
        held = sa.update(delivery).where(
            _OURS,
            delivery.c.subscriber_id == sa.bindparam("subscriber"),
            delivery.c.status == Status.SENDING.value,
        )
        # A row of parameters each, `subscriber` and the new values:
        self.report = held.values(
            status=sa.bindparam("new_status"),
            reply=sa.bindparam("new_reply"),
            not_before=sa.bindparam("new_not_before", type_=delivery.c.not_before.type),
            updated_at=_NOW,
        )
        self.postpone = held.values(
            status=Status.PENDING.value,
            attempts=delivery.c.attempts - 1,  # it was none
            not_before=sa.bindparam("new_not_before", type_=delivery.c.not_before.type),
            updated_at=_NOW,
        )
        # In the driver's own words. SQLite: a row for those of one provider id, (id, now,
        # campaign, subscribers).
        # PostgreSQL: all at once, (JSON of provider ids by subscriber, now, campaign, subscribers).
        self.accept = _ACCEPT_SQLITE if self._is_sqlite else _ACCEPT_POSTGRESQL
        self.in_hand = (
            sa.select(delivery.c.subscriber_id)
            .where(_OURS, delivery.c.status == Status.SENDING.value)
            .order_by(delivery.c.subscriber_id)
        )
        self.next_try = sa.select(sa.func.min(delivery.c.not_before)).where(
            _OURS, delivery.c.not_before.is_not(None)
        )
        self.unfinished = (
            sa.select(sa.literal(1))
            .where(_OURS, delivery.c.status.in_([Status.PENDING.value, Status.SENDING.value]))
            .limit(1)
        )

    def ids(self, numbers: Sequence[int]) -> Any:
        """The value of the parameter `ids`."""
        return json.dumps(numbers) if self._is_sqlite else list(numbers)

    def _as_json(self, rows: sa.Select[Any]) -> sa.Select[Any]:
        """All *rows*, each an array; NULL or an empty array where there is none."""
        columns = rows.subquery().c
        if self._is_sqlite:
            return sa.select(sa.func.json_group_array(sa.func.json_array(*columns)))
        everything = sa.func.json_agg(sa.func.json_build_array(*columns))
        return sa.select(sa.cast(everything, sa.Text))

    def _named(self, column: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
        ids: sa.BindParameter[Any] = sa.bindparam("ids")
        if self._is_sqlite:
            return column.in_(sa.select(sa.func.json_each(ids).table_valued("value").c.value))
        return column == sa.any_(sa.cast(ids, postgresql.ARRAY(sa.BigInteger)))


def _candidates(where: sa.ColumnElement[bool], *, order: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Pending deliveries, their people held on PostgreSQL: who leaves comes first or waits.

    Those whom somebody else holds at this moment are passed over; a later claim finds them.
    """
    return (
        sa.select(delivery.c.subscriber_id, delivery.c.attempts)
        .join(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .where(_OURS, delivery.c.status == Status.PENDING.value, where)
        .order_by(order)
        .limit(sa.bindparam("number"))
        .with_for_update(read=True, of=subscriber, skip_locked=True)
    )
