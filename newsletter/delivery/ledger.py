"""The ledger: which delivery is where, in the database, at every moment.

Claims are committed before the first byte leaves, and look once more whether each person
may be mailed. Results are folded in by the thousand. Always:
intended = accepted + failed + suppressed + uncertain + pending.
Refuses to claim for a campaign that is not sending.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.config.sending import DeliveryConfig
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.frozen_audience import had_elsewhere, one_after_the_other
from newsletter.delivery.journal import PLACES, Journal
from newsletter.delivery.model import Delivery, Outcome, State, Status
from newsletter.delivery.pace import Pace
from newsletter.delivery.reply import masked
from newsletter.delivery.results import Report, Results
from newsletter.delivery.statements import Statements
from newsletter.delivery.transaction import transaction
from newsletter.errors import UsageError
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery, microseconds

_LONGEST_WAIT = timedelta(days=1)  # between two tries
_SHORTEST_WAIT = timedelta(seconds=1)
_TEXT = "text"  # the format of who wants no HTML
_Row = TypeVar("_Row")
_JITTER = 0.25  # of a wait, up or down: refused together, they do not come back together


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """How many deliveries are where. *pending* includes *in_flight* and *waiting*."""

    intended: int
    accepted: int = 0
    failed: int = 0
    suppressed: int = 0
    uncertain: int = 0
    pending: int = 0
    in_flight: int = 0  # claimed by a sender
    waiting: int = 0  # for another try
    next_try: datetime | None = None  # of those that wait, the first


def counts(conn: sa.Connection, campaign_id: int) -> Counts:
    """Count the deliveries of a campaign: a second for some millions of them."""
    ours = delivery.c.campaign_id == campaign_id
    # Not GROUP BY: SQLite would sort the whole list in memory.
    numbers = [sa.func.count().filter(delivery.c.status == status.value) for status in Status]
    row = conn.execute(sa.select(*numbers).select_from(delivery).where(ours)).one()
    found = dict(zip(Status, row, strict=True))
    waits = sa.select(sa.func.count(), sa.func.min(delivery.c.not_before)).where(
        ours, delivery.c.not_before.is_not(None)
    )
    waiting, next_try = conn.execute(waits).one()
    return Counts(
        intended=campaigns.get(conn, campaign_id).intended,
        accepted=found[Status.ACCEPTED],
        failed=found[Status.FAILED],
        suppressed=found[Status.SUPPRESSED],
        uncertain=found[Status.UNCERTAIN],
        pending=found[Status.PENDING] + found[Status.SENDING],
        in_flight=found[Status.SENDING],
        waiting=waiting,
        next_try=next_try,
    )


def retry_failed(conn: sa.Connection, campaign_id: int, *, actor: str, now: datetime) -> int:
    """Make failed deliveries pending again, as if never tried; return how many.

    Never uncertain ones, and nobody who got this number by another campaign meanwhile.

    Raises:
        UsageError: the campaign is cancelled.
    """
    one_after_the_other(conn)
    found = campaigns.get(conn, campaign_id)
    if found.state is State.CANCELLED:
        raise UsageError(
            f"this campaign of Vol {found.number} is cancelled",
            hint=f"newsletter send {found.number} makes a new one",
        )
    again = (
        sa.update(delivery)
        .where(
            delivery.c.campaign_id == campaign_id,
            delivery.c.status == Status.FAILED.value,
            ~had_elsewhere(found.number, delivery.c.subscriber_id),
        )
        .values(status=Status.PENDING.value, attempts=0, not_before=None, updated_at=now)
    )
    number = conn.execute(again).rowcount
    if number:
        conn.execute(
            sa.update(campaign)
            .where(campaign.c.id == campaign_id, campaign.c.state == State.COMPLETED.value)
            .values(state=State.SENDING.value, updated_at=now)
        )
        detail = f"{campaign_id}: {number} failed ones"
        write_audit(conn, "campaign.resend", actor=actor, now=now, detail=detail)
    return number


# ── a sender's side ─────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """How many results became what; those that are pending again with a wait are deferred."""

    accepted: int = 0
    failed: int = 0
    uncertain: int = 0
    deferred: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    deliveries: list[Delivery] = field(default_factory=list)
    suppressed: int = 0  # of those that were due
    retried: int = 0  # of those that were due, suppressed or not: they no longer wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one transaction of a sender did."""

    state: State
    folded: Folded
    claim: Claim
    opens_at: datetime | None = None  # when the rates allow more; None: they allow more now


class Ledger:
    """One campaign in the hands of one sender. *conn* is the one that holds the lock."""

    def __init__(
        self,
        store: Store,
        conn: sa.Connection,
        campaign_id: int,
        *,
        journal: Journal,
        pace: Pace,
        config: DeliveryConfig,
    ) -> None:
        self._store = store
        self._conn = conn
        self._journal = journal
        self._pace = pace
        self._config = config
        self._sql = Statements(store.dialect)
        self._campaign = {"campaign": campaign_id}
        self._after = 0  # how far the walk over the subscribers has come
        self._claimed_at: datetime | None = None

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """A transaction of the sender, see `newsletter.delivery.transaction`."""
        return transaction(self._store, self._conn)

    def turn(self, results: Results, *, limit: int, now: datetime) -> Turn:
        """Fold *results* and claim up to *limit* deliveries that are due, in one transaction.

        Raises:
            StorageError: nothing of *results* may be forgotten; the journal has it too.
        """
        claim, opens_at = Claim(), None
        with self.transaction() as conn:
            folded = self._fold(conn, results, now)
            state = State(conn.execute(self._sql.state, self._campaign).scalar_one())
            if state is State.SENDING and limit and not self._journal.is_full:
                allowed = self._pace.allowance(conn, now)
                if allowed == 0:
                    opens_at = self._pace.opens_at(conn, now)
                else:
                    limit = min(limit, PLACES, allowed or PLACES)
                    claim = self._claim(conn, limit, now)
                    self._pace.use(conn, len(claim.deliveries), now)
                    self._claimed_at = now
        # Only now: what is not committed may still be needed.
        self._journal.settle(results.places())
        return Turn(state=state, folded=folded, claim=claim, opens_at=opens_at)

    def rewind(self) -> None:
        """Walk over all subscribers again: some were passed over, or are pending again."""
        self._after = 0

    def next_try(self) -> datetime | None:
        """When the first delivery that waits may be tried again."""
        with self.transaction() as conn:
            found: datetime | None = conn.execute(self._sql.next_try, self._campaign).scalar()
            return found

    def complete(self, now: datetime) -> bool:
        """Close the campaign if nothing is pending any more; whether it is closed."""
        with self.transaction() as conn:
            if conn.execute(self._sql.unfinished, self._campaign).first() is not None:
                return False
            closed = (
                sa.update(campaign)
                .where(
                    campaign.c.id == self._campaign["campaign"],
                    campaign.c.state == State.SENDING.value,
                )
                .values(state=State.COMPLETED.value, updated_at=now)
            )
            return conn.execute(closed).rowcount == 1

    def _claim(self, conn: sa.Connection, limit: int, now: datetime) -> Claim:
        values = {**self._campaign, "now": now}
        rows = _rows(conn, self._sql.due, {**values, "number": limit}, list[tuple[int, int]])
        retried = len(rows)
        if len(rows) < limit:
            fresh = {**values, "after": self._after, "number": limit - len(rows)}
            walked = _rows(conn, self._sql.fresh, fresh, list[tuple[int, int]])
            if walked:
                self._after = max(walked)[0]
            rows += walked
        if not rows:
            return Claim()
        attempts = dict(rows)
        values["ids"] = self._sql.ids(list(attempts))
        # A statement of its own: it sees what was committed before the people were held.
        people = _rows(conn, self._sql.people, values, list[tuple[int, str, str, str]])
        if len(people) < len(attempts):
            gone = attempts.keys() - {person[0] for person in people}
            conn.execute(self._sql.suppress, {**values, "ids": self._sql.ids(sorted(gone))})
            values["ids"] = self._sql.ids([person[0] for person in people])
        suppressed = len(attempts) - len(people)
        if not people:
            return Claim(suppressed=suppressed, retried=retried)
        conn.execute(self._sql.claim, values)
        places = self._journal.write([person[0] for person in people])
        claimed = [
            Delivery(number, email, name, attempts[number] + 1, place, is_text=form == _TEXT)
            for (number, email, name, form), place in zip(people, places, strict=True)
        ]
        return Claim(deliveries=claimed, suppressed=suppressed, retried=retried)

    def _fold(self, conn: sa.Connection, results: Results, now: datetime) -> Folded:
        """Write results into their rows."""
        if results.accepted:
            self._accept(conn, results.accepted, now)
        rows = [self._row_of(report, now) for report in results.reports]
        if rows:
            conn.execute(self._sql.report, rows)
        back = [
            self._row(held, now, timedelta(seconds=after) if after else None)
            for held, after in results.postponed
        ]
        if back:
            conn.execute(self._sql.postpone, back)
            self._pace.use(conn, -len(back), self._claimed_at or now)
        became = Counter(row["new_status"] for row in rows)
        return Folded(
            accepted=len(results.accepted),
            failed=became[Status.FAILED],
            uncertain=became[Status.UNCERTAIN],
            deferred=sum(row["new_not_before"] is not None for row in (*rows, *back)),
        )

    def _accept(self, conn: sa.Connection, accepted: list[Delivery], now: datetime) -> None:
        campaign_id, moment = self._campaign["campaign"], microseconds(now)
        if self._store.dialect == "sqlite":
            named: dict[str, list[int]] = {}  # by the provider's id: one for all of a request
            for held in accepted:
                named.setdefault(held.provider_id, []).append(held.subscriber_id)
            rows = [
                (provider_id or None, moment, campaign_id, self._sql.ids(subscribers))
                for provider_id, subscribers in named.items()
            ]
            conn.exec_driver_sql(self._sql.accept, rows)
            return
        providers = {held.subscriber_id: held.provider_id or None for held in accepted}
        values = (json.dumps(providers), moment, campaign_id, list(providers))
        conn.exec_driver_sql(self._sql.accept, values)

    def _row(self, held: Delivery, now: datetime, wait: timedelta | None) -> dict[str, Any]:
        not_before = None if wait is None else now + max(wait, _SHORTEST_WAIT)
        return {
            **self._campaign,
            "now": now,
            "subscriber": held.subscriber_id,
            "new_not_before": not_before,
        }

    def _row_of(self, report: Report, now: datetime) -> dict[str, Any]:
        held, outcome = report.delivery, report.outcome
        reply, wait = masked(report.reply, held.email), None
        if outcome is Outcome.UNCERTAIN:
            status = Status.UNCERTAIN
        elif outcome is Outcome.REFUSED_FOR_NOW and held.attempts < self._config.attempts:
            status, wait = Status.PENDING, self._wait(report)
        else:
            status = Status.FAILED
        row = self._row(held, now, wait)
        return {**row, "new_status": status.value, "new_reply": reply}

    def _wait(self, report: Report) -> timedelta:
        """Twice as long each time, or what the server said."""
        if report.after is not None:
            return min(timedelta(seconds=report.after), _LONGEST_WAIT)
        doubled = self._config.retry_after * 2.0 ** (report.delivery.attempts - 1)
        jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
        return timedelta(seconds=min(doubled * jitter, _LONGEST_WAIT.total_seconds()))


def _rows(
    conn: sa.Connection, statement: sa.Select[Any], values: dict[str, Any], kind: type[list[_Row]]
) -> list[_Row]:
    """What a statement of `Statements` found that gives its rows as JSON."""
    found = conn.execute(statement, values).scalar_one()
    return [] if found is None else msgspec.json.decode(found, type=kind)
