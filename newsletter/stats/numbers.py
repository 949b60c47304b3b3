"""The numbers of an issue, and of all of them: put together from what the records tell.

Call it inside one `Store.read()`: then all numbers are of the same moment. Never writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from newsletter.audience.subscribers import count, eligible
from newsletter.delivery.campaign import audience_of
from newsletter.errors import UsageError
from newsletter.stats import counting, movement
from newsletter.stats.model import IssueNumbers
from newsletter.stats.sent import Sent, campaign_alone, sent_issues
from newsletter.stats.views import NOT_COUNTED, Views, views
from newsletter.store.tables import campaign

NO_EVENT = "nobody has told anything of it yet"
NO_ARRIVALS = "nobody tells of each message; SMTP alone does not"
NO_SEVERITY = "noted without saying if for good"
TO_A_TAG = "it went to a part of the list"
ONE_CAMPAIGN = "the list is counted for the whole issue"
FIRST = "there is no issue to everyone before it"


@dataclass(frozen=True, kw_only=True, slots=True)
class _World:
    """What is read once for all issues."""

    left: Mapping[int, int]  # by campaign
    views: Mapping[str, Views]
    list_now: int


def trend(conn: sa.Connection) -> list[IssueNumbers]:
    """Return the numbers of every issue that was sent or is being sent, oldest first."""
    world = _World(left=movement.left_after(conn), views=views(conn), list_now=_list_now(conn))
    found: list[IssueNumbers] = []
    before: tuple[Sent, int] | None = None
    for sent in sent_issues(conn):
        numbers = _numbers(conn, sent, world, before=before)
        found.append(numbers)
        if sent.is_to_everyone:
            before = (sent, numbers.intended)
    return found


def statistics_of(conn: sa.Connection, number: str, tag: str | None = None) -> IssueNumbers:
    """Return the numbers of one issue; with *tag* of its campaign to that tag alone.

    Raises:
        UsageError: it was not sent.
    """
    if tag is not None:
        found = campaign_alone(conn, number, audience_of(tag))
    else:
        found = next(iter(sent_issues(conn, number)), None)
    if found is None:
        what = f"Vol {number}" + (f" to “{tag}”" if tag else "")
        raise UsageError(f"{what} was not sent yet", hint="newsletter stats lists what was")
    before = None
    if found.is_to_everyone:
        earlier = [one for one in sent_issues(conn) if one.first < found.first]
        last = next((one for one in reversed(earlier) if one.is_to_everyone), None)
        before = None if last is None else (last, movement.people_of(conn, last))
    since = conn.scalar(
        sa.select(sa.func.min(campaign.c.created_at)).where(campaign.c.id.in_(found.ids))
    )
    world = _World(
        left=movement.left_after(conn, since=since), views=views(conn), list_now=_list_now(conn)
    )
    return _numbers(conn, found, world, before=before, tag=tag)


def _numbers(
    conn: sa.Connection,
    sent: Sent,
    world: _World,
    *,
    before: tuple[Sent, int] | None,
    tag: str | None = None,
) -> IssueNumbers:
    ledger, reports = counting.ledger(conn, sent), counting.reports(conn, sent)
    unknown: dict[str, str] = {}
    is_reported = counting.is_anything_reported(conn, sent)
    if not is_reported:
        unknown |= dict.fromkeys(
            ("bounced", "bounced_hard", "bounced_soft", "complained"), NO_EVENT
        )
    elif reports.hard + reports.soft < reports.bounced:
        unknown |= dict.fromkeys(("bounced_hard", "bounced_soft"), NO_SEVERITY)
    if not counting.is_arrival_reported(conn, sent):
        unknown["delivered"] = NO_ARRIVALS
    if not sent.is_to_everyone:
        why = TO_A_TAG if tag is None else ONE_CAMPAIGN
        unknown |= dict.fromkeys(("list_then", "joined", "left", "growth"), why)
    elif before is None:
        unknown |= dict.fromkeys(("joined", "left", "growth"), FIRST)
    if not world.views:
        unknown |= dict.fromkeys(("web_views", "pdf_views"), NOT_COUNTED)
    joined = left = None
    if sent.is_to_everyone and before is not None:
        stayed = movement.in_both(conn, sent, before[0])
        joined, left = ledger.intended - stayed, before[1] - stayed
    loads = world.views.get(sent.number, Views(web=0, pdf=0))
    optional: dict[str, int | None] = {
        "delivered": ledger.delivered + reports.delivered,
        "bounced": reports.bounced,
        "bounced_hard": reports.hard,
        "bounced_soft": reports.soft,
        "complained": reports.complained,
        "list_then": ledger.intended,
        "joined": joined,
        "left": left,
        "web_views": loads.web,
        "pdf_views": loads.pdf,
    }
    return IssueNumbers(
        number=sent.number,
        tag=tag,
        first_delivery_at=ledger.first_delivery_at,
        intended=ledger.intended,
        accepted=ledger.accepted,
        failed=ledger.failed,
        suppressed=ledger.suppressed,
        uncertain=ledger.uncertain,
        pending=ledger.pending,
        never_sent=ledger.never_sent,
        unsubscribed=reports.answered + sum(world.left.get(one, 0) for one in sent.ids),
        list_now=world.list_now,
        unknown=unknown,
        **{name: None if name in unknown else value for name, value in optional.items()},
    )


def _list_now(conn: sa.Connection) -> int:
    return count(conn, eligible())
