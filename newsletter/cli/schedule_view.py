"""How the plan looks: lines of text, JSON, and entries of a calendar. Decides nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from newsletter.calendar.approval import Standing, in_words, names
from newsletter.calendar.plan import Contender, Place
from newsletter.calendar.slot_rows import SlotState, local_time
from newsletter.cli.shared import plural
from newsletter.cli.words import distance
from newsletter.config import Workspace

if TYPE_CHECKING:
    from newsletter.calendar.ical import Entry

_WIDTH = 80
_GLUE = "\u00a0"  # no-break space

# What a person can still do, by the state of the slot.
_REMEDIES = {
    SlotState.HOLDING: "{stop} stops it",
    SlotState.SENDING: "{status} follows it",
    SlotState.STOPPED: "{send_late} sends it after all, until the next slot nears",
    SlotState.LATE: "{send_late} sends what is approved, until the next slot nears",
    SlotState.SKIPPED: "{send_late} sends what is approved, until the next slot nears",
}
_ONLY_THE_LAST = (SlotState.STOPPED, SlotState.LATE, SlotState.SKIPPED)


# ── text ────────────────────────────────────────────────────────────────────


def as_text(places: list[Place], workspace: Workspace, now: datetime) -> str:
    """A paragraph for each slot, in at most 80 columns where words allow."""
    empty = [place for place in places if _is_empty(place)]
    over = [place for place in places if place.slot.starts_at <= now]
    # Nobody wants to be told five times to make a new issue.
    untold = [*empty[1:], *(place for place in over[:-1] if place.state in _ONLY_THE_LAST)]
    paragraphs = []
    for place in places:
        task = "" if place in untold else _task(place, workspace, now)
        local = place.slot.local
        when = local_time(place.slot.starts_at, workspace.config.schedule)
        lines = [_wrapped(text) for text in (_what(place), task, place.slot.note) if text]
        paragraphs.append("\n".join([f"{when}, {distance(local, now)}", *lines]))
    return "\n\n".join(paragraphs)


def _is_empty(place: Place) -> bool:
    return place.state is SlotState.PLANNED and place.contender is None


def _wrapped(text: str, indent: str = "  ") -> str:
    lines = wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=2 * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_GLUE, " ")


def _command(words: str) -> str:
    """A command to type, which is not broken over two lines."""
    return f"newsletter {words}".replace(" ", _GLUE)


def _what(place: Place) -> str:
    """Which issue, and how far it is: "Vol 2.25: approved by kim"."""
    if place.state is not SlotState.PLANNED:
        issue = "" if place.number is None else f"Vol {place.number}: "
        until = ""
        if place.state is SlotState.HOLDING and place.hold_until is not None:
            until = f" until {place.hold_until.astimezone(place.slot.local.tzinfo):%H:%M}"
        why = f": {place.reason}" if place.reason else ""
        if place.state is SlotState.HOLDING and place.contender is not None:
            why += _why_not(place.contender)
        return f"{issue}{place.state}{until}{why}"
    if place.contender is None:
        return "no issue yet"
    return f"Vol {place.contender.number}: {_standing(place.contender)}"


def _why_not(held: Contender) -> str:
    """Why what is held will not go out, if so. By hand it may be on its way already."""
    if held.state.standing in (Standing.APPROVED, Standing.SENT):
        return ""
    return f"; it will not go out: {_standing(held)}"


def _standing(contender: Contender) -> str:
    state = contender.state
    if state.standing is Standing.APPROVED:
        return f"approved by {names(state)}"
    if state.standing is Standing.NONE:
        errors = f" with {plural(contender.errors, 'error')}" if contender.errors else ""
        return f"draft{errors}, {state.standing}"
    return in_words(state) + (f": {contender.fault}" if contender.fault else "")


def _task(place: Place, workspace: Workspace, now: datetime) -> str:
    """Who must do what by when, or can."""
    if place.state is not SlotState.PLANNED:
        return _remedy(place, now)
    if place.slot.starts_at <= now:
        return f"it is due: {_command('run')} takes it up"
    contender = place.contender
    if contender is not None and contender.state.standing is Standing.APPROVED:
        hold = workspace.config.schedule.hold
        holds = f"holds it for {plural(hold, 'minute')} then, and" if hold else "then"
        return f"nothing to do: {_command('run')} {holds} sends it"
    by = f"by {_short(place.slot.local)}, or nothing is sent"
    if contender is None:
        return f"{_command('new')} makes one, which is to be approved {by}"
    approve = _command(f"approve {contender.number}")
    task = f"{_who(contender, workspace)} {by}: {approve}"
    if contender.errors or contender.fault:
        check = _command(f"check {contender.number}")
        return f"{check} lists what is wrong; then {task}"
    return task


def _remedy(place: Place, now: datetime) -> str:
    day = place.slot.day.isoformat()
    if place.state is SlotState.SKIPPED and place.slot.starts_at > now:
        return f"{_command(f'postpone {day}')} brings it back"
    return _REMEDIES.get(place.state, "").format(
        stop=_command("stop"),
        send_late=_command(f"send-late {day}"),
        status=_command(f"status {place.number}"),
    )


def _who(contender: Contender, workspace: Workspace) -> str:
    missing = contender.state.missing or workspace.config.review.approvals
    who = plural(missing, "person", "people") if missing > 1 else "somebody"
    if contender.state.standing is Standing.PARTIAL:
        who = plural(missing, "more person", "more people")
    other = "" if workspace.config.review.self_approval else ", not who wrote it,"
    return f"{who}{other} must approve it"


def _short(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %H:%M}".replace(" ", _GLUE)


def policy(workspace: Workspace) -> str:
    """What holds for every slot."""
    schedule = workspace.config.schedule
    stop = f"held for {plural(schedule.hold, 'minute')}, in which {_command('stop')} stops it"
    hold = stop if schedule.hold else "sent at once"
    late = f"sent within {plural(schedule.max_late, 'hour')}; later it waits for a person"
    return _wrapped(
        f"At its time an approved issue is {hold}. After downtime it is {late}.", indent=""
    )


# ── JSON ────────────────────────────────────────────────────────────────────


def as_record(place: Place, workspace: Workspace) -> dict[str, Any]:
    """The keys are described in docs/how-to/schedule.md; they are only ever added to."""
    contender = place.contender
    state = None if contender is None else contender.state
    is_wanted = place.state is SlotState.PLANNED and (
        state is None or state.standing is not Standing.APPROVED
    )
    return {
        "day": place.slot.day.isoformat(),
        "starts_at": place.slot.starts_at.isoformat(),
        "local": place.slot.local.isoformat(),
        "timezone": workspace.config.schedule.timezone,
        "note": place.slot.note,
        "state": place.state.value,
        "reason": place.reason,
        "issue": place.number,
        "standing": None if state is None else state.standing.name.lower(),
        "approved_by": [] if state is None else [a.approved_by for a in state.approvals],
        "changes": [] if state is None else list(state.changes),
        "approvals_missing": None if state is None else state.missing,
        "errors": None if contender is None else contender.errors,
        "approve_by": place.slot.local.isoformat() if is_wanted else None,
        "held_until": None if place.hold_until is None else place.hold_until.isoformat(),
    }


# ── iCalendar ───────────────────────────────────────────────────────────────


def as_entry(place: Place) -> Entry:
    """The entry names no people: the file is passed on."""
    from newsletter.calendar.ical import Entry

    contender = place.contender
    what = str(place.state)
    if place.state is SlotState.PLANNED:
        what = "no issue yet" if contender is None else str(contender.state.standing)
    return Entry(
        slot=replace(place.slot, note="moved") if "moved by " in place.slot.note else place.slot,
        label="" if place.number is None else f"Vol {place.number}",
        description=what,
        cancelled=place.state is SlotState.SKIPPED,
        sequence=0 if place.changed_at is None else int(place.changed_at.timestamp()) // 60,
    )
