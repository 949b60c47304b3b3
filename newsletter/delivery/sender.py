"""The sender: claims deliveries, feeds a transport, folds what it reports. One at a time.

May be killed at any point: the next one goes on from the ledger and the journal. Ends
cleanly at Ctrl-C, at SIGTERM, when the terminal is closed, at a pause from elsewhere, and
when the database or the other side fails. Refuses to send what is not the frozen edition.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime

import sqlalchemy as sa

from newsletter.config import Workspace
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.apart import apart
from newsletter.delivery.journal import Journal, journal_path
from newsletter.delivery.ledger import Counts, Ledger
from newsletter.delivery.lock import SenderBusy, lock_file, sender_connection
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.pace import Pace
from newsletter.delivery.recovery import recover
from newsletter.delivery.sending import Ending, Sending, Summary
from newsletter.delivery.transaction import transaction
from newsletter.delivery.transport import Transport
from newsletter.errors import UsageError
from newsletter.store.engine import Store
from newsletter.store.tables import campaign

__all__ = ["Ending", "SenderBusy", "Summary", "send", "settle_crash"]


def send(
    store: Store,
    workspace: Workspace,
    campaign_id: int,
    transport: Transport,
    *,
    on_progress: Callable[[Counts], object] = lambda counts: None,
    patience: float = 900,
) -> Summary:
    """Send what is pending of a campaign, after settling what a crash left.

    Waits for rates and retries, but ends where nothing could be handed over for
    *patience* seconds. *on_progress* gets the counts at least once a second.

    Raises:
        SenderBusy: another sender is at work on it.
        UsageError: the transport is not the campaign's.
        StorageError: the database, the journal or the frozen edition cannot be used; what
            is known is in the ledger or in the journal.
        TransportError: the other side refuses everything; what was reported is in the ledger.
    """
    import uvloop

    with store.read() as conn:
        found = campaigns.get(conn, campaign_id)
    if found.transport != transport.name:
        raise UsageError(
            f"the campaign was frozen for the transport “{found.transport}”, not for "
            f"“{transport.name}”",
            hint=f'set transport.kind = "{found.transport}" again, or cancel the campaign',
        )
    mailing = campaigns.mailing_of(workspace, found)
    pace = Pace(workspace.config.rates)
    with sender_connection(store, campaign_id) as conn:
        _settle_crash(store, conn, workspace, campaign_id, pace)
        with _journal(store, conn, workspace, campaign_id) as journal:
            ledger = Ledger(
                store,
                conn,
                campaign_id,
                journal=journal,
                pace=pace,
                config=workspace.config.delivery,
            )
            with _settled_heap(), _at_work(transport, mailing, journal) as at_work:
                sending = Sending(
                    workspace,
                    found,
                    ledger=ledger,
                    journal=journal,
                    pace=pace,
                    transport=at_work,
                    on_progress=on_progress,
                    patience=patience,
                )
                summary = uvloop.run(sending.run(mailing))
            if summary.ending is Ending.COMPLETED:
                journal.remove()
            return summary


def _at_work(
    transport: Transport, mailing: Mailing, journal: Journal
) -> AbstractContextManager[Transport]:
    """The transport, in a process of its own where that is worth it."""
    if transport.works_apart:
        return apart(transport, mailing, journal)
    return nullcontext(transport)


@contextmanager
def _settled_heap() -> Iterator[None]:
    """Spare the garbage collector what was there before: it would look it over again and again.

    That is a tenth of a fast sender's processor time; what we make ourselves has no cycles.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def settle_crash(store: Store, workspace: Workspace, campaign_id: int) -> None:
    """Settle what a crashed sender had in its hands, and send nothing: after a cancel, say.

    Raises:
        SenderBusy: a sender is at work, and will settle it itself.
        StorageError: the journal is missing.
    """
    with sender_connection(store, campaign_id) as conn:
        _settle_crash(store, conn, workspace, campaign_id, Pace(workspace.config.rates))


def _settle_crash(
    store: Store, conn: sa.Connection, workspace: Workspace, campaign_id: int, pace: Pace
) -> None:
    path = journal_path(workspace, campaign_id)
    held = None
    with suppress(FileNotFoundError):
        held = lock_file(path)  # of a sender that lost the database, and still hands over
    try:
        with transaction(store, conn):
            recover(conn, campaign_id, path, pace=pace, now=datetime.now(UTC))
    finally:
        if held is not None:
            os.close(held)


@contextmanager
def _journal(
    store: Store, conn: sa.Connection, workspace: Workspace, campaign_id: int
) -> Iterator[Journal]:
    """A new journal, which the campaign names from now on."""
    journal = Journal.create(journal_path(workspace, campaign_id), campaign_id)
    try:
        with transaction(store, conn):
            conn.execute(
                sa.update(campaign).where(campaign.c.id == campaign_id).values(journal=journal.id)
            )
        yield journal
    finally:
        journal.close()
