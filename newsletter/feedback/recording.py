"""Record events: once each, then what follows for deliveries and for people.

The same events in any order, repeated or not, leave the same reports, suppressions and
settled deliveries. A batch is one transaction: an event is never there without what
follows from it. Refuses to keep an address: an event only points at a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from newsletter.audience.identity import identity_of
from newsletter.audience.leaving import GRAVITY
from newsletter.audience.links import Links
from newsletter.audience.suppressing import suppress_people
from newsletter.delivery.mailing import delivery_of
from newsletter.delivery.model import Status
from newsletter.delivery.reconcile import settle_from_events
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.policy import ABOUT_PEOPLE, Bounce, reason_to_suppress, report_after
from newsletter.store.engine import Store
from newsletter.store.insert import insert_new
from newsletter.store.tables import delivery, event, subscriber, suppression

BATCH = 1_000  # events in one transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of some events."""

    new: int = 0
    known: int = 0  # recorded before, or twice among them
    unknown: int = 0  # of the new ones: about nobody that we know
    suppressed: int = 0  # people
    settled: int = 0  # deliveries that were uncertain

    def __add__(self, other: Recorded) -> Recorded:
        names = ("new", "known", "unknown", "suppressed", "settled")
        sums = map(sum, zip(astuple(self), astuple(other), strict=True))
        return Recorded(**dict(zip(names, sums, strict=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """An event, and whom it is about as far as we know."""

    event: Event
    campaign_id: int | None = None
    subscriber_id: int | None = None


def record(
    store: Store, events: Iterable[Event], *, links: Links, now: datetime, actor: str
) -> Recorded:
    """Record *events*; when this returns, they are committed. *actor* is who tells, for the audit.

    Raises:
        StorageError: the database refused; what was told before may be recorded already, and
            all can be told again.
    """
    total, rest = Recorded(), iter(events)
    while batch := list(islice(rest, BATCH)):
        with store.begin() as conn:
            total += _record(conn, batch, links=links, now=now, actor=actor)
    return total


def _record(
    conn: sa.Connection, batch: list[Event], *, links: Links, now: datetime, actor: str
) -> Recorded:
    told = _addressed(conn, {(item.provider, item.event_id): item for item in batch}, links)
    new = _insert(conn, told, now)
    # People before deliveries: a sender passes over people who are held, but waits for deliveries.
    suppressed = _suppress(conn, new, now=now, actor=actor)
    settled = _report(conn, told, new, now=now)
    return Recorded(
        new=len(new),
        known=len(batch) - len(new),
        unknown=sum(item.subscriber_id is None for item in new),
        suppressed=suppressed,
        settled=settled,
    )


# ── whom it is about ────────────────────────────────────────────────────────


def _addressed(
    conn: sa.Connection, events: Mapping[tuple[str, str], Event], links: Links
) -> list[_Told]:
    """Find delivery and person of each event, in the order of the keys: two recorders meet there.

    The token first: mail is forwarded, and then bounces with an address that we never mailed.
    """
    tokens = {item.token for item in events.values() if item.token}
    named = {token: found for token in tokens if (found := delivery_of(links, token)) is not None}
    there = _in_ledger(conn, set(named.values()))
    named = {token: found for token, found in named.items() if found in there}
    addresses = {item.email for item in events.values() if item.email and item.token not in named}
    people = _people(conn, addresses)
    told = []
    for _, item in sorted(events.items()):
        campaign_id, subscriber_id = named.get(item.token or "", (None, None))
        if subscriber_id is None:
            subscriber_id = people.get(item.email or "")
        told.append(_Told(event=item, campaign_id=campaign_id, subscriber_id=subscriber_id))
    return told


def _in_ledger(conn: sa.Connection, deliveries: set[tuple[int, int]]) -> set[tuple[int, int]]:
    there: set[tuple[int, int]] = set()
    for campaign_id, ids in _by_campaign(deliveries).items():
        query = sa.select(delivery.c.subscriber_id).where(*_ours(campaign_id, ids))
        there.update((campaign_id, found) for found in conn.scalars(query))
    return there


def _people(conn: sa.Connection, addresses: set[str]) -> dict[str, int]:
    """Ids of those who are on the list in exactly this spelling, by address."""
    identities = {}
    for email in addresses:
        try:
            identities[email] = identity_of(email)
        except ValueError:
            continue
    if not identities:
        return {}
    query = sa.select(subscriber.c.identity, subscriber.c.id).where(
        subscriber.c.identity.in_(sorted(set(identities.values())))
    )
    ids: dict[str, int] = {row.identity: row.id for row in conn.execute(query)}
    return {email: ids[identity] for email, identity in identities.items() if identity in ids}


def _insert(conn: sa.Connection, told: list[_Told], now: datetime) -> list[_Told]:
    """Insert those that are new, and return them."""
    rows = [
        {
            "provider": item.event.provider,
            "event_id": item.event.event_id,
            "kind": item.event.kind.value,
            "at": item.event.at,
            "received_at": now,
            "campaign_id": item.campaign_id,
            "subscriber_id": item.subscriber_id,
            "detail": item.event.detail,
            "permanent": item.event.is_permanent if item.event.kind is Kind.BOUNCED else None,
        }
        for item in told
    ]
    statement = insert_new(event, conn.dialect.name).returning(event.c.provider, event.c.event_id)
    inserted = {tuple(row) for row in conn.execute(statement, rows)}
    return [item for item in told if (item.event.provider, item.event.event_id) in inserted]


# ── people ──────────────────────────────────────────────────────────────────


def _suppress(conn: sa.Connection, new: list[_Told], *, now: datetime, actor: str) -> int:
    """Suppress by policy; return how many people were not yet."""
    weighty: dict[int, list[Event]] = defaultdict(list)
    for item in new:
        if item.subscriber_id is not None and item.event.kind in ABOUT_PEOPLE:
            weighty[item.subscriber_id].append(item.event)
    if not weighty:
        return 0
    held = (
        sa.select(subscriber.c.id)
        .where(subscriber.c.id.in_(sorted(weighty)), subscriber.c.email.is_not(None))
        .order_by(subscriber.c.id)
        .with_for_update()  # two who record one person's bounces: the second counts both
    )
    people = conn.scalars(held).all()
    bounced = [
        number
        for number, items in weighty.items()
        if any(item.kind is Kind.BOUNCED for item in items)
    ]
    bounces, lifted = _bounces(conn, bounced), _lifted(conn, bounced)
    why = {}
    for number in people:
        reasons = [
            (GRAVITY.index(reason), item.provider)
            for item in weighty[number]
            if (
                reason := reason_to_suppress(
                    item, bounces=bounces.get(number, ()), lifted_at=lifted.get(number)
                )
            )
        ]
        if reasons:
            gravity, provider = max(reasons)
            why[number] = (GRAVITY[gravity], provider)
    return suppress_people(conn, why, now=now, actor=actor) if why else 0


def _bounces(conn: sa.Connection, people: Collection[int]) -> dict[int, list[Bounce]]:
    """All bounces of each of *people*."""
    if not people:
        return {}
    is_bounce = event.c.kind == Kind.BOUNCED.value
    columns = (event.c.id, event.c.campaign_id, event.c.subscriber_id, event.c.at)
    # Through the ledger, and apart from those without a campaign: both by an index.
    same = sa.and_(
        delivery.c.campaign_id == event.c.campaign_id,
        delivery.c.subscriber_id == event.c.subscriber_id,
    )
    of_campaigns = (
        sa.select(*columns)
        .join_from(delivery, event, same)
        .where(delivery.c.subscriber_id.in_(people), is_bounce)
    )
    of_none = sa.select(*columns).where(
        event.c.campaign_id.is_(None), event.c.subscriber_id.in_(people), is_bounce
    )
    found: dict[int, list[Bounce]] = defaultdict(list)
    for row in conn.execute(sa.union_all(of_campaigns, of_none)):
        message = f"event {row.id}" if row.campaign_id is None else f"campaign {row.campaign_id}"
        found[row.subscriber_id].append(Bounce(message=message, at=row.at))
    return found


def _lifted(conn: sa.Connection, people: Collection[int]) -> dict[int, datetime]:
    """When a suppression of each of *people* was last lifted."""
    if not people:
        return {}
    query = (
        sa.select(subscriber.c.id, sa.func.max(suppression.c.lifted_at))
        .join(suppression, suppression.c.identity == subscriber.c.identity)
        .where(subscriber.c.id.in_(people), suppression.c.lifted_at.is_not(None))
        .group_by(subscriber.c.id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


# ── deliveries ──────────────────────────────────────────────────────────────


def _report(conn: sa.Connection, told: list[_Told], new: list[_Told], *, now: datetime) -> int:
    """Move the reports of deliveries, and settle what is uncertain; return how many were settled.

    `updated_at` stays: it says when the delivery was handed over.
    """
    settled = 0
    heard: dict[tuple[int, int], list[Kind]] = defaultdict(list)
    for item in new:
        heard[_key(item)].append(item.event.kind)
    # Known events too: the outcome may have been missed after they came.
    touched = {_key(item) for item in told if item.campaign_id is not None}
    for campaign_id, ids in _by_campaign(touched).items():
        query = (
            sa.select(delivery.c.subscriber_id, delivery.c.status, delivery.c.report)
            .where(*_ours(campaign_id, ids))
            .order_by(delivery.c.subscriber_id)
            .with_for_update()
        )
        moved: dict[str | None, list[int]] = defaultdict(list)
        unsettled: list[int] = []
        for number, status, before in conn.execute(query):
            after = before
            for kind in heard.get((campaign_id, number), ()):
                after = report_after(after, kind)
            if after != before:
                moved[after].append(number)
            # Failed: because of an event that another one outweighs, perhaps.
            if status in (Status.UNCERTAIN, Status.FAILED):
                unsettled.append(number)
        for report, numbers in moved.items():
            change = sa.update(delivery).where(*_ours(campaign_id, numbers))
            conn.execute(change.values(report=report))
        if unsettled:
            settled += settle_from_events(conn, campaign_id, now=now, subscriber_ids=unsettled)
    return settled


def _key(item: _Told) -> tuple[int, int]:
    return item.campaign_id or 0, item.subscriber_id or 0


def _by_campaign(deliveries: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Subscribers by campaign, both in order: two recorders take locks alike."""
    found: dict[int, list[int]] = defaultdict(list)
    for campaign_id, subscriber_id in sorted(deliveries):
        found[campaign_id].append(subscriber_id)
    return found


def _ours(campaign_id: int, ids: list[int]) -> tuple[sa.ColumnElement[Any], ...]:
    return delivery.c.campaign_id == campaign_id, delivery.c.subscriber_id.in_(ids)
