"""One run of a sender, in the event loop: turns of the ledger, with a transport at work between.

Every turn folds what was reported and claims what the feed has room for, in one
transaction. The database is used in the loop's own thread: a turn takes milliseconds, and
a thread would cost more than it saves (measured).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from newsletter.config import Workspace
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.alert import alert
from newsletter.delivery.brake import failure_reason
from newsletter.delivery.campaign import Campaign
from newsletter.delivery.feed import SenderFeed
from newsletter.delivery.journal import PLACES, Journal, journal_path
from newsletter.delivery.ledger import Counts, Ledger, Turn, counts
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import State
from newsletter.delivery.pace import Pace
from newsletter.delivery.recovery import recover
from newsletter.delivery.results import Results
from newsletter.delivery.transport import Transport
from newsletter.errors import NewsletterError, TransportError

ACTOR = "sender"  # in the audit

_BEAT = 1.0  # seconds: results are folded, and a pause is noticed, at least so often
_GLANCE = 0.004  # seconds: how soon the end of the last delivery is noticed
_AHEAD = 2  # seconds' worth of a limited rate that are claimed: who leaves later is spared
_GRACE = 20.0  # seconds that a transport has to finish what is under way
_REWALK = timedelta(seconds=30)  # between looks over the whole list while nothing is to be done
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_log = logging.getLogger(__name__)


class Ending(StrEnum):
    """Why a sender ended."""

    COMPLETED = "completed"  # nothing is pending
    PAUSED = "paused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # by a signal; the campaign is still sending
    WAITING = "waiting"  # until rates or retries allow more; the campaign is still sending


_ENDINGS = {
    State.PAUSED: Ending.PAUSED,
    State.CANCELLED: Ending.CANCELLED,
    State.COMPLETED: Ending.COMPLETED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a sender leaves. *resumes_at* is when it makes sense to go on, of WAITING."""

    counts: Counts
    ending: Ending
    reason: str = ""
    resumes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _End:
    ending: Ending
    reason: str = ""
    resumes_at: datetime | None = None
    is_to_alert: bool = False


class Sending:
    """See `newsletter.delivery.sender.send`, which makes it and holds the lock."""

    def __init__(
        self,
        workspace: Workspace,
        campaign: Campaign,
        *,
        ledger: Ledger,
        journal: Journal,
        pace: Pace,
        transport: Transport,
        on_progress: Callable[[Counts], object],
        patience: float,
    ) -> None:
        self._workspace = workspace
        self._campaign = campaign
        self._ledger = ledger
        self._pace = pace
        self._transport = transport
        self._on_progress = on_progress
        self._patience = timedelta(seconds=patience)
        per_second = workspace.config.rates.per_second
        self._batch = min(PLACES, _AHEAD * per_second) if per_second else PLACES
        self._low = self._batch if transport.window > PLACES else self._batch // 2
        self._wake = asyncio.Event()
        self._feed = SenderFeed(journal, pace, hungry=self._hungry, low=self._low)
        self._unfolded = Results()  # a fold that failed leaves them here
        self._has_more = True  # the last claim found something: the next one may too
        self._is_interrupted = False
        self._idle_since: datetime | None = None
        self._walked_at = _now()
        self._accepted = self._failed = 0  # in this run: a resumed campaign brakes anew
        with ledger.transaction() as conn:  # the connection that keeps few pages in memory
            self._counts = counts(conn, campaign.id)

    async def run(self, mailing: Mailing) -> Summary:
        """Send until there is a reason to end. Raises what `sender.send` says."""
        work = asyncio.create_task(self._transport.run(self._feed, mailing))
        work.add_done_callback(lambda _: self._wake.set())
        end: _End | None = None
        try:
            with self._signals():
                end = await self._until_end(work)
        finally:
            await self._finish(work, in_haste=end is None or end.ending is Ending.INTERRUPTED)
        if end.is_to_alert:
            await self._alert(end.reason)
        with self._ledger.transaction() as conn:
            reason = end.reason or campaigns.get(conn, self._campaign.id).reason
            last = counts(conn, self._campaign.id)
        return Summary(counts=last, ending=end.ending, reason=reason, resumes_at=end.resumes_at)

    # ── turns ───────────────────────────────────────────────────────────────

    async def _until_end(self, work: asyncio.Task[None]) -> _End:
        while not self._is_interrupted:
            if work.done():
                await self._give_up(work)
            turn = self._turn(self._batch if self._feed.waiting <= self._low else 0)
            if turn.state in _ENDINGS:
                return _End(ending=_ENDINGS[turn.state])
            reason = failure_reason(
                self._workspace.config.delivery,
                failed=self._failed,
                decided=self._accepted + self._failed,
            )
            if reason is not None:
                with self._ledger.transaction() as conn:
                    campaigns.pause(conn, self._campaign.id, reason=reason, actor=ACTOR, now=_now())
                return _End(ending=Ending.PAUSED, reason=reason, is_to_alert=True)
            if self._feed.in_hand:
                self._idle_since = None
                await self._rest()
            elif (end := await self._idle(turn.opens_at)) is not None:
                return end
        return _End(ending=Ending.INTERRUPTED)

    def _turn(self, limit: int) -> Turn:
        self._unfolded.extend(self._feed.collect())
        turn = self._ledger.turn(self._unfolded, limit=limit, now=_now())
        self._unfolded = Results()
        claim, folded = turn.claim, turn.folded
        self._feed.offer(claim.deliveries)
        if limit:
            self._has_more = bool(claim.deliveries or claim.suppressed)
        self._accepted += folded.accepted
        self._failed += folded.failed
        before = self._counts
        now = replace(
            before,
            accepted=before.accepted + folded.accepted,
            failed=before.failed + folded.failed,
            uncertain=before.uncertain + folded.uncertain,
            suppressed=before.suppressed + claim.suppressed,
            in_flight=self._feed.in_hand,
            waiting=before.waiting + folded.deferred - claim.retried,
        )
        decided = now.accepted + now.failed + now.uncertain + now.suppressed
        self._counts = replace(now, pending=now.intended - decided)
        self._on_progress(self._counts)
        return turn

    def _hungry(self) -> None:
        if self._has_more:
            self._wake.set()

    async def _rest(self) -> None:
        """Until the feed runs low, nothing is under way, or a second has passed."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _BEAT
        while not self._wake.is_set() and self._feed.unreported and clock() < deadline:
            left = deadline - clock()
            await self._sleep(left if self._has_more else min(left, _GLANCE))
        self._wake.clear()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()

    async def _idle(self, opens_at: datetime | None) -> _End | None:
        """Nothing is in our hands: complete the campaign, or wait a second, or end."""
        now = _now()
        self._idle_since = self._idle_since or now
        next_time = opens_at or self._ledger.next_try()
        if next_time is None:
            if self._ledger.complete(now):
                return _End(ending=Ending.COMPLETED)
            self._ledger.rewind()  # some are pending again, or were held by somebody else
            next_time = now + timedelta(seconds=_BEAT)
        elif now - self._walked_at > _REWALK:
            self._ledger.rewind()
            self._walked_at = now
        if next_time - self._idle_since > self._patience:
            reason = "the rates allow no more for now" if opens_at else "refused for now"
            return _End(ending=Ending.WAITING, reason=reason, resumes_at=next_time)
        await self._sleep(min(_BEAT, (next_time - now).total_seconds()))
        self._wake.clear()
        return None

    # ── ends ────────────────────────────────────────────────────────────────

    async def _finish(self, work: asyncio.Task[None], *, in_haste: bool) -> None:
        """Let the transport end, fold what it reported, give back what it did not take.

        Raises:
            StorageError: the journal keeps what could not be folded.
        """
        self._feed.close()
        if in_haste:
            work.cancel()
        await asyncio.wait({work}, timeout=_GRACE)
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=_GRACE)
        self._turn(0)
        if not work.done():
            return  # it may still hand over: the next sender settles it, when this process is gone
        if self._feed.in_hand:  # what it took and did not report
            path = journal_path(self._workspace, self._campaign.id)
            with self._ledger.transaction() as conn:
                recover(conn, self._campaign.id, path, pace=self._pace, now=_now())
        error = None if work.cancelled() else work.exception()
        if error is not None and not isinstance(error, NewsletterError):
            raise error

    async def _give_up(self, work: asyncio.Task[None]) -> NoReturn:
        """The transport ended although there is work: raise why."""
        error = None if work.cancelled() else work.exception()
        error = error or TransportError(f"the transport “{self._transport.name}” ended early")
        if isinstance(error, TransportError):
            await self._alert(error.message)
        raise error

    async def _alert(self, reason: str) -> None:
        number = self._campaign.number
        problems = await alert(
            self._workspace,
            self._transport,
            subject=f"Vol {number}: sending has stopped",
            text=f"Sending Vol {number} has stopped: {reason}\n\n"
            f"newsletter status {number} shows how far it is; "
            f"newsletter resume {number} goes on.\n",
        )
        for problem in problems:
            _log.warning("%s", problem)

    def _interrupt(self, number: int) -> None:
        self._is_interrupted = True
        self._wake.set()
        # The second one acts at once: the journal knows what was under way.
        asyncio.get_running_loop().remove_signal_handler(number)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal end the run cleanly, in the main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        if before[signal.SIGHUP] is signal.SIG_IGN:  # nohup: it outlives the terminal
            del before[signal.SIGHUP]
        for number in before:
            loop.add_signal_handler(number, self._interrupt, number)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)


def _now() -> datetime:
    return datetime.now(UTC)
