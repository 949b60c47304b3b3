"""The scheduler: at each tick, move every slot on by what is due, and say when to look again.

Sends only what is approved at that moment, and nothing by itself that is later than
`max_late`. Every step is a short transaction that checks the state that it changes, so
that two ticks at once, and a crash between any two steps, are harmless: what is done is
done once, what is not is done by the next tick. Letters go out after the step that they
tell of, so a crash can lose a letter but never doubles one.

Knows no process, no clock and no server: those are given to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from newsletter.calendar import letters
from newsletter.calendar.candidates import Approved, next_to_send
from newsletter.calendar.configuration_file import ConfigurationFile
from newsletter.calendar.letters import Letter
from newsletter.calendar.slot_campaign import Outlook, attach, campaign_of, freeze_held
from newsletter.calendar.slot_rows import (
    SlotRow,
    SlotState,
    change,
    following,
    local_time,
    row_of,
    rows,
    sync,
    unwritten,
)
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.config.schedule import ScheduleConfig
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.campaign import Campaign, one_after_the_other
from newsletter.delivery.history import replies
from newsletter.delivery.ledger import counts
from newsletter.delivery.model import State, Status
from newsletter.errors import NewsletterError
from newsletter.issue.folder import IssueFolder
from newsletter.store.engine import Store

_AGAIN = timedelta(minutes=1)  # after something went wrong
_LONGEST = timedelta(days=30)  # between two looks
_PUNCTUAL = timedelta(minutes=5)  # a tick may be so much behind, whatever max_late says
_REPLIES = 5  # that a report lists

_TOO_LATE = "found too late to go out by itself"
_NOTHING: dict[str, Any] = {"number": None, "edition_hash": None, "hold_until": None}
_OVER = {  # campaigns that are: what becomes of the slot, and why
    State.COMPLETED: (SlotState.SENT, ""),
    State.CANCELLED: (SlotState.STOPPED, "its campaign was cancelled"),
}

Compose = Callable[[IssueFolder, Workspace], Edition]  # checks first; raises NewsletterError
Send = Callable[[Campaign, Workspace], Outlook]  # sees to it that a sender is at work
Mail = Callable[[Letter, Workspace], object]  # to the editors; never raises for a bad world


class Scheduler:
    """One newsletter's slots. Everything that it knows for longer than a tick is in the store."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        *,
        clock: Callable[[], datetime],
        compose: Compose,
        send: Send,
        mail: Mail,
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        """*clock* gives aware times; *say* takes lines for whoever watches."""
        self.store = store
        self.workspace = workspace
        self._clock = clock
        self._compose = compose
        self._send = send
        self._mail = mail
        self._say = say
        self._configuration = ConfigurationFile(workspace)
        self._looks: list[datetime] = []  # of one tick, as is the next
        self._has_mishap = False

    @property
    def schedule(self) -> ScheduleConfig:
        return self.workspace.config.schedule

    def tick(self) -> datetime:
        """Do what is due; return when to look again, if nothing changes before.

        Raises:
            StorageError: the database cannot be used; nothing is half-done.
        """
        now = self._clock()
        if (config := self._configuration.news()) is not None:
            self.workspace = replace(self.workspace, config=config)
            self._say("newsletter.toml was changed")
        if (error := self._configuration.fault()) is not None:
            self._tell("newsletter.toml is broken", letters.broken_configuration(error))
        self._looks, self._has_mishap = [], False
        with self.store.begin() as conn:
            sync(conn, self.schedule, now)
        self._leave_late(now)
        for row in self._rows(SlotState.PLANNED):
            with self._mishaps(row, now):
                if row.starts_at <= now:
                    self._hold(row, now)
                else:
                    self._remind(row, now)
        for row in self._rows(SlotState.HOLDING):
            with self._mishaps(row, now):
                if row.hold_until is not None and row.hold_until <= now:
                    self._begin_sending(row, now)
        for row in self._rows(SlotState.SENDING):
            with self._mishaps(row, now):
                self._see_to_sending(row, now)
        return self._next_look(now)

    # ── before the slot, and too late after it ──────────────────────────────

    def _remind(self, row: SlotRow, now: datetime) -> None:
        """Look once at each reminder's hour whether something is approved; the nearest only."""
        passed = [h for h in self.schedule.reminders if row.starts_at - timedelta(hours=h) <= now]
        if not passed or (row.reminded is not None and row.reminded <= min(passed)):
            return
        approved, reasons = self._next_to_send()
        with self.store.begin() as conn:
            is_ours = change(conn, row, now=now, reminded=min(passed))
        if is_ours and approved is None:
            self._tell(
                f"nothing is approved for {self._at(row.starts_at)}",
                letters.reminder(row, reasons, now=now, schedule=self.schedule),
            )

    def _leave_late(self, now: datetime) -> None:
        limit = max(timedelta(hours=self.schedule.max_late), _PUNCTUAL)
        found = []
        with self.store.begin() as conn:
            one_after_the_other(conn)
            for row in rows(conn, SlotState.PLANNED, SlotState.HOLDING):
                if now - (row.hold_until or row.starts_at) > limit:
                    change(conn, row, now=now, state=SlotState.LATE, reason=_TOO_LATE, **_NOTHING)
                    found.append(row)
        if found:
            self._tell(
                f"too late, and left to you: {', '.join(str(row.day) for row in found[-5:])}",
                letters.late(found, schedule=self.schedule),
            )

    # ── at the slot ─────────────────────────────────────────────────────────

    def _hold(self, row: SlotRow, now: datetime, *, before: str = "") -> None:
        """Put into the slot what may go out, and hold it; skip the slot where there is nothing.

        *before* is what was held for it until now. One slot is held at a time, for two
        would hold the same issue: the later one waits.
        """
        if any(other.day != row.day for other in self._rows(SlotState.HOLDING)):
            return
        approved, reasons = self._next_to_send()
        with self.store.begin() as conn:
            one_after_the_other(conn)
            if any(other.day != row.day for other in rows(conn, SlotState.HOLDING)):
                return
            if approved is None:
                why = "; ".join(reasons) or "nothing was approved"
                new: dict[str, Any] = {"state": SlotState.SKIPPED, "reason": why, **_NOTHING}
            else:
                if campaigns.current(conn, approved.number) is not None:
                    return  # sent by hand in this second
                new = {
                    "state": SlotState.HOLDING,
                    "reason": "",
                    "number": approved.number,
                    "edition_hash": approved.edition.hash,
                    "hold_until": now + timedelta(minutes=self.schedule.hold),
                }
            is_ours = change(conn, row, now=now, **new)
            held = row_of(conn, row.day)
        if not is_ours or held is None:
            return
        if approved is None:
            letter = letters.skipped(row, reasons, before=before, schedule=self.schedule)
            self._tell(f"skipped, nothing is approved; {self._at(row.starts_at)}", letter)
        elif self.schedule.hold:
            subject = approved.edition.view.subject
            self._tell(
                f"Vol {held.number} is held until {self._at(held.hold_until or now)}; "
                "newsletter stop stops it",
                letters.held(held, subject=subject, passed_over=reasons, schedule=self.schedule),
            )

    def _begin_sending(self, row: SlotRow, now: datetime) -> None:
        """Freeze what was held, if it is approved to the byte as it was; else hold or skip."""
        with self.store.read() as conn:
            sent = campaigns.current(conn, row.number or "")
        if sent is None:
            approved, _ = self._next_to_send()
            if approved is None or approved.edition.hash != row.edition_hash:
                self._hold(row, now, before=f"Vol {row.number}")
                return
            sent = freeze_held(self.store, self.workspace, approved.edition, row, now=now)
        if sent is not None and attach(self.store, row.day, sent, now=now):
            self._say(f"Vol {sent.number} is being sent to {sent.intended:,} subscribers")

    def _see_to_sending(self, row: SlotRow, now: datetime) -> None:
        sent = campaign_of(self.store, row, now=now)
        outlook = Outlook(look_again=now + _AGAIN)
        if sent.state is State.SENDING:
            outlook = self._send(sent, self.workspace)
        with self.store.begin() as conn:
            sent = campaigns.get(conn, sent.id)
            found = row_of(conn, row.day)
            if found is None or found.state is not SlotState.SENDING:
                return
            if sent.state in _OVER:
                state, reason = _OVER[sent.state]
                if not change(conn, found, now=now, state=state, reason=reason):
                    return
        if sent.state is State.COMPLETED:
            self._report(found, sent, now)
        elif sent.state is State.PAUSED:
            why = f"paused: {sent.reason}" if sent.reason else "paused"
            self._looks.append(outlook.look_again)
            if self._note(found, why, now):
                self._say(f"Vol {sent.number} is {why}")
        elif sent.state is State.SENDING:
            self._looks.append(outlook.look_again)
            self._tell_trouble(found, outlook.problem, now, by_mail=not outlook.is_told)

    def _report(self, row: SlotRow, sent: Campaign, now: datetime) -> None:
        with self.store.read() as conn:
            found = counts(conn, sent.id)
            failures = replies(conn, sent.id, Status.FAILED, limit=_REPLIES)
            coming = following(conn, self.schedule, max(now, row.starts_at))
        self._tell(
            f"Vol {row.number} was sent: {found.accepted:,} of {found.intended:,} accepted",
            letters.report(row, found, failures, coming=coming, schedule=self.schedule),
        )

    # ── details ─────────────────────────────────────────────────────────────

    def _next_look(self, now: datetime) -> datetime:
        with self.store.read() as conn:
            open_ = rows(conn, SlotState.PLANNED, SlotState.HOLDING)
            coming = next(unwritten(conn, self.schedule, now), None)
        if coming is not None:
            open_.append(coming)
        looks = [now + _LONGEST, *self._looks]
        is_held = any(row.state is SlotState.HOLDING for row in open_)
        for row in open_:
            due = row.hold_until or row.starts_at
            if due > now:
                looks.append(due)
                moments = (due - timedelta(hours=h) for h in self.schedule.reminders)
                looks += [moment for moment in moments if moment > now]
            elif row.state is SlotState.HOLDING or not is_held:
                looks.append(now + _AGAIN if self._has_mishap else now)
        return max(now, min(looks))

    def _next_to_send(self) -> tuple[Approved | None, list[str]]:
        def compose(folder: IssueFolder) -> Edition:
            return self._compose(folder, self.workspace)

        return next_to_send(self.store, self.workspace, compose)

    def _rows(self, *states: SlotState) -> list[SlotRow]:
        with self.store.read() as conn:
            return rows(conn, *states)

    @contextmanager
    def _mishaps(self, row: SlotRow, now: datetime) -> Iterator[None]:
        """Note and tell once what is in the way of one slot; the others go on."""
        try:
            yield
        except NewsletterError as error:
            self._has_mishap = True
            self._tell_trouble(row, error.message, now)

    def _tell_trouble(
        self, row: SlotRow, problem: str, now: datetime, *, by_mail: bool = True
    ) -> None:
        if self._note(row, problem, now) and problem:
            self._say(f"{_name_of(row)} is not going on: {problem}")
            if by_mail:
                self._mail(letters.trouble(row, problem, schedule=self.schedule), self.workspace)

    def _note(self, row: SlotRow, reason: str, now: datetime) -> bool:
        """Write the reason into the row; whether it is news."""
        with self.store.begin() as conn:
            one_after_the_other(conn)
            found = row_of(conn, row.day)
            if found is None or found.state is not row.state or found.reason == reason:
                return False
            return change(conn, found, now=now, reason=reason)

    def _tell(self, line: str, letter: Letter) -> None:
        self._say(line)
        self._mail(letter, self.workspace)

    def _at(self, moment: datetime) -> str:
        return local_time(moment, self.schedule)


def _name_of(row: SlotRow) -> str:
    return f"Vol {row.number}" if row.number else f"the slot of {row.day}"
