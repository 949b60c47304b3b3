"""What follows from an event, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from newsletter.audience.model import Reason
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.policy import (
    ABOUT_PEOPLE,
    MAX_BOUNCES,
    REPORTS,
    WITHIN,
    Bounce,
    reason_to_suppress,
    report_after,
)

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
DAY = timedelta(days=1)


def heard(kind: Kind, *, at: datetime = NOW, permanent: bool = False) -> Event:
    return Event(
        provider="sendgrid",
        event_id="1",
        kind=kind,
        at=at,
        token=None,
        email=None,
        is_permanent=permanent,
        detail="",
    )


def bounces(*days: int) -> list[Bounce]:
    """Of as many messages, so many days ago."""
    return [Bounce(message=str(day), at=NOW - day * DAY) for day in days]


def follows(event: Event, *days: int, lifted_at: datetime | None = None) -> Reason | None:
    return reason_to_suppress(event, bounces=bounces(*days), lifted_at=lifted_at)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (heard(Kind.COMPLAINED), Reason.COMPLAINED),
        (heard(Kind.UNSUBSCRIBED), Reason.UNSUBSCRIBED),
        (heard(Kind.BOUNCED, permanent=True), Reason.BOUNCED),
        (heard(Kind.BOUNCED), None),
        (heard(Kind.PROCESSED), None),
        (heard(Kind.DELIVERED), None),
        (heard(Kind.DEFERRED), None),
        (heard(Kind.DROPPED, permanent=True), None),
    ],
)
def test_one_event_suppresses_for_what_a_person_said_and_for_a_dead_mailbox(event, reason):
    assert follows(event, 0) is reason
    assert (event.kind in ABOUT_PEOPLE) or reason is None


def test_temporary_bounces_suppress_at_the_third_message_within_the_window():
    last = WITHIN.days
    assert MAX_BOUNCES == 3
    assert follows(heard(Kind.BOUNCED), 0, 14) is None
    assert follows(heard(Kind.BOUNCED), 0, 14, 28) is Reason.BOUNCED
    assert follows(heard(Kind.BOUNCED), 0, 14, last - 1) is Reason.BOUNCED
    assert follows(heard(Kind.BOUNCED), 0, 14, last) is None


def test_several_reports_on_one_message_are_one_bounce():
    same = [Bounce(message="campaign 3", at=NOW - day * DAY) for day in range(5)]
    assert reason_to_suppress(heard(Kind.BOUNCED), bounces=same, lifted_at=None) is None


def test_late_report_completes_a_window_that_is_long_over():
    late = heard(Kind.BOUNCED, at=NOW - 400 * DAY)
    assert follows(late, 386, 400, 414) is Reason.BOUNCED


def test_bounce_from_before_a_lift_counts_no_more():
    lifted = NOW - 10 * DAY
    old = heard(Kind.BOUNCED, at=lifted, permanent=True)
    assert follows(old, lifted_at=lifted) is None
    assert follows(heard(Kind.BOUNCED), 0, 14, 28, lifted_at=lifted) is None
    assert follows(heard(Kind.BOUNCED, permanent=True), 0, lifted_at=lifted) is Reason.BOUNCED
    assert follows(heard(Kind.BOUNCED), 0, 1, 9, lifted_at=lifted) is Reason.BOUNCED


@pytest.mark.parametrize("kind", [Kind.UNSUBSCRIBED, Kind.COMPLAINED])
def test_word_of_a_person_holds_though_it_comes_after_a_lift(kind):
    assert follows(heard(kind, at=NOW - DAY), lifted_at=NOW) is not None


@pytest.mark.parametrize("order", list(permutations(Kind, 3)))
def test_report_is_the_gravest_in_every_order(order):
    report = None
    for kind in order:
        report = report_after(report, kind)
    heard_of = [kind for kind in REPORTS if kind in order]
    assert report == (heard_of[-1].value if heard_of else None)


def test_late_delivered_moves_no_bounce_back():
    assert report_after("bounced", Kind.DELIVERED) == "bounced"
    assert report_after("delivered", Kind.BOUNCED) == "bounced"
    assert report_after("complained", Kind.UNSUBSCRIBED) == "complained"
