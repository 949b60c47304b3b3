"""A mailbox that bounces, complaints and wishes to leave arrive in, and a look into it.

A message is told to be done only after what it says is committed; a crash before that
repeats it, which changes nothing: events are recorded once. Whoever reads goes over a list
that was made at the beginning, so that nothing is met twice in one look. Letters of people
are never put away: they stay where they are, flagged, and each is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from newsletter.errors import NewsletterError
from newsletter.feedback.returned_mail import MAX_BYTES

BATCH = 20  # messages in memory at a time
MAX_MESSAGES = 5_000  # of one look; the next one goes on
MAX_MESSAGE = MAX_BYTES  # bytes of one that are read


class MailboxError(NewsletterError):
    """The mailbox cannot be read at this moment; nothing of it is lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """One message: its first `MAX_MESSAGE` bytes, None where the mailbox does not give them.

    *key* is the mailbox's own name for it; *at* is when it arrived (aware), if that is known.
    """

    key: str
    data: bytes | None
    at: datetime | None


class Mailbox(Protocol):
    """Opened by `with`. Every method raises MailboxError for a bad world."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def name(self) -> str:
        """As people call it: kind and place."""

    def batches(self) -> Iterator[list[Incoming]]:
        """Yield what is neither done nor flagged, oldest first; changes nothing."""

    def done(self, messages: Sequence[Incoming]) -> None:
        """Move them to the folder of what was read; one that is gone is no error."""

    def leave(self, messages: Sequence[Incoming]) -> None:
        """Flag them, for a person; they stay as new as they are."""
