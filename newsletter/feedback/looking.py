"""Look into the mailbox: read what came, record what it says, put it away.

The order is the whole point: events are committed, then the message is moved. A message
that cannot be read, or says nothing, is flagged for a person. Refuses to answer anybody.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.audience.links import Links
from newsletter.config import Workspace
from newsletter.errors import ConfigError, NewsletterError
from newsletter.feedback.bounces import parse_bounce
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.mailbox import Incoming, Mailbox
from newsletter.feedback.recording import Recorded, record
from newsletter.store.engine import Store

ACTOR = "bounce mailbox"  # in the audit


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What one look found. *kinds* counts the events, those known before too."""

    messages: int = 0
    recorded: Recorded = field(default_factory=Recorded)
    kinds: Counter[Kind] = field(default_factory=Counter)
    left: int = 0  # letters for a person to read
    problems: int = 0  # messages that could not be read; flagged, too

    @property
    def unsubscribed(self) -> int:
        """Wishes to leave."""
        return self.kinds[Kind.UNSUBSCRIBED]

    def __add__(self, other: Looked) -> Looked:
        return Looked(
            messages=self.messages + other.messages,
            recorded=self.recorded + other.recorded,
            kinds=self.kinds + other.kinds,
            left=self.left + other.left,
            problems=self.problems + other.problems,
        )


def mailbox_of(workspace: Workspace) -> Mailbox:
    """The mailbox that [feedback] names; not opened yet.

    Raises:
        ConfigError: none is configured, or it cannot be used as it is.
    """
    config = workspace.config.feedback
    if config.mailbox == "maildir":
        from newsletter.feedback.maildir_box import MaildirBox

        return MaildirBox(workspace.root / config.maildir, done=config.imap_done)
    if config.mailbox == "imap":
        from newsletter.feedback.imap_box import imap_box_of

        return imap_box_of(workspace)
    raise ConfigError(
        "no mailbox is configured for what comes back",
        hint="set feedback.mailbox in newsletter.toml to “maildir” or “imap”; "
        "docs/how-to/bounces.md tells how",
    )


def read_mailbox(store: Store, mailbox: Mailbox, *, links: Links, now: datetime) -> Looked:
    """Look once; when this returns, all that was found is recorded and put away.

    Raises:
        MailboxError: it cannot be read; what was put away before is recorded.
        StorageError: nothing of the last batch is recorded; it waits in the mailbox.
    """
    total = Looked()
    with mailbox:
        for batch in mailbox.batches():
            total += _see_to(store, mailbox, batch, links=links, now=now)
    return total


def events_of(message: Incoming, *, now: datetime) -> list[Event]:
    """What *message* says. Its time of arrival counts up to *now*: clocks go wrong."""
    if message.data is None:
        return []
    return parse_bounce(message.data, at=min(message.at, now) if message.at else None)


def _see_to(
    store: Store, mailbox: Mailbox, batch: list[Incoming], *, links: Links, now: datetime
) -> Looked:
    told: list[tuple[Incoming, list[Event]]] = []
    letters: list[Incoming] = []
    unread: list[Incoming] = []
    for message in batch:
        try:
            events = events_of(message, now=now)
        except Exception:  # anybody writes to a mailbox: a mistake of ours must not stop it
            unread.append(message)
            continue
        if message.data is None:
            unread.append(message)
        elif events:
            told.append((message, events))
        else:
            letters.append(message)
    recorded, refused = _record(store, told, links=links, now=now)
    kept = [message for message, _ in told if message not in refused]
    if kept:
        mailbox.done(kept)
    if letters or unread or refused:
        mailbox.leave([*letters, *unread, *refused])
    return Looked(
        messages=len(batch),
        recorded=recorded,
        kinds=Counter(event.kind for message, events in told for event in events),
        left=len(letters),
        problems=len(unread) + len(refused),
    )


def _record(
    store: Store, told: list[tuple[Incoming, list[Event]]], *, links: Links, now: datetime
) -> tuple[Recorded, list[Incoming]]:
    """Record all at once; else one by one, and return those that the database does not take."""
    everything = [event for _, events in told for event in events]
    try:
        return record(store, everything, links=links, now=now, actor=ACTOR), []
    except NewsletterError:
        raise  # the database is not there: nothing is wrong with the messages
    except Exception:
        total, refused = Recorded(), []
        for message, events in told:
            try:
                total += record(store, events, links=links, now=now, actor=ACTOR)
            except NewsletterError:
                raise
            except Exception:
                refused.append(message)
        return total, refused
