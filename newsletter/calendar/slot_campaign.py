"""From a held slot to its campaign: frozen in one transaction with the slot's new state.

So whoever stops the slot, or takes an approval back, does it before or too late, and a
crash leaves both or none. Refuses what is not approved at that moment, to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from newsletter.calendar.permission import require_approved
from newsletter.calendar.slot_rows import SCHEDULER, SlotRow, SlotState, change, row_of
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.delivery.campaign import (
    Campaign,
    campaigns,
    current,
    freeze,
    get,
    one_after_the_other,
)
from newsletter.errors import UsageError
from newsletter.store.engine import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What is known of the sender of a campaign."""

    look_again: datetime
    problem: str = ""  # why it does not go on
    is_told: bool = False  # the editors know of the problem


class _Overtaken(UsageError):  # noqa: N818 - no error: somebody was first
    """The slot was stopped, or the approval taken back, since it was looked at."""


def freeze_held(
    store: Store, workspace: Workspace, edition: Edition, row: SlotRow, *, now: datetime
) -> Campaign | None:
    """Freeze *edition* and its audience for the held slot; None where somebody stopped it.

    Raises:
        UsageError: a cancelled campaign of the issue is not settled yet.
        StorageError: the disk or the database refuses.
    """

    def permit(conn: sa.Connection) -> None:
        try:
            require_approved(conn, workspace, edition)
        except UsageError as error:
            raise _Overtaken(error.message) from error
        if not change(conn, row, now=now, state=SlotState.SENDING, reason=""):
            raise _Overtaken(f"the slot of {row.day} is not held any more")

    try:
        frozen, _ = freeze(
            store,
            workspace,
            edition,
            tag=None,
            transport=workspace.config.transport.kind,
            now=now,
            actor=SCHEDULER,
            permit=permit,
        )
    except _Overtaken:
        return None
    return frozen


def attach(store: Store, day: date, sent: Campaign, *, now: datetime) -> bool:
    """Note which campaign goes out at the slot; False where that is known, or it was stopped."""
    with store.begin() as conn:
        one_after_the_other(conn)
        row = row_of(conn, day)
        if row is None or row.campaign_id is not None:
            return False
        if row.state is SlotState.SENDING:
            return change(conn, row, now=now, campaign_id=sent.id)
        if row.state is SlotState.HOLDING:  # somebody sent it by hand meanwhile
            sending = SlotState.SENDING
            return change(conn, row, now=now, state=sending, reason="", campaign_id=sent.id)
    return False


def campaign_of(store: Store, row: SlotRow, *, now: datetime) -> Campaign:
    """Return the campaign of a slot that is sending; a crash may have kept it from being noted."""
    with store.read() as conn:
        if row.campaign_id is not None:
            return get(conn, row.campaign_id)
        number = row.number or ""
        sent = current(conn, number) or next(
            known for known in campaigns(conn, number) if not known.audience
        )
    attach(store, row.day, sent, now=now)
    return sent
