"""The sender processes of one scheduler: at most one for a campaign, started again as needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.calendar.sender_process import Ended, SenderProcess
from newsletter.calendar.slot_campaign import Outlook
from newsletter.config import Workspace
from newsletter.delivery.campaign import Campaign
from newsletter.delivery.sending import Ending

_LOOK = timedelta(minutes=1)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=3), timedelta(hours=1)  # after a failure
_SOUND = timedelta(minutes=1)  # a sender that lives so long has overcome what stopped the last one


@dataclass(slots=True)
class _Sender:
    process: SenderProcess | None = None
    started_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0  # in a row
    problem: str = ""
    is_told: bool = False


class Senders:
    """To be used by one thread at a time, but for `has_news` and `terminate`."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._senders: dict[int, _Sender] = {}
        self._is_closed = False

    def see_to(self, campaign: Campaign, workspace: Workspace) -> Outlook:
        """See to it that a sender is at work on the campaign, or will be; say how it goes."""
        now = self._clock()
        sender = self._senders.setdefault(campaign.id, _Sender())
        if sender.started_at is not None and now - sender.started_at > _SOUND:
            sender.failures, sender.problem = 0, ""
        is_due = sender.not_before is None or sender.not_before <= now
        if sender.process is None and is_due and not self._is_closed:
            sender.process = SenderProcess(workspace, campaign.id)
            sender.started_at = now
        look_again = now + _LOOK
        if sender.process is None and sender.not_before is not None:
            look_again = max(now, sender.not_before)
        return Outlook(look_again=look_again, problem=sender.problem, is_told=sender.is_told)

    def collect(self) -> None:
        """Take note of those that have ended, whether or not their campaigns are done."""
        for sender in self._senders.values():
            if sender.process is not None and not sender.process.is_alive:
                self._take_note(sender, sender.process.ended(), self._clock())

    @property
    def has_news(self) -> bool:
        """Whether a sender has ended since `collect`."""
        return any(process is not None and not process.is_alive for process in self._processes())

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for one that is at work to end; False where there was none."""
        for process in self._processes():
            if process.is_alive:
                process.join(seconds)
                return True
        return False

    def terminate(self) -> None:
        """Start no more, and let those at work end in order."""
        self._is_closed = True
        for process in self._processes():
            process.terminate()

    def _processes(self) -> list[SenderProcess]:
        found = [sender.process for sender in list(self._senders.values())]
        return [process for process in found if process is not None]

    def _take_note(self, sender: _Sender, ended: Ended, now: datetime) -> None:
        sender.process = sender.started_at = sender.not_before = None
        if ended.problem:
            pause = min(_FIRST_PAUSE * 2**sender.failures, _LONGEST_PAUSE)
            sender.failures = min(sender.failures + 1, 16)
            sender.not_before = now + pause
            sender.problem, sender.is_told = ended.problem, ended.is_told
            return
        sender.problem, sender.is_told = "", False
        if ended.is_busy or ended.ending is Ending.INTERRUPTED:
            # By somebody else: for a moment, or for hours.
            sender.not_before = now + min(_FIRST_PAUSE * 2**sender.failures, _LOOK)
            sender.failures = min(sender.failures + 1, 16)
            return
        sender.failures = 0
        if ended.ending is Ending.WAITING:
            sender.not_before = ended.resumes_at or now + _LOOK
