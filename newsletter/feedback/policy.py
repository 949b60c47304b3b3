"""What follows from an event: for the person, and for the delivery it tells about.

Pure, and the only place where this is decided. Nothing here depends on the order in which
events arrive: providers repeat and reorder them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.audience.model import Reason
from newsletter.feedback.events import Event, Kind

# Three issues in a row, at one every two weeks: a full mailbox has had six weeks to be emptied.
MAX_BOUNCES = 3
WITHIN = timedelta(days=90)

# From light to grave. Somebody may bounce after “delivered” (the server took it, then found no
# mailbox), and what somebody says of a message outweighs what became of it.
REPORTS = (Kind.DEFERRED, Kind.DELIVERED, Kind.BOUNCED, Kind.UNSUBSCRIBED, Kind.COMPLAINED)

# Kinds from which something can follow for a person.
ABOUT_PEOPLE = frozenset((Kind.BOUNCED, Kind.UNSUBSCRIBED, Kind.COMPLAINED))


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounce:
    """A message to one person that came back; *message* tells messages apart."""

    message: str
    at: datetime


def reason_to_suppress(
    event: Event, *, bounces: Collection[Bounce], lifted_at: datetime | None
) -> Reason | None:
    """Return why *event* ends mail to its person, or None.

    *bounces*: all that are known of the person, this one included. *lifted_at*: when a
    suppression of theirs was last lifted.
    """
    # A complaint counts as leaving: asking again would be a second offence.
    if event.kind is Kind.COMPLAINED:
        return Reason.COMPLAINED
    # Absolute: one that comes late, after a lift, still holds.
    if event.kind is Kind.UNSUBSCRIBED:
        return Reason.UNSUBSCRIBED
    # Delivered and deferred are no news of the person; a drop says what the provider already knew.
    if event.kind is not Kind.BOUNCED:
        return None
    # Whoever lifted the suppression knew of what came before, and said that it is over.
    if lifted_at is not None and event.at <= lifted_at:
        return None
    # There is no such mailbox; to go on is what spammers do.
    if event.is_permanent:
        return Reason.BOUNCED
    # It may work again. Several reports on one message are one bounce; any window counts, not
    # only the last, so that late reports change nothing.
    counted = [bounce for bounce in bounces if lifted_at is None or bounce.at > lifted_at]
    for first in counted:
        window = {b.message for b in counted if first.at <= b.at < first.at + WITHIN}
        if len(window) >= MAX_BOUNCES:
            return Reason.BOUNCED
    return None


def report_after(report: str | None, kind: Kind) -> str | None:
    """Return what a delivery's report is after *kind* was heard: never moved back."""
    if kind not in REPORTS:  # processed and dropped say whether it was taken: see reconcile
        return report
    if report is None or REPORTS.index(Kind(report)) < REPORTS.index(kind):
        return kind.value
    return report
