"""The letters to the editors: what happens at a slot, and what they can do about it.

Texts only; holds no address of anybody and sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.calendar.slot_rows import SlotRow, local_time
from newsletter.config.schedule import ScheduleConfig
from newsletter.delivery.ledger import Counts
from newsletter.errors import NewsletterError

_LISTED = 10  # slots that one letter names


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    subject: str
    text: str


def reminder(
    row: SlotRow, reasons: Sequence[str], *, now: datetime, schedule: ScheduleConfig
) -> Letter:
    """Nothing can go out yet at a slot that is near."""
    at = local_time(row.starts_at, schedule)
    return Letter(
        subject=f"Nothing is approved for {at}",
        text=_joined(
            f"The next slot is {at}: in {_span(row.starts_at - now)}. As it stands, nothing will "
            "be sent.",
            _why(reasons),
            "newsletter approve approves an issue, up to the slot. newsletter postpone "
            f"{row.day} moves the slot; newsletter skip {row.day} leaves it out, and ends these "
            "reminders.",
        ),
    )


def held(
    row: SlotRow, *, subject: str, passed_over: Sequence[str], schedule: ScheduleConfig
) -> Letter:
    """An edition stands in the slot, and goes out when the hold is over."""
    until = local_time(row.hold_until or row.starts_at, schedule)
    return Letter(
        subject=f"Vol {row.number} goes out at {until}",
        text=_joined(
            f"Vol {row.number}, “{subject}”, edition {(row.edition_hash or '')[:16]}, is held and "
            f"will be sent to all subscribers: {until}.",
            "Passed over:\n" + _list(passed_over) if passed_over else "",
            "newsletter stop stops it until then. Afterwards newsletter pause "
            f"{row.number} stops what has not left.",
        ),
    )


def skipped(
    row: SlotRow, reasons: Sequence[str], *, before: str, schedule: ScheduleConfig
) -> Letter:
    """Nothing was approved when the slot came. *before* is what was held until now, if anything."""
    at = local_time(row.starts_at, schedule)
    return Letter(
        subject=f"Nothing was sent: nothing is approved for {at}",
        text=_joined(
            f"The slot of {at} was skipped; nothing was sent."
            + (f" {before} was held for it, and may not go out any more." if before else ""),
            _why(reasons),
            f"Approve the issue, then newsletter send-late {row.day} sends it, until the next slot "
            "is near.",
        ),
    )


def late(found: Sequence[SlotRow], *, schedule: ScheduleConfig) -> Letter:
    """Slots were found too late: the scheduler was not running, or the clock jumped."""
    times = [f"{row.day}: {local_time(row.starts_at, schedule)}" for row in found]
    more = [f"and {len(times) - _LISTED:,} more"] if len(times) > _LISTED else []
    what = "A slot" if len(found) == 1 else f"{len(found):,} slots"
    return Letter(
        subject=f"{what} passed without newsletter run: nothing was sent",
        text=_joined(
            f"{what} passed more than {schedule.max_late} hours ago (schedule.max_late) while the "
            "scheduler was not at work, or the clock was wrong. Nothing was sent by itself:",
            _list([*more, *times[-_LISTED:]]),
            f"newsletter send-late {found[-1].day} sends what is approved, until the next slot is "
            f"near; newsletter skip {found[-1].day} leaves it.",
        ),
    )


def report(
    row: SlotRow,
    counts: Counts,
    failures: Sequence[tuple[str, int]],
    *,
    coming: SlotRow | None,
    schedule: ScheduleConfig,
) -> Letter:
    """What became of the campaign, and when the next one is due."""
    others = [
        f"{number:,} {word}"
        for word, number in (
            ("failed", counts.failed),
            ("uncertain", counts.uncertain),
            ("left out: unsubscribed or suppressed meanwhile", counts.suppressed),
        )
        if number
    ]
    next_slot = "none" if coming is None else local_time(coming.starts_at, schedule)
    return Letter(
        subject=f"Vol {row.number} was sent: {counts.accepted:,} of {counts.intended:,} accepted",
        text=_joined(
            f"Vol {row.number} went out at the slot of {local_time(row.starts_at, schedule)}.",
            _list([f"{counts.accepted:,} of {counts.intended:,} accepted", *others]),
            "Why they failed:\n" + _list([f"{times:,} × {reply}" for reply, times in failures])
            if failures
            else "",
            f"newsletter resend {row.number} --undelivered tries the failed ones again."
            if counts.failed
            else "",
            f"newsletter reconcile {row.number} lists and settles what is uncertain: nobody gets "
            "it twice by itself."
            if counts.uncertain
            else "",
            f"Next slot: {next_slot}.",
        ),
    )


def trouble(row: SlotRow, problem: str, *, schedule: ScheduleConfig) -> Letter:
    """Something in the way of a slot: it is tried again by itself."""
    what = f"Vol {row.number}" if row.number else f"the slot of {row.day}"
    return Letter(
        subject=f"{what[0].upper()}{what[1:]} is not going on",
        text=_joined(
            f"{what[0].upper()}{what[1:]}, due {local_time(row.starts_at, schedule)}, is not "
            f"going on: {problem}",
            "It is tried again by itself. newsletter schedule and newsletter status show how far "
            "it is.",
        ),
    )


def broken_configuration(error: NewsletterError) -> Letter:
    """newsletter.toml cannot be read any more; the scheduler goes on with what it knew."""
    return Letter(
        subject="newsletter.toml is broken",
        text=_joined(
            "newsletter.toml was changed and cannot be used. The scheduler goes on with what "
            "stood there before:",
            error.message,
            error.hint or "",
        ),
    )


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _why(reasons: Sequence[str]) -> str:
    return _list(reasons) if reasons else "No issue is approved."


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _span(left: timedelta) -> str:
    """ "2 hours", "1 hour 40 minutes", "1 minute"; rounded up to minutes."""
    minutes = max(1, -(-left // timedelta(minutes=1)))
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "hour"), (minutes, "minute")]
    return " ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts if n)
