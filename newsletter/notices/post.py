"""Let the notices leave that are due: claim, compose, hand over, record.

A claim is committed before the message leaves: the next try is set, and for a
confirmation the token made, of which only the hash stays. Where no answer came, because
the process died or the line did, it is sent once more: a second copy of a notice is
harmless, and a reader whose confirmation is lost is lost. After a second silence it
counts as accepted. Refused for now, it is tried for most of a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.audience.asking import may_confirm, new_token
from newsletter.audience.links import links_of
from newsletter.audience.model import Status, Subscriber
from newsletter.audience.pausing import issues_left
from newsletter.audience.reading import get, locked, suppression_of
from newsletter.config import Workspace
from newsletter.delivery import model as delivery
from newsletter.delivery.reply import masked
from newsletter.delivery.transport import Transport
from newsletter.errors import NewsletterError, RecipientRejected
from newsletter.notices.compose import Composer, Latest, Notice
from newsletter.notices.model import Kind, Outcome
from newsletter.notices.queue import due
from newsletter.store.engine import Store
from newsletter.store.tables import notice, subscriber

# After the first try, the second, …; there is one try more than there are pauses.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
KEPT = timedelta(days=90)  # rows of ended notices
AT_ONCE = 5  # connections
PATIENCE = 60.0  # seconds for one message

_NO_ANSWER, _NO_ANSWER_AGAIN = "no answer", "no answer, twice"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What became of the notices that were due; *kept* are tried again by themselves."""

    accepted: int = 0
    failed: int = 0
    void: int = 0
    kept: int = 0


def send_due(
    store: Store,
    workspace: Workspace,
    transport: Transport,
    *,
    now: datetime,
    latest: Latest | None = None,
    next_at: datetime | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Sent:
    """Send every notice that is due at *now*; several processes may do so at the same time.

    *latest* and *next_at* are for welcomes: the newest edition, the next slot. Where
    *is_over*, the rest stays due.

    Raises:
        NewsletterError: a template, the transport or the database is in the way. What was
            claimed is tried again later, and what was not stays due.
    """
    composer = Composer(workspace, links_of(workspace), latest=latest, next_at=next_at)
    within = timedelta(days=workspace.config.subscribe.confirm_within_days)
    with store.read() as conn:
        waiting = conn.scalars(due(now).with_only_columns(notice.c.id)).all()
    round_ = _Round(store, transport, composer, now, within)
    ended: dict[str, int] = {}
    for start in range(0, len(waiting), AT_ONCE):
        for how in asyncio.run(round_.send(waiting[start : start + AT_ONCE])):
            ended[how] = ended.get(how, 0) + 1
        if round_.problem is not None or is_over():
            break
    if waiting:
        with store.begin() as conn:
            conn.execute(sa.delete(notice).where(notice.c.ended_at < now - KEPT))
    if round_.problem is not None:
        raise round_.problem
    return Sent(**ended)


class _Round:
    """One call of `send_due`."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        composer: Composer,
        now: datetime,
        within: timedelta,
    ) -> None:
        self._store = store
        self._transport = transport
        self._composer = composer
        self._now = now
        self._within = within
        self.problem: NewsletterError | None = None  # that is not about one notice

    async def send(self, ids: Sequence[int]) -> list[str]:
        """Send these; return the names of `Sent` that they count for."""
        results = await asyncio.gather(*(self._send_one(each) for each in ids))
        return [how for how in results if how is not None]

    async def _send_one(self, notice_id: int) -> str | None:
        claimed = self._claim(notice_id)
        if not isinstance(claimed, Notice):
            return claimed
        try:
            message = self._composer.message(claimed, now=self._now)
        except RecipientRejected as error:
            return self._end(claimed, Outcome.FAILED, error.message)
        except NewsletterError as error:
            self.problem = error
            return self._keep(claimed, "it could not be composed")
        try:
            async with asyncio.timeout(PATIENCE):
                result = await self._transport.deliver(claimed.email, message)
        except TimeoutError:
            return "kept"  # as it was claimed
        except NewsletterError as error:
            self.problem = error
            return self._keep(claimed, error.message)
        if result.outcome is delivery.Outcome.ACCEPTED:
            return self._end(claimed, Outcome.ACCEPTED, result.reply)
        if result.outcome is delivery.Outcome.REFUSED_FOR_GOOD:
            return self._end(claimed, Outcome.FAILED, result.reply)
        if result.outcome is delivery.Outcome.REFUSED_FOR_NOW:
            return self._keep(claimed, result.reply)
        return "kept"  # uncertain: as it was claimed

    # ── the database ────────────────────────────────────────────────────────

    def _claim(self, notice_id: int) -> Notice | str | None:
        """Take it, or end it where there is nothing to send; None: another process was first."""
        with self._store.begin() as conn:
            owner = sa.select(notice.c.subscriber_id).where(notice.c.id == notice_id)
            # The person first, as wherever somebody leaves: else two writers deadlock.
            locked(conn, subscriber.c.id == owner.scalar_subquery())
            row = conn.execute(
                due(self._now).where(notice.c.id == notice_id).with_for_update()
            ).one_or_none()
            if row is None:
                return None
            person = get(conn, row.subscriber_id)
            kind = Kind(row.kind)
            ended = None
            if person is None or not _may_get(conn, person, kind):
                ended = Outcome.VOID
            elif row.reply == _NO_ANSWER_AGAIN:
                ended = Outcome.ACCEPTED
            elif row.attempts > len(PAUSES):
                ended = Outcome.FAILED
            # Compare and set, whatever the isolation: only one process gets this attempt.
            claim = sa.update(notice).where(
                notice.c.id == row.id,
                notice.c.attempts == row.attempts,
                notice.c.ended_at.is_(None),
            )
            if ended is not None or person is None:
                how = ended or Outcome.VOID
                claim = claim.values(ended_at=self._now, outcome=how.value)
                return how.value if conn.execute(claim).rowcount == 1 else None
            pause = PAUSES[min(row.attempts, len(PAUSES) - 1)]
            claim = claim.values(
                attempts=row.attempts + 1,
                not_before=self._now + pause,
                reply=_NO_ANSWER_AGAIN if row.reply == _NO_ANSWER else _NO_ANSWER,
            )
            if conn.execute(claim).rowcount != 1:
                return None
            token = ""
            if kind is Kind.CONFIRM:
                token = new_token(conn, person.id, now=self._now, within=self._within)
            return Notice(
                id=row.id,
                kind=kind,
                subscriber_id=person.id,
                email=person.email,
                name=person.name,
                created_at=row.created_at,
                token=token,
                is_paused=person.status is Status.PAUSED,
                issues_left=issues_left(conn, person.id),
            )

    def _end(self, claimed: Notice, outcome: Outcome, reply: str) -> str:
        self._note(claimed, reply, ended_at=self._now, outcome=outcome.value)
        return outcome.value

    def _keep(self, claimed: Notice, reply: str) -> str:
        """It did not leave: try again after the pause, or give it up after the last."""
        with self._store.read() as conn:
            attempts = conn.scalar(sa.select(notice.c.attempts).where(notice.c.id == claimed.id))
        if attempts is not None and attempts > len(PAUSES):
            return self._end(claimed, Outcome.FAILED, reply)
        self._note(claimed, reply)
        return "kept"

    def _note(self, claimed: Notice, reply: str, **values: object) -> None:
        kept = masked(reply, claimed.email)
        with self._store.begin() as conn:
            conn.execute(
                sa.update(notice)
                .where(notice.c.id == claimed.id, notice.c.ended_at.is_(None))
                .values(reply=kept, **values)
            )


def _may_get(conn: sa.Connection, person: Subscriber, kind: Kind) -> bool:
    """Whether there is still a reason to send it: people leave while it waits."""
    if person.status is Status.ERASED:
        return False
    if kind is Kind.CONFIRM:
        is_asked = person.status in (Status.PENDING, Status.UNSUBSCRIBED)
        return is_asked and may_confirm(conn, person.id)
    if suppression_of(conn, person.email) is not None:
        return False
    allowed = (Status.ACTIVE, Status.PAUSED) if kind is Kind.KNOWN else (Status.ACTIVE,)
    return person.status in allowed
