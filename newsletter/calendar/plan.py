"""Which issue stands in which slot, and how far it is: the past few, and those to come.

Approved issues come first, by number; then the others, by number, as if they were
approved in time. Looks and composes; changes nothing. Refuses to send and to say
what a person should do: that is for whoever shows it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.calendar.approval import ApprovalState, Standing, state_of
from newsletter.calendar.candidates import Compose, candidates, composed
from newsletter.calendar.slot_rows import SlotRow, SlotState, rows
from newsletter.calendar.slots import Slot, require_schedule, upcoming
from newsletter.config import Workspace
from newsletter.config.schedule import ScheduleConfig
from newsletter.delivery.model import State
from newsletter.diagnostics import Severity
from newsletter.diagnostics import count as count_of
from newsletter.issue.check import check_folder
from newsletter.issue.folder import IssueFolder, all_issues
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Neighbour
from newsletter.store.engine import Store
from newsletter.store.tables import campaign
from newsletter.store.tables import slot as slot_table

_OPEN = (SlotState.PLANNED, SlotState.HOLDING, SlotState.SENDING)
_TAKEN = (SlotState.HOLDING, SlotState.SENDING, SlotState.SENT)  # by the issue that the row names


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """An issue on its way to a slot."""

    number: str
    state: ApprovalState
    errors: int = 0  # of its text; looked for only where nothing is approved
    fault: str = ""  # why an approved one cannot be composed any more


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A slot and what stands in it."""

    slot: Slot
    state: SlotState = SlotState.PLANNED
    number: str | None = None  # of the issue; None: there is none yet, or was none
    contender: Contender | None = None  # only while it is planned or held
    reason: str = ""
    hold_until: datetime | None = None
    changed_at: datetime | None = None  # when the row was written; None: it is only computed


def plan(
    store: Store,
    workspace: Workspace,
    compose: Compose,
    *,
    now: datetime,
    count: int,
    past: int = 0,
) -> list[Place]:
    """List the *past* slots of late, those under way, and *count* to come, in order.

    Raises:
        ConfigError: there is no schedule; it says how to make one.
        StorageError: the disk or the database refuses.
    """
    schedule = workspace.config.schedule
    require_schedule(schedule)
    with store.read() as conn:
        written = dict(conn.execute(sa.select(slot_table.c.day, slot_table.c.updated_at)).all())
        kept = [row for row in rows(conn) if not _follows_the_schedule(row, now)]
    of_rows = [_place_of(row, schedule, written[row.day.isoformat()]) for row in kept]
    to_come = [place for place in of_rows if place.slot.starts_at > now]
    to_come += islice(_computed(schedule, now, {row.day for row in kept}), count)
    over = [place for place in of_rows if place.slot.starts_at <= now]
    done = [place for place in over if place.state not in _OPEN]
    places = [
        *done[max(0, len(done) - past) :],
        *(place for place in over if place.state in _OPEN),
        *sorted(to_come, key=lambda place: place.slot.starts_at)[:count],
    ]
    zone = ZoneInfo(schedule.timezone)
    return _filled(places, store, workspace, compose, today=now.astimezone(zone).date())


def _follows_the_schedule(row: SlotRow, now: datetime) -> bool:
    """Whether the schedule knows better: it may have changed since the row was written."""
    return row.state is SlotState.PLANNED and row.postponed_by is None and row.starts_at > now


def _computed(schedule: ScheduleConfig, now: datetime, known: Container[date]) -> Iterator[Place]:
    for slot in upcoming(schedule, now):
        if slot.day not in known:
            yield Place(slot=slot)


def _place_of(row: SlotRow, schedule: ScheduleConfig, changed_at: datetime) -> Place:
    slot = Slot(
        day=row.day,
        starts_at=row.starts_at,
        local=row.starts_at.astimezone(ZoneInfo(schedule.timezone)),
        note=f"moved by {row.postponed_by}" if row.postponed_by else "",
    )
    return Place(
        slot=slot,
        state=row.state,
        number=row.number,
        reason=row.reason,
        hold_until=row.hold_until,
        changed_at=changed_at,
    )


# ── issues ──────────────────────────────────────────────────────────────────


def _filled(
    places: list[Place], store: Store, workspace: Workspace, compose: Compose, *, today: date
) -> list[Place]:
    """Put the issues into the planned slots, one each, in order."""
    taken = {place.number for place in places if place.state in _TAKEN}
    wanted = sum(place.state is SlotState.PLANNED for place in places)
    contenders = islice(_contenders(store, workspace, compose, taken, today), wanted)
    filled = []
    for place in places:
        contender = next(contenders, None) if place.state is SlotState.PLANNED else None
        if place.state is SlotState.HOLDING and place.number is not None:
            contender = _approved(store, workspace, compose, place.number)
        number = contender.number if contender else place.number
        filled.append(replace(place, number=number, contender=contender))
    return filled


def _contenders(
    store: Store, workspace: Workspace, compose: Compose, taken: set[str | None], today: date
) -> Iterator[Contender]:
    with_approval = [number for number in candidates(store) if number not in taken]
    waiting = []
    for number in with_approval:
        contender = _approved(store, workspace, compose, number)
        if contender.state.standing is Standing.APPROVED:
            yield contender
        else:
            waiting.append(contender)
    others = {contender.number: contender for contender in waiting}
    drafts = [n for n in _drafts(store, workspace, today) if n not in {*with_approval, *taken}]
    for number in sorted([*others, *drafts], key=IssueNumber.parse):
        yield others.get(number) or _draft(store, workspace, number, today)


def _approved(store: Store, workspace: Workspace, compose: Compose, number: str) -> Contender:
    """Tell of an issue that was approved how it stands by its bytes of now."""
    edition, fault = composed(workspace, number, compose)
    with store.read() as conn:
        state = state_of(conn, workspace, number, edition)
    return Contender(number=number, state=state, fault=fault)


def _draft(store: Store, workspace: Workspace, number: str, today: date) -> Contender:
    folder = IssueFolder(workspace.issues / IssueNumber.parse(number).folder, workspace.issues)
    checked = check_folder(folder, workspace, today=today)
    with store.read() as conn:
        state = state_of(conn, workspace, number, None)
    errors = count_of(checked.diagnostics, Severity.ERROR)
    return Contender(number=number, state=state, errors=errors)


def _drafts(store: Store, workspace: Workspace, today: date) -> list[str]:
    """Numbers above the highest that was sent.

    Where nothing was sent yet: those dated from today on or without a date, else the
    newest; what lies there besides was published before this system came.
    """
    query = sa.select(campaign.c.number).where(
        campaign.c.audience == "", campaign.c.state != State.CANCELLED.value
    )
    with store.read() as conn:
        sent = [IssueNumber.parse(number) for number in conn.scalars(query.distinct())]
    issues = {
        issue.folder_number: issue
        for issue in all_issues(workspace.issues)
        if issue.folder_number is not None
    }
    if sent:
        return [str(number) for number in issues if number > max(sent)]
    ahead = [str(number) for number, issue in issues.items() if _is_ahead(issue, today)]
    return ahead or [str(number) for number in sorted(issues)[-1:]]


def _is_ahead(issue: Neighbour, today: date) -> bool:
    return issue.date is None or issue.date >= today
