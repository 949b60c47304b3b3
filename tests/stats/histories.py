"""Histories of a newsletter: played into a database, and kept beside it in plain Python.

What the database is told goes through the real doors (`subscribers`, `record`,
`freeze_audience`); only outcomes of handing over are written as a sender would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.delivery.frozen_audience import audience_of, freeze_audience
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.recording import record
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery, edition
from tests.audience.people import add

START = datetime(2026, 1, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINKS = Links(site_url="https://digest.example.org", tokens=Tokens([b"k" * 32]))
REACHED = ("accepted", "uncertain")
SAID = (Kind.UNSUBSCRIBED, Kind.COMPLAINED)
PROVE_ACCEPTED = (
    Kind.PROCESSED,
    Kind.DELIVERED,
    Kind.DEFERRED,
    Kind.BOUNCED,
    Kind.COMPLAINED,
)


@dataclass
class Issue:
    """One campaign, as we remember it."""

    id: int
    number: str
    tag: str | None
    at: datetime
    outcomes: dict[int, str] = field(default_factory=dict)  # by person


@dataclass
class Heard:
    campaign_id: int
    person: int
    kind: Kind
    permanent: bool
    at: datetime


@dataclass
class History:
    """Every step takes an hour."""

    store: Store
    now: datetime = START
    people: dict[int, str] = field(default_factory=dict)  # address by number
    eligible: set[int] = field(default_factory=set)
    active: set[int] = field(default_factory=set)  # eligible, or suppressed for bounces
    erased: set[int] = field(default_factory=set)
    issues: list[Issue] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    leavings: list[tuple[int, datetime]] = field(default_factory=list)
    _ids: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        with self.store.begin() as conn:
            conn.execute(sa.insert(edition), {"hash": "00", "number": "1.1", "frozen_at": START})

    # ── people ──────────────────────────────────────────────────────────────

    def join(self, *, tag: str | None = None) -> int:
        with self._writing() as (conn, values):
            email = f"reader{next(self._ids)}@example.org"
            number = add(conn, email, tags=[tag] if tag else [], **values).id
        self.people[number] = email
        self.eligible.add(number)
        self.active.add(number)
        return number

    def leave(self, number: int) -> None:
        with self._writing() as (conn, values):
            subscribers.unsubscribe(conn, number, source="page", **values)
        self._gone(number, self.now)

    def come_back(self, number: int) -> None:
        """Lift whatever stands against them, and add them again."""
        if number in self.eligible or number in self.erased:
            return
        with self._writing() as (conn, values):
            subscribers.lift(conn, self.people[number], reason="wrote to us", **values)
            add(conn, self.people[number], **values)
        self.eligible.add(number)
        self.active.add(number)

    def erase(self, number: int) -> None:
        if number in self.erased:
            return
        with self._writing() as (conn, values):
            subscribers.erase(conn, self.people[number], **values)
        self.eligible.discard(number)
        self.active.discard(number)
        self.erased.add(number)

    def _gone(self, number: int, at: datetime) -> None:
        if number in self.active:
            self.leavings.append((number, at))
        self.eligible.discard(number)
        self.active.discard(number)

    # ── sending ─────────────────────────────────────────────────────────────

    def send(
        self,
        number: str,
        *,
        tag: str | None = None,
        outcomes: dict[int, str] | None = None,
        state: str = "completed",
    ) -> Issue:
        """Freeze, and hand over half an hour later; *outcomes* by person, else accepted."""
        with self._writing() as (conn, values):
            row = {
                "number": number,
                "audience": audience_of(tag),
                "edition_hash": "00",
                "transport": "sendgrid",
                "mailing": "{}",
                "state": state,
                "intended": 0,
                "created_at": values["now"],
                "created_by": "operator",
                "updated_at": values["now"],
            }
            made = sa.insert(campaign).values(**row).returning(campaign.c.id)
            campaign_id = conn.execute(made).scalar_one()
            freeze_audience(conn, campaign_id, number, tag, values["now"])
            ours = delivery.c.campaign_id == campaign_id
            audience = list(conn.scalars(sa.select(delivery.c.subscriber_id).where(ours)))
            issue = Issue(campaign_id, number, tag, values["now"])
            for person in audience:
                status = (outcomes or {}).get(person, "accepted")
                issue.outcomes[person] = status
                conn.execute(
                    sa.update(delivery)
                    .where(ours, delivery.c.subscriber_id == person)
                    .values(status=status, updated_at=values["now"] + HOUR / 2)
                )
        self.issues.append(issue)
        return issue

    def tell(
        self,
        issue: Issue,
        person: int,
        kind: Kind,
        *,
        permanent: bool = False,
        times: int = 1,
    ) -> None:
        self.now += HOUR
        one = Event(
            provider="sendgrid",
            event_id=f"event {next(self._ids)}",
            kind=kind,
            at=issue.at,
            token=LINKS.tokens.sign("delivery", issue.id << 40 | person),
            email=None,
            is_permanent=permanent,
            detail="",
        )
        for _ in range(times):
            record(self.store, [one], links=LINKS, now=self.now, actor="webhook")
        self.heard.append(Heard(issue.id, person, kind, permanent, self.now))
        if issue.outcomes.get(person) in ("uncertain", "failed by event"):
            if kind in PROVE_ACCEPTED:
                issue.outcomes[person] = "accepted"
            elif kind is Kind.DROPPED and not self._is_proven(issue, person):
                issue.outcomes[person] = "failed by event"
        if person in self.erased:
            return
        if kind in SAID:
            self._gone(person, self.now)
        elif kind is Kind.BOUNCED and permanent:
            self.eligible.discard(person)

    def _is_proven(self, issue: Issue, person: int) -> bool:
        return any(
            one.campaign_id == issue.id and one.person == person and one.kind in PROVE_ACCEPTED
            for one in self.heard
        )

    def _writing(self) -> Any:
        self.now += HOUR
        return _Writing(self.store, {"now": self.now, "actor": "operator"})


class _Writing:
    def __init__(self, store: Store, values: dict[str, Any]) -> None:
        self._begun, self._values = store.begin(), values

    def __enter__(self) -> tuple[sa.Connection, dict[str, Any]]:
        return self._begun.__enter__(), self._values

    def __exit__(self, *raised: Any) -> None:
        self._begun.__exit__(*raised)


# ── the model ───────────────────────────────────────────────────────────────


def expected(history: History, issue: Issue, before: Issue | None) -> dict[str, Any]:
    """The numbers of an issue of one campaign, person by person."""
    heard = [one for one in history.heard if one.campaign_id == issue.id]
    kinds: dict[int, set[Kind]] = {person: set() for person in issue.outcomes}
    for one in heard:
        kinds[one.person].add(one.kind)
    accepted = {person for person, status in issue.outcomes.items() if status == "accepted"}
    bounced = {person for person in accepted if Kind.BOUNCED in kinds[person]}
    hard = {one.person for one in heard if one.kind is Kind.BOUNCED and one.permanent} & bounced
    statuses = list(issue.outcomes.values())
    told_of_all = (Kind.PROCESSED, Kind.DELIVERED, Kind.DROPPED)
    numbers: dict[str, Any] = {
        "intended": len(statuses),
        "accepted": len(accepted),
        "failed": statuses.count("failed") + statuses.count("failed by event"),
        "suppressed": statuses.count("suppressed"),
        "uncertain": statuses.count("uncertain"),
        "pending": statuses.count("pending") + statuses.count("sending"),
        "delivered": len({p for p in accepted - bounced if Kind.DELIVERED in kinds[p]}),
        "bounced": len(bounced),
        "bounced_hard": len(hard),
        "bounced_soft": len(bounced - hard),
        "complained": len([p for p in kinds if Kind.COMPLAINED in kinds[p]]),
        "unsubscribed": len(_left_after(history, issue)),
        "list_then": len(statuses),
        "list_now": len(history.eligible),
        "joined": None if before is None else len(issue.outcomes.keys() - before.outcomes.keys()),
        "left": None if before is None else len(before.outcomes.keys() - issue.outcomes.keys()),
    }
    if not any(one.kind in told_of_all for one in heard):
        numbers["delivered"] = None
    if not heard:
        unknown = ("bounced", "bounced_hard", "bounced_soft", "complained")
        numbers |= dict.fromkeys(unknown)
    return numbers


def _left_after(history: History, issue: Issue) -> set[int]:
    frozen = {one.id: one.at for one in history.issues}
    said = [one for one in history.heard if one.kind in SAID]
    left = set()
    for person in issue.outcomes:
        here = {one.kind for one in said if (one.campaign_id, one.person) == (issue.id, person)}
        if here == {Kind.UNSUBSCRIBED} and not any(
            one.person == person and one.campaign_id < issue.id and one.at >= issue.at
            for one in said
        ):
            left.add(person)
        if here:
            continue
        for gone, at in history.leavings:
            got = [
                one.id
                for one in history.issues
                if one.at <= at and one.outcomes.get(person) in REACHED
            ]
            told = any(
                one.person == person and frozen[one.campaign_id] <= at <= one.at for one in said
            )
            if gone == person and not told and got and max(got) == issue.id:
                left.add(person)
    return left
