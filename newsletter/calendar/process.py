"""The one long process, `newsletter run`: a tick every 15 seconds, until a signal ends it.

APScheduler is only the tick. It knows one job and stores nothing: what is due is computed
and kept in the database, so a tick that comes late, twice or not at all loses nothing.
Only one process on a database works; the others stand by.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.calendar.compacting import Compacting
from newsletter.calendar.lease import Lease
from newsletter.calendar.mailbox_looks import MailboxLooks
from newsletter.calendar.post import Post
from newsletter.calendar.scheduler import Compose, Scheduler
from newsletter.calendar.senders import Senders
from newsletter.calendar.slot_rows import following, local_time
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.errors import NewsletterError, StorageError
from newsletter.issue.folder import IssueFolder
from newsletter.store.engine import Store

_LONGEST = timedelta(seconds=15)  # between two ticks: how soon people's decisions are seen
_SHORTEST = timedelta(milliseconds=200)
_STAND_BY = timedelta(seconds=5)  # between two tries to take the lease
_GLANCE = 0.5  # seconds between looks for ended senders and a clock that jumped
_JUMP = timedelta(seconds=5)  # a tick that is so much overdue: the machine slept
_PATIENCE = 90.0  # seconds that a sender has to finish what is under way


class _Leaving(Exception):  # noqa: N818 - no error
    """Ctrl-C ended a helper in the middle of a tick."""


class Process:
    """A scheduler with a real clock, real senders and real mail."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        *,
        compose: Compose,
        say: Callable[[str], object],
    ) -> None:
        """*say* takes the lines for whoever watches, each with its local time."""
        self._store = store
        self._say_line = say
        self._lease = Lease(store)
        self._post = Post(clock=_now, say=self._say)
        self._senders = Senders(clock=_now)
        self._compacting = Compacting(store, clock=_now, say=self._say)
        self._looks = MailboxLooks(clock=_now, say=self._say)
        self._is_at_work: bool | None = None  # False: standing by
        self._stop = threading.Event()
        self._said = ""  # the last problem of a tick, until one succeeds
        self._compose = compose
        self._scheduler = Scheduler(
            store,
            workspace,
            clock=_now,
            compose=self._composed,
            send=self._senders.see_to,
            mail=self._post.send,
            say=self._say,
        )

    def run(self) -> None:
        """Work until SIGTERM or Ctrl-C, then let the senders finish what is under way."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        ticker = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        job = ticker.add_job(
            self._tick,
            IntervalTrigger(seconds=int(_LONGEST.total_seconds()), timezone=UTC),
            next_run_time=_now(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

        def tick_again(event: JobExecutionEvent) -> None:
            soon = max(event.retval, _now() + _SHORTEST)
            if soon < job.next_run_time:
                job.modify(next_run_time=soon)

        ticker.add_listener(tick_again, EVENT_JOB_EXECUTED)
        with self._signals():
            ticker.start()
            try:
                while not self._stop.wait(_GLANCE):
                    self._wake(job)
            finally:
                self._senders.terminate()
                ticker.shutdown(wait=True)
                self._looks.terminate()
                self._leave()

    def run_once(self) -> bool:
        """Do what is due now, and see its senders to the end: for cron.

        False: the world was in the way, as was said.
        """
        with self._signals():
            try:
                while not self._stop.is_set():
                    look_again = self._tick()
                    if not self._is_at_work:
                        break
                    while self._senders.wait(_GLANCE) and not self._senders.has_news:
                        if self._stop.is_set():
                            return True
                    if not self._senders.has_news and look_again > _now() + _SHORTEST:
                        break
                while self._looks.wait(_GLANCE) and not self._stop.is_set():
                    pass
                return not self._said and not self._looks.problem
            finally:
                self._senders.terminate()
                self._looks.terminate()
                self._leave()

    # ── ticks ───────────────────────────────────────────────────────────────

    def _tick(self) -> datetime:
        """Tick if the lease is ours; return when to tick again. Never raises."""
        try:
            if not self._is_ours():
                return _now() + _STAND_BY
            self._senders.collect()
            self._post.try_again(self._scheduler.workspace)
            look_again = self._scheduler.tick()
            self._compacting.see_to()
            self._looks.see_to(self._scheduler.workspace)
        except NewsletterError as error:
            if error.message != self._said:
                self._said = error.message
                self._say(f"error: {error.message}" + (f" ({error.hint})" if error.hint else ""))
            return _now() + _LONGEST
        except _Leaving:
            return _now() + _LONGEST
        except Exception:
            # A mistake of ours. The other slots must not wait for somebody who reads this.
            self._said = "an internal error"
            self._say(f"{self._said}; it is tried again\n{traceback.format_exc()}")
            return _now() + _LONGEST
        self._said = ""
        return look_again

    def _composed(self, folder: IssueFolder, workspace: Workspace) -> Edition:
        try:
            return self._compose(folder, workspace)
        except StorageError as error:
            if self._stop.is_set():  # Ctrl-C in a terminal ends the process that composes, too
                raise _Leaving from error
            raise

    def _is_ours(self) -> bool:
        before, self._is_at_work = self._is_at_work, self._lease.take()
        if self._is_at_work and not before:
            self._say(f"at work; {self._coming()}")
        elif not self._is_at_work and before is not False:
            self._say("standing by: another newsletter run is at work")
        return self._is_at_work

    def _coming(self) -> str:
        schedule = self._scheduler.schedule
        if not schedule.is_set:
            return "newsletter.toml has no schedule yet: put first = … below [schedule]"
        with self._store.read() as conn:
            coming = following(conn, schedule, _now())
        if coming is None:
            return "no slot is to come"
        return f"the next slot is {local_time(coming.starts_at, schedule)}"

    def _wake(self, job: Job) -> None:
        """Tick now where a sender has ended, or the clock was set or stood still."""
        now = _now()
        is_in_time = now - _JUMP <= job.next_run_time <= now + _LONGEST + _JUMP
        if self._senders.has_news or not is_in_time:
            job.modify(next_run_time=now)

    # ── the end ─────────────────────────────────────────────────────────────

    def _leave(self) -> None:
        if self._senders.wait(0):
            self._say("waiting for the sender to finish what is under way")
            deadline = time.monotonic() + _PATIENCE
            while self._senders.wait(_GLANCE) and time.monotonic() < deadline:
                pass
        self._lease.release()
        if self._stop.is_set():
            self._say("stopped; the next newsletter run goes on")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """The first SIGTERM, Ctrl-C or closed terminal ends in order, the second at once."""
        numbers = [int(signal.SIGINT), int(signal.SIGTERM)]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: it outlives the terminal
            numbers.append(int(signal.SIGHUP))
        before = {number: signal.getsignal(number) for number in numbers}

        def stop(number: int, frame: FrameType | None) -> None:
            self._stop.set()
            signal.signal(number, before[number])

        for number in numbers:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _say(self, line: str) -> None:
        schedule = self._scheduler.schedule
        local = _now().astimezone(ZoneInfo(schedule.timezone))
        self._say_line(f"{local:%Y-%m-%d %H:%M} {schedule.timezone}: {line}")


def _now() -> datetime:
    return datetime.now(UTC)
