"""How a campaign looks: the same facts as lines of text and as JSON. See `watching` for the table.

Reads the ledger; never writes. Shows no address and no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from newsletter.cli.campaigns import command_for, title
from newsletter.cli.words import duration, moment, speed
from newsletter.delivery.model import State, Status

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.config import Workspace
    from newsletter.delivery.campaign import Campaign
    from newsletter.delivery.ledger import Counts
    from newsletter.store.engine import Store

SHOWN_REPLIES = 5
_RECENT = timedelta(seconds=30)  # what the speed of a single look is measured over

Rows = Iterator[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at a campaign. Speed is deliveries per second, None where nothing is known of it."""

    campaign: Campaign
    counts: Counts
    now: datetime
    transport: str
    rates: tuple[tuple[str, str], ...]  # of `Pace.lines`
    opens_at: datetime | None  # when the rates allow more; None: they do now
    expected_at: datetime | None  # when the rates let the last one go; None: they do not say
    is_sender_at_work: bool = True
    refused: tuple[tuple[str, int], ...] = ()  # replies to failed deliveries, and how many
    refused_for_now: tuple[tuple[str, int], ...] = ()
    speed: float | None = None

    def measured(self, speed: float | None) -> View:
        """The same look with a *speed* that was measured elsewhere."""
        return replace(self, speed=speed if self.is_sender_at_work else None)

    @property
    def is_waiting_for_rates(self) -> bool:
        is_due = self.counts.pending > self.counts.waiting
        return self.is_sender_at_work and self.opens_at is not None and is_due

    @property
    def seconds_left(self) -> float | None:
        """Until the last one is handed over, by the speed and by the rates; None: not known."""
        due = self.counts.pending - self.counts.waiting
        if not self.is_sender_at_work or not self.speed or not due:
            return None
        by_rates = (self.expected_at - self.now).total_seconds() if self.expected_at else 0.0
        return max(due / self.speed, by_rates)


def look(store: Store, workspace: Workspace, campaign: Campaign, now: datetime) -> View:
    """Read everything about *campaign* but its speed, which takes two looks."""
    from newsletter.delivery.ledger import counts
    from newsletter.delivery.lock import is_held

    is_at_work = campaign.state is State.SENDING and is_held(store, campaign.id)
    with store.read() as conn:
        found = counts(conn, campaign.id)
        view = _glance(conn, workspace, campaign, found, now)
        return replace(
            view,
            is_sender_at_work=is_at_work,
            refused=_replies(conn, campaign, Status.FAILED, found.failed),
            refused_for_now=_replies(conn, campaign, Status.PENDING, found.waiting),
        )


def glance(
    store: Store, workspace: Workspace, campaign: Campaign, counts: Counts, now: datetime
) -> View:
    """Read nothing that takes long, and take the *counts* of the sender that is at work."""
    with store.read() as conn:
        return _glance(conn, workspace, campaign, counts, now)


def _glance(
    conn: sa.Connection, workspace: Workspace, campaign: Campaign, counts: Counts, now: datetime
) -> View:
    from newsletter.delivery.pace import Pace

    pace = Pace(workspace.config.rates)
    opens_at = pace.opens_at(conn, now)
    expected = pace.time_for(conn, counts.pending, now) if counts.pending else None
    return View(
        campaign=campaign,
        counts=counts,
        now=now,
        transport=transport_words(workspace, campaign.transport),
        rates=tuple(pace.lines(conn, now)),
        opens_at=opens_at if opens_at > now else None,
        expected_at=None if expected is None else now + expected,
    )


def recent_speed(store: Store, view: View) -> float:
    """Deliveries per second over the last half minute, as the ledger has them."""
    from newsletter.delivery.history import decided_since

    with store.read() as conn:
        decided = decided_since(conn, view.campaign.id, view.now - _RECENT)
    return decided / _RECENT.total_seconds()


def transport_words(workspace: Workspace, kind: str) -> str:
    """Which transport, and where it leads: "smtp, mail.example.org:587 with starttls"."""
    config = workspace.config
    if kind == "smtp":
        smtp = config.smtp
        port = smtp.port or {"starttls": 587, "tls": 465, "none": 25}[smtp.security]
        how = "without encryption" if smtp.security == "none" else f"with {smtp.security}"
        return f"smtp, {smtp.host}:{port} {how}"
    if kind == "sendgrid":
        where = config.sendgrid.url or f"region {config.sendgrid.region}"
        return f"sendgrid, {where}"
    return f"outbox, files in {config.outbox.folder}/; nothing leaves this machine"


# ── text ────────────────────────────────────────────────────────────────────


def headline(view: View) -> str:
    return f"{title(view.campaign)}, “{view.campaign.frozen.headers.subject}”"


def facts(view: View) -> Rows:
    """Name and text of each line, in order; the counts, then what holds now."""
    counts = view.counts
    yield "state", state_words(view)
    yield "accepted", f"{counts.accepted:,} of {counts.intended:,}{_share(counts)}"
    yield "failed", f"{counts.failed:,}"
    if counts.suppressed:
        yield "suppressed", f"{counts.suppressed:,}, left or suppressed since it was frozen"
    yield "uncertain", f"{counts.uncertain:,}"
    yield "pending", f"{counts.pending:,}{_waiting(view)}"
    if view.is_waiting_for_rates and view.expected_at is not None:
        yield "speed", f"as the rates allow; done at about {moment(view.expected_at, view.now)}"
    elif view.speed is not None and counts.pending:
        left = view.seconds_left
        yield "speed", speed(view.speed) + (f"; done in about {duration(left)}" if left else "")
    yield "transport", view.transport
    for place, (name, text) in enumerate(view.rates):
        yield "" if place else "rates", f"{name}: {text}"


def state_words(view: View) -> str:
    """What happens at this moment, and why; one sentence."""
    campaign, counts = view.campaign, view.counts
    if campaign.state is State.COMPLETED:
        return f"completed at {moment(campaign.updated_at, view.now)}"
    if campaign.state is not State.SENDING:
        why = f": {campaign.reason}" if campaign.reason else ""
        return f"{campaign.state}{why}"
    if not view.is_sender_at_work:
        return "stopped: no sender is at work"
    if view.is_waiting_for_rates and view.opens_at is not None:
        return f"waiting: the rates allow more at {moment(view.opens_at, view.now)}"
    if counts.waiting and counts.waiting == counts.pending and counts.next_try is not None:
        return f"waiting: the next try is at {moment(counts.next_try, view.now)}"
    return "sending"


def _share(counts: Counts) -> str:
    return f" ({counts.accepted * 100 // counts.intended} %)" if counts.intended else ""


def _waiting(view: View) -> str:
    counts = view.counts
    if not counts.waiting or counts.next_try is None or view.campaign.state is State.CANCELLED:
        return ", never to be sent" if counts.pending and not _is_open(view.campaign) else ""
    waits = "waits" if counts.waiting == 1 else "wait"
    at = moment(counts.next_try, view.now)
    return f"; {counts.waiting:,} {waits} for a turn or another try, from {at} on"


def _is_open(campaign: Campaign) -> bool:
    return campaign.state in (State.SENDING, State.PAUSED)


def advice(view: View) -> list[str]:
    """What a person can do now; nothing where there is nothing to do."""
    campaign, counts = view.campaign, view.counts
    found = []
    if campaign.state is State.PAUSED:
        found.append(f"{command_for('resume', campaign)} goes on with it")
    elif campaign.state is State.SENDING and not view.is_sender_at_work:
        found.append(f"{command_for('send', campaign)} goes on with it")
    if counts.uncertain:
        found.append(f"{command_for('reconcile', campaign)} lists and settles what is uncertain")
    if counts.failed and campaign.state is State.COMPLETED:
        found.append(f"{command_for('resend', campaign)} --undelivered tries the failed ones again")
    return found


def as_text(view: View) -> str:
    """The whole look, for a terminal of 80 columns and for pipes."""
    lines = [headline(view)]
    lines += [f"  {name:<11} {text}" for name, text in facts(view)]
    for heading, replies in reply_groups(view):
        lines += ["", f"  {heading}"]
        lines += [f"  {times:>7,}  {reply}" for reply, times in replies]
    if found := advice(view):
        lines += ["", *(f"  next: {text}" for text in found)]
    return "\n".join(lines)


def reply_groups(view: View) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    """Heading and replies; nothing where nobody was refused."""
    if view.refused:
        yield "why they failed", view.refused
    if view.refused_for_now:
        yield "refused for now, to be tried again", view.refused_for_now


def _replies(
    conn: sa.Connection, campaign: Campaign, status: Status, number: int
) -> tuple[tuple[str, int], ...]:
    from newsletter.delivery.history import replies

    return tuple(replies(conn, campaign.id, status, limit=SHOWN_REPLIES)) if number else ()


# ── JSON ────────────────────────────────────────────────────────────────────


def as_record(view: View) -> dict[str, Any]:
    """The look for programs; docs/how-to/send.md says what each key means."""
    campaign, counts = view.campaign, view.counts
    left = view.seconds_left
    return {
        "issue": campaign.number,
        "tag": campaign.tag,
        "subject": campaign.frozen.headers.subject,
        "edition": campaign.edition_hash,
        "state": campaign.state.value,
        "reason": campaign.reason,
        "sender_at_work": view.is_sender_at_work,
        "intended": counts.intended,
        "accepted": counts.accepted,
        "failed": counts.failed,
        "suppressed": counts.suppressed,
        "uncertain": counts.uncertain,
        "pending": counts.pending,
        "in_flight": counts.in_flight,
        "waiting": counts.waiting,
        "next_try": _iso(counts.next_try),
        "rates_open_at": _iso(view.opens_at),
        "per_second": None if view.speed is None else round(view.speed, 3),
        "seconds_left": None if left is None else round(left),
        "transport": campaign.transport,
        "rates": dict(view.rates),
        "failures": [{"reply": reply, "count": times} for reply, times in view.refused],
        "created_at": _iso(campaign.created_at),
        "created_by": campaign.created_by,
        "updated_at": _iso(campaign.updated_at),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
