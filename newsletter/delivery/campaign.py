"""A campaign: one edition for one audience, frozen together, so that the same people get it.

Freezing writes the edition's files, the list of deliveries and the campaign, each once,
whatever is pressed twice. Refuses a second edition of a number while the first is under
way, and gives nobody the same number by two audiences. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.audience.links import links_of
from newsletter.audience.pausing import resume_due
from newsletter.compose import manifest
from newsletter.compose.edition import Edition, verify, write
from newsletter.compose.message import headers_of
from newsletter.config import Workspace
from newsletter.delivery.dkim import signer_of
from newsletter.delivery.frozen_audience import (
    audience_of,
    freeze_audience,
    intended_audience,
    one_after_the_other,
    tag_of,
)
from newsletter.delivery.mailing import Frozen, Mailing
from newsletter.delivery.model import State, Status
from newsletter.delivery.reply import masked
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown
from newsletter.store.engine import Store
from newsletter.store.insert import add_new
from newsletter.store.tables import approval, campaign, delivery, edition

__all__ = [
    "Campaign",
    "audience_of",
    "campaigns",
    "cancel",
    "current",
    "edition_folder",
    "freeze",
    "freeze_edition",
    "get",
    "intended_audience",
    "mailing_of",
    "one_after_the_other",
    "pause",
    "resume",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    id: int
    number: str  # the issue's, as in "2.20"
    audience: str  # "" is everyone, else "tag:press"
    edition_hash: str
    transport: str
    frozen: Frozen
    state: State
    reason: str  # why it is paused or cancelled
    intended: int  # deliveries at freeze time
    journal: str  # id of the journal in use
    created_at: datetime
    created_by: str
    updated_at: datetime

    @property
    def tag(self) -> str | None:
        """Whom it is for; None: everyone."""
        return tag_of(self.audience)


# ── freezing ────────────────────────────────────────────────────────────────


def freeze(
    store: Store,
    workspace: Workspace,
    composed: Edition,
    *,
    tag: str | None,
    transport: str,
    now: datetime,
    actor: str,
    permit: Callable[[sa.Connection], None] | None = None,
) -> tuple[Campaign, bool]:
    """Freeze the edition and everyone who may be mailed now; return the campaign, and if it is new.

    The same edition again gives the campaign that exists. *permit* is asked in the
    transaction that makes a new one, and raises what forbids it: so no approval can be
    taken back in between.

    Raises:
        UsageError: another edition of this number is on its way to this audience, or a
            cancelled campaign has deliveries whose outcome is not settled.
        StorageError: the disk or the database refuses.
    """
    audience = audience_of(tag)
    freeze_edition(store, workspace, composed, now=now)
    frozen = Frozen(
        number=composed.number,
        headers=headers_of(composed.view, workspace.config, now),
        web_url=composed.view.issue_url,
    )
    with store.begin() as conn:
        one_after_the_other(conn)
        found = current(conn, composed.number, audience)
        if found is not None:
            return _same_edition(found, composed.hash), False
        _refuse_unsettled(conn, composed.number)
        if permit is not None:
            permit(conn)
        made = sa.insert(campaign).values(
            number=composed.number,
            audience=audience,
            edition_hash=composed.hash,
            transport=transport,
            mailing=frozen.to_json(),
            state=State.SENDING.value,
            intended=0,
            created_at=now,
            created_by=actor,
            updated_at=now,
        )
        campaign_id = conn.execute(made.returning(campaign.c.id)).scalar_one()
        resume_due(conn, composed.number, now=now)
        intended = freeze_audience(conn, campaign_id, composed.number, tag, now)
        write_audit(
            conn,
            "campaign.freeze",
            actor=actor,
            now=now,
            detail=f"{campaign_id}: Vol {composed.number}, {composed.hash[:16]}, {intended}",
        )
        return get(conn, campaign_id), True


def freeze_edition(store: Store, workspace: Workspace, composed: Edition, *, now: datetime) -> None:
    """Keep the files of the edition in the workspace and its row in the database, both once.

    Raises:
        StorageError: the disk or the database refuses.
    """
    folder = edition_folder(workspace, composed.hash)
    with store.begin() as conn:
        one_after_the_other(conn)  # else two writers of one folder trip over each other
        if not (folder / manifest.NAME).exists() or verify(folder):
            write(composed, folder)
        row = {"hash": composed.hash, "number": composed.number, "frozen_at": now}
        add_new(conn, edition, row)


def _same_edition(found: Campaign, edition_hash: str) -> Campaign:
    if found.edition_hash == edition_hash:
        return found
    raise UsageError(
        f"Vol {found.number} was frozen as edition {found.edition_hash[:16]}, and its campaign is "
        f"{found.state}; the issue is now edition {edition_hash[:16]}",
        hint=f"what is frozen is what is sent: go on with newsletter resume {found.number}, or "
        f"newsletter cancel {found.number} and send again to those who did not get it",
    )


def _refuse_unsettled(conn: sa.Connection, number: str) -> None:
    """Else people in the hands of a sender that is just ending would be in no campaign at all."""
    query = (
        sa.select(sa.literal(1))
        .select_from(delivery)
        .where(
            delivery.c.campaign_id.in_(
                sa.select(campaign.c.id).where(
                    campaign.c.number == number, campaign.c.state == State.CANCELLED.value
                )
            ),
            delivery.c.status == Status.SENDING.value,
        )
    )
    if conn.execute(query.limit(1)).first() is not None:
        raise UsageError(
            f"a cancelled campaign of Vol {number} still has messages under way",
            hint=f"wait a few seconds; after a crash settle them with newsletter cancel {number}",
        )


# ── finding ─────────────────────────────────────────────────────────────────


def get(conn: sa.Connection, campaign_id: int) -> Campaign:
    """Return the campaign with this id. Raises UsageError if there is none."""
    row = conn.execute(sa.select(campaign).where(campaign.c.id == campaign_id)).one_or_none()
    if row is None:
        raise UsageError(f"there is no campaign {campaign_id}")
    return _of_row(row)


def current(conn: sa.Connection, number: str, audience: str = "") -> Campaign | None:
    """Return the campaign of this number and audience that is not cancelled."""
    query = sa.select(campaign).where(
        campaign.c.number == number,
        campaign.c.audience == audience,
        campaign.c.state != State.CANCELLED.value,
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else _of_row(row)


def campaigns(conn: sa.Connection, number: str | None = None) -> list[Campaign]:
    """List campaigns, newest first, cancelled ones too."""
    query = sa.select(campaign).order_by(campaign.c.id.desc())
    if number is not None:
        query = query.where(campaign.c.number == number)
    return [_of_row(row) for row in conn.execute(query)]


def _of_row(row: sa.Row[Any]) -> Campaign:
    return Campaign(
        id=row.id,
        number=row.number,
        audience=row.audience,
        edition_hash=row.edition_hash,
        transport=row.transport,
        frozen=Frozen.from_json(row.mailing),
        state=State(row.state),
        reason=row.reason,
        intended=row.intended,
        journal=row.journal,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
    )


# ── steering ────────────────────────────────────────────────────────────────


def pause(conn: sa.Connection, campaign_id: int, *, reason: str, actor: str, now: datetime) -> bool:
    """Let nothing more be claimed until `resume`; False if it is not sending."""
    change = {"state": State.PAUSED.value, "reason": masked(reason)}
    return _move(conn, campaign_id, "pause", (State.SENDING,), change, actor=actor, now=now)


def resume(conn: sa.Connection, campaign_id: int, *, actor: str, now: datetime) -> bool:
    """End a pause; False if it is not paused. Starts no sender."""
    change = {"state": State.SENDING.value, "reason": ""}
    return _move(conn, campaign_id, "resume", (State.PAUSED,), change, actor=actor, now=now)


def cancel(
    conn: sa.Connection, campaign_id: int, *, reason: str, actor: str, now: datetime
) -> bool:
    """Leave what is pending unsent for good; False if it is completed or cancelled already.

    Of a campaign to everyone the approvals end too.
    """
    change = {"state": State.CANCELLED.value, "reason": masked(reason)}
    unfinished = (State.SENDING, State.PAUSED)
    if not _move(conn, campaign_id, "cancel", unfinished, change, actor=actor, now=now):
        return False
    # A person ended it, so a person must say that it may go out after all: not the calendar.
    ended = sa.select(campaign.c.number).where(
        campaign.c.id == campaign_id, campaign.c.audience == ""
    )
    conn.execute(
        sa.update(approval)
        .where(approval.c.number.in_(ended), approval.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=actor, revoked_reason="its campaign was cancelled")
    )
    return True


def _move(
    conn: sa.Connection,
    campaign_id: int,
    action: str,
    before: tuple[State, ...],
    change: dict[str, str],
    *,
    actor: str,
    now: datetime,
) -> bool:
    moved = conn.execute(
        sa.update(campaign)
        .where(
            campaign.c.id == campaign_id,
            campaign.c.state.in_([state.value for state in before]),
        )
        .values(**change, updated_at=now)
    )
    if moved.rowcount != 1:
        return False
    detail = f"{campaign_id}: {change['reason']}" if change["reason"] else str(campaign_id)
    write_audit(conn, f"campaign.{action}", actor=actor, now=now, detail=detail)
    return True


# ── the frozen edition ──────────────────────────────────────────────────────


def edition_folder(workspace: Workspace, edition_hash: str) -> Path:
    return workspace.root / ".newsletter" / "editions" / edition_hash


def mailing_of(workspace: Workspace, sent: Campaign) -> Mailing:
    """Read the frozen edition of a campaign, as it was frozen to the last byte.

    Raises:
        StorageError: a file is missing, or is not what was frozen.
        ConfigError: DKIM is half configured, or its key cannot be used.
    """
    folder = edition_folder(workspace, sent.edition_hash)
    altered: list[str] = []
    try:
        altered += verify(folder)
        if manifest.digest((folder / manifest.NAME).read_bytes()) != sent.edition_hash:
            altered.append(manifest.NAME)
        html, text = ((folder / name).read_text("utf-8") for name in ("email.html", "email.txt"))
    except StorageError:  # its hint is for an edition that can be written anew
        altered = [manifest.NAME]
    except (OSError, UnicodeDecodeError):
        altered = altered or ["email.html"]
    if altered:
        raise StorageError(
            f"{shown(folder)} is not the edition that was frozen: {', '.join(altered)}",
            hint="restore the folder from a backup, or cancel the campaign and send again; "
            "no more was sent",
        )
    return Mailing(
        campaign_id=sent.id,
        frozen=sent.frozen,
        html=html,
        text=text,
        links=links_of(workspace),
        signer=signer_of(workspace),
    )
