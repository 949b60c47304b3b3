"""Subscriber, Consent and the words for their states. Holds data; refuses to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"  # asked for; not confirmed, so never mailed an issue
    ACTIVE = "active"  # mailed, unless suppressed
    PAUSED = "paused"  # on the list, wants no mail for now
    UNSUBSCRIBED = "unsubscribed"  # left; only a new consent brings them back
    ERASED = "erased"  # nothing personal is left but the hash in a suppression


class Reason(StrEnum):
    """Why an address is suppressed."""

    UNSUBSCRIBED = "unsubscribed"  # they said so
    BOUNCED = "bounced"  # the mailbox does not exist; may be lifted when it does again
    COMPLAINED = "complained"  # marked as spam: counts as leaving
    ERASED = "erased"  # they asked to be forgotten
    MANUAL = "manual"  # an operator said so


class ConsentKind(StrEnum):
    REQUESTED = "requested"  # filled in the form
    CONFIRMED = "confirmed"  # answered the confirmation
    IMPORTED = "imported"  # came with a file; the wording is the import's basis
    ADDED = "added"  # entered by an operator
    WITHDRAWN = "withdrawn"  # unsubscribed or complained


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriber:
    """One person on the list. An erased one keeps id, status and times; the rest is empty."""

    id: int
    email: str  # as it is written to
    name: str
    language: str  # BCP 47; "" is the newsletter's
    timezone: str  # IANA; "" is the newsletter's
    format: str  # html | text
    status: Status
    tags: tuple[str, ...]  # in alphabetical order
    source: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What a person agreed to, when and where; the record that proves it."""

    kind: ConsentKind
    wording: str
    at: datetime
    ip: str | None = None
    page: str | None = None
    confirmed_at: datetime | None = None  # as reported by another system's export
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of a person's timeline."""

    at: datetime
    kind: str  # consent | suppression | audit
    what: str  # as in “confirmed”, “bounced”, “subscriber.tag”
    detail: str = ""
    actor: str = ""
    ip: str | None = None
    page: str | None = None
