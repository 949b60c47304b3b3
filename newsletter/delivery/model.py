"""The words of sending: states, outcomes, and one delivery on its way. Holds data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class State(StrEnum):
    """Of a campaign."""

    SENDING = "sending"  # deliveries are pending, whether or not a sender is at work
    PAUSED = "paused"  # nothing more is claimed until a person resumes it
    CANCELLED = "cancelled"  # what is pending stays unsent for good
    COMPLETED = "completed"  # nothing is pending


class Status(StrEnum):
    """Of a delivery. Always: intended = accepted + failed + suppressed + uncertain + pending."""

    PENDING = "pending"  # not handed over, or refused for now
    SENDING = "sending"  # claimed by a sender; counted as pending where people look
    ACCEPTED = "accepted"  # the transport took it; it may still bounce
    FAILED = "failed"  # refused for good, or too often
    SUPPRESSED = "suppressed"  # left, erased or suppressed between freezing and claiming
    UNCERTAIN = "uncertain"  # the outcome was missed; an event or a person decides


class Outcome(StrEnum):
    """What a transport reports of one message."""

    ACCEPTED = "accepted"
    REFUSED_FOR_NOW = "refused for now"
    REFUSED_FOR_GOOD = "refused for good"
    UNCERTAIN = "uncertain"


class Delivery(msgspec.Struct, gc=False, array_like=True):
    """One claimed delivery in a sender's hands: thousands at once, none refers to another."""

    subscriber_id: int
    email: str
    name: str
    attempts: int  # this one included
    place: int  # in the journal
    returns: int = 0  # how often a transport gave it back
    tokens: tuple[str, str, str] | None = None  # signed ahead: see `Mailing.sign_ahead`
    is_text: bool = False  # they want plain text, without HTML beside it
    provider_id: str = ""  # of an accepted one, where the other side gave it a name


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """The outcome of one message that is outside the ledger: a test, an alert."""

    outcome: Outcome
    reply: str = ""
    provider_id: str = ""
