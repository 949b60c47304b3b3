"""Uncertain deliveries: list them, and settle them by events or by a person's decision.

An event is only ever evidence that something happened: where none came, nothing is
concluded. Refuses to send anything again; what is settled as failed can be resent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.config import Workspace
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.journal import journal_path, read
from newsletter.delivery.lock import sender_connection
from newsletter.delivery.model import Status
from newsletter.delivery.reply import masked
from newsletter.delivery.transaction import transaction
from newsletter.errors import UsageError
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery, event, subscriber

JOURNAL_LOST = "the journal of the sender was lost"
_CHUNK = 1_000

# Kinds of events. Whoever bounces or complains was handed over: the transport had taken it.
_PROVES_ACCEPTED = ("processed", "delivered", "deferred", "bounced", "complained")
_PROVES_REFUSED = ("dropped",)


@dataclass(frozen=True, kw_only=True, slots=True)
class UncertainDelivery:
    subscriber_id: int
    email: str  # "" once erased
    updated_at: datetime
    reply: str
    provider_id: str


def uncertain(conn: sa.Connection, campaign_id: int) -> Iterator[UncertainDelivery]:
    """Yield the uncertain deliveries of a campaign in order of the subscriber's id."""
    after = -1
    while True:
        page = (
            sa.select(delivery, subscriber.c.email)
            .join(subscriber, subscriber.c.id == delivery.c.subscriber_id)
            .where(*_is_uncertain(campaign_id), delivery.c.subscriber_id > after)
            .order_by(delivery.c.subscriber_id)
            .limit(_CHUNK)
        )
        rows = conn.execute(page).all()
        for row in rows:
            yield UncertainDelivery(
                subscriber_id=row.subscriber_id,
                email=row.email or "",
                updated_at=row.updated_at,
                reply=row.reply or "",
                provider_id=row.provider_id or "",
            )
        if len(rows) < _CHUNK:
            return
        after = rows[-1].subscriber_id


def settle(
    conn: sa.Connection,
    campaign_id: int,
    *,
    status: Status,
    subscriber_ids: Sequence[int] | None,
    reason: str,
    actor: str,
    now: datetime,
) -> int:
    """Settle uncertain deliveries by decision, as accepted or failed; return how many.

    *subscriber_ids*: None settles all of them; ids that are not uncertain are passed over.

    Raises:
        UsageError: there is no reason.
    """
    if status not in (Status.ACCEPTED, Status.FAILED):
        raise ValueError(f"nothing is settled as {status}")
    if not reason.strip():
        raise UsageError(
            "uncertain messages are settled only with a reason",
            hint='say how you know, as in: --reason "the relay’s log has them"',
        )
    note = f"settled as {status}: {masked(reason)}"
    change = sa.update(delivery).where(*_is_uncertain(campaign_id))
    change = change.values(status=status.value, reply=note, updated_at=now)
    if subscriber_ids is None:
        number = conn.execute(change).rowcount
    else:
        number = sum(
            conn.execute(
                change.where(delivery.c.subscriber_id.in_(subscriber_ids[start : start + _CHUNK]))
            ).rowcount
            for start in range(0, len(subscriber_ids), _CHUNK)
        )
    if number:
        _audit(conn, campaign_id, f"{number} {note}", actor=actor, now=now)
    return number


def settle_from_events(
    conn: sa.Connection,
    campaign_id: int,
    *,
    now: datetime,
    subscriber_ids: Sequence[int] | None = None,
) -> int:
    """Settle the uncertain deliveries that an event tells about; return how many.

    What proves acceptance outweighs what proves refusal, in whatever order they came.
    *subscriber_ids*: look at these alone, a thousand at most.
    """
    chosen = () if subscriber_ids is None else (delivery.c.subscriber_id.in_(subscriber_ids),)
    is_open = (*_is_uncertain(campaign_id), *chosen)
    was_refused = (
        delivery.c.campaign_id == campaign_id,
        delivery.c.status == Status.FAILED.value,
        delivery.c.reply == _by_event(Status.FAILED),
        *chosen,
    )
    accepted = _settle_by(conn, is_open, _PROVES_ACCEPTED, Status.ACCEPTED, now)
    accepted += _settle_by(conn, was_refused, _PROVES_ACCEPTED, Status.ACCEPTED, now)
    failed = _settle_by(conn, is_open, _PROVES_REFUSED, Status.FAILED, now)
    if accepted or failed:
        detail = f"by events: {accepted} accepted, {failed} failed"
        _audit(conn, campaign_id, detail, actor="events", now=now)
    return accepted + failed


def give_up_journal(
    store: Store, workspace: Workspace, campaign_id: int, *, actor: str, now: datetime
) -> int:
    """Make uncertain what a lost journal knew of; return how many deliveries.

    Raises:
        SenderBusy: a sender is at work.
        UsageError: the journal is there, and knows better.
    """
    path = journal_path(workspace, campaign_id)
    with sender_connection(store, campaign_id) as conn, transaction(store, conn):
        found = campaigns.get(conn, campaign_id)
        in_hand = sa.and_(
            delivery.c.campaign_id == campaign_id, delivery.c.status == Status.SENDING.value
        )
        rows = set(conn.scalars(sa.select(delivery.c.subscriber_id).where(in_hand)))
        record = read(path)
        if (
            record is not None
            and record.id == found.journal
            and rows
            and (not record.is_of_this_boot or rows <= record.marks.keys())
        ):
            raise UsageError(
                f"the journal {path} is not lost",
                hint=f"newsletter send {found.number} settles from it what it can",
            )
        number = conn.execute(
            sa.update(delivery)
            .where(in_hand)
            .values(status=Status.UNCERTAIN.value, reply=JOURNAL_LOST, updated_at=now)
        ).rowcount
        conn.execute(sa.update(campaign).where(campaign.c.id == campaign_id).values(journal=""))
        if number:
            _audit(conn, campaign_id, f"{number} {JOURNAL_LOST}", actor=actor, now=now)
        return number


def _is_uncertain(campaign_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        delivery.c.campaign_id == campaign_id,
        delivery.c.status == Status.UNCERTAIN.value,
    )


def _by_event(status: Status) -> str:
    return f"settled as {status} by an event"


def _settle_by(
    conn: sa.Connection,
    which: Sequence[sa.ColumnElement[bool]],
    kinds: Sequence[str],
    status: Status,
    now: datetime,
) -> int:
    happened = sa.exists().where(
        event.c.campaign_id == delivery.c.campaign_id,
        event.c.subscriber_id == delivery.c.subscriber_id,
        event.c.kind.in_(kinds),
    )
    change = (
        sa.update(delivery)
        .where(*which, happened)
        .values(status=status.value, reply=_by_event(status), updated_at=now)
    )
    return conn.execute(change).rowcount


def _audit(
    conn: sa.Connection, campaign_id: int, detail: str, *, actor: str, now: datetime
) -> None:
    detail = f"{campaign_id}: {detail}"
    write_audit(conn, "campaign.reconcile", actor=actor, now=now, detail=detail)
