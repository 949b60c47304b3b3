"""Approve an edition: bind the word of a person to its SHA-256, and to no other bytes.

Any later change that changes a byte voids the approval, by itself: what is composed at
the slot has another hash. Refuses to approve what was sent, to let somebody approve
their own words where `[review]` forbids it, and to take an approval back once mail is
on its way. Sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.calendar.changes import changes
from newsletter.calendar.writer import writer_of
from newsletter.compose import manifest
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.config.schedule import ReviewConfig
from newsletter.delivery.campaign import (
    current,
    edition_folder,
    freeze_edition,
    one_after_the_other,
)
from newsletter.delivery.model import State
from newsletter.errors import UsageError
from newsletter.issue.number import IssueNumber
from newsletter.store.engine import Store
from newsletter.store.tables import approval

_WRITER = "written_by"  # of the checklist: address and name by git; [] is unknown


class Standing(StrEnum):
    """How far the issue is on its way to be sent at a slot."""

    NONE = "nothing approved"
    PARTIAL = "needs another approval"
    APPROVED = "approved"
    CHANGED = "changed since it was approved"
    SENT = "sent"  # a campaign to everyone exists


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    id: int
    number: str
    edition_hash: str
    approved_by: str
    approved_at: datetime
    checklist: dict[str, Any]
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalState:
    standing: Standing
    edition_hash: str | None = None  # the approved one, or the one that was sent
    approvals: tuple[Approval, ...] = ()  # those that stand
    changes: tuple[str, ...] = ()  # what voids them
    missing: int = 0  # approvals


# ── giving and taking back ──────────────────────────────────────────────────


def approve(
    store: Store,
    workspace: Workspace,
    edition: Edition,
    *,
    checklist: dict[str, Any],
    now: datetime,
    actor: str,
) -> ApprovalState:
    """Freeze *edition* and note that *actor* approves it; again by the same person is no news.

    Approvals of other editions of its number end. *checklist* is what the person was
    shown, ready for JSON; who wrote the issue is added to it.

    Raises:
        UsageError: it was sent to everyone already, or *actor* wrote it and may not.
        StorageError: the disk or the database refuses.
    """
    folder = workspace.issues / IssueNumber.parse(edition.number).folder
    writers = writer_of(folder)
    if not workspace.config.review.self_approval and _is_among(actor, writers):
        raise UsageError(
            f"{actor} wrote the last change of Vol {edition.number}, and somebody else must "
            "approve it",
            hint="self_approval = true in newsletter.toml would allow it",
        )
    freeze_edition(store, workspace, edition, now=now)
    with store.begin() as conn:
        one_after_the_other(conn)
        sent = current(conn, edition.number)
        if sent is not None:
            raise UsageError(
                f"Vol {edition.number} is past approving: its campaign is {sent.state}",
                hint=f"newsletter status {edition.number} tells more",
            )
        approvals = standing(conn, edition.number)
        if not has_approved(actor, approvals, edition.hash):
            give(conn, edition, {**checklist, _WRITER: writers}, now=now, actor=actor)
        return state_of(conn, workspace, edition.number, edition)


def give(
    conn: sa.Connection, edition: Edition, checklist: dict[str, Any], *, now: datetime, actor: str
) -> None:
    """Add an approval of *edition*, which is frozen; those of other editions end."""
    replaced = approval.c.edition_hash != edition.hash
    reason = f"edition {edition.hash[:16]} was approved"
    _end(conn, edition.number, replaced, reason=reason, now=now, actor=actor)
    insert_row(conn, edition, checklist, now=now, actor=actor)


def insert_row(
    conn: sa.Connection,
    edition: Edition,
    checklist: dict[str, Any],
    *,
    now: datetime,
    actor: str,
    ended: str | None = None,
) -> None:
    """Note that *actor* approves *edition*; with *ended*, a reason, only for the record."""
    row = {
        "number": edition.number,
        "edition_hash": edition.hash,
        "approved_by": actor,
        "approved_at": now,
        "checklist": json.dumps(checklist, ensure_ascii=False),
    }
    end = {"revoked_at": now, "revoked_by": actor, "revoked_reason": ended} if ended else {}
    conn.execute(sa.insert(approval), {**row, **end})
    detail = f"Vol {edition.number}, {edition.hash[:16]}" + (f", {ended}" if ended else "")
    write_audit(conn, "approval.give", actor=actor, now=now, detail=detail)


def _end(
    conn: sa.Connection,
    number: str,
    which: sa.ColumnElement[bool],
    *,
    reason: str,
    now: datetime,
    actor: str,
) -> None:
    conn.execute(
        sa.update(approval)
        .where(approval.c.number == number, approval.c.revoked_at.is_(None), which)
        .values(revoked_at=now, revoked_by=actor, revoked_reason=reason)
    )


def unapprove(conn: sa.Connection, number: str, *, reason: str, now: datetime, actor: str) -> bool:
    """Take back every approval of the issue; False if none stood.

    Raises:
        UsageError: a campaign to everyone exists: pausing or cancelling it is what stops it.
    """
    one_after_the_other(conn)
    sent = current(conn, number)
    if sent is not None:
        raise UsageError(
            f"Vol {number} cannot be unapproved: its campaign is {sent.state}",
            hint=""
            if sent.state is State.COMPLETED
            else f"newsletter pause {number} stops it; newsletter cancel {number} ends it",
        )
    stood = standing(conn, number)
    if not stood:
        return False
    _end(conn, number, sa.true(), reason=reason, now=now, actor=actor)
    detail = f"Vol {number}, {stood[-1].edition_hash[:16]}: {reason}"
    write_audit(conn, "approval.take_back", actor=actor, now=now, detail=detail)
    return True


# ── asking ──────────────────────────────────────────────────────────────────


def state_of(
    conn: sa.Connection, workspace: Workspace, number: str, edition: Edition | None
) -> ApprovalState:
    """Tell how the issue stands. *edition* is it composed just now; None: that cannot be done."""
    sent = current(conn, number)
    approvals = standing(conn, number)
    if sent is not None:
        own = tuple(a for a in approvals if a.edition_hash == sent.edition_hash)
        return ApprovalState(standing=Standing.SENT, edition_hash=sent.edition_hash, approvals=own)
    if not approvals:
        return ApprovalState(standing=Standing.NONE, missing=workspace.config.review.approvals)
    approved_hash = approvals[-1].edition_hash
    missing = _missing(approvals, workspace.config.review)
    void: tuple[str, ...] = ()
    kind = Standing.PARTIAL if missing else Standing.APPROVED
    if edition is None or edition.hash != approved_hash:
        kind, missing = Standing.CHANGED, workspace.config.review.approvals
        void = _changes(workspace, approved_hash, edition)
    return ApprovalState(
        standing=kind,
        edition_hash=approved_hash,
        approvals=approvals,
        changes=void,
        missing=missing,
    )


def standing(conn: sa.Connection, number: str) -> tuple[Approval, ...]:
    """Return the approvals of the issue that were not taken back, in order; all of one edition."""
    query = sa.select(approval).where(approval.c.number == number, approval.c.revoked_at.is_(None))
    return tuple(_of_row(row) for row in conn.execute(query.order_by(approval.c.id)))


def has_approved(actor: str, approvals: Iterable[Approval], edition_hash: str) -> bool:
    """Whether *actor*, in whatever letter case, is among those who approved the edition."""
    return _is_among(actor, (a.approved_by for a in approvals if a.edition_hash == edition_hash))


def last_approval(conn: sa.Connection, number: str) -> Approval | None:
    """Return the newest approval of the issue, whether it stands or was taken back."""
    query = sa.select(approval).where(approval.c.number == number)
    row = conn.execute(query.order_by(approval.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _of_row(row)


def in_words(state: ApprovalState) -> str:
    """ "changed since it was approved: issue.md", "needs another approval; so far kim"."""
    if state.standing is Standing.CHANGED and state.changes:
        return f"{state.standing}: {', '.join(state.changes)}"
    if state.standing is Standing.PARTIAL:
        return f"{state.standing}; so far {names(state)}"
    return str(state.standing)


def names(state: ApprovalState) -> str:
    return " and ".join(a.approved_by for a in state.approvals)


# ── details ─────────────────────────────────────────────────────────────────


def _missing(approvals: Sequence[Approval], review: ReviewConfig) -> int:
    """How many more people must approve.

    Where writers may not approve their own, and nobody knows who wrote it, one person
    more is needed: one of them may be the writer, but not all.
    """
    writers = {name for a in approvals for name in a.checklist.get(_WRITER, ())}
    if review.self_approval:
        return max(0, review.approvals - len(_people(approvals)))
    others = [a for a in approvals if not _is_among(a.approved_by, writers)]
    return max(0, review.approvals + (not writers) - len(_people(others)))


def _people(approvals: Iterable[Approval]) -> set[str]:
    return {a.approved_by.casefold() for a in approvals}


def _is_among(actor: str, writers: Iterable[str]) -> bool:
    return actor.casefold() in {name.casefold() for name in writers}


def _changes(workspace: Workspace, approved_hash: str, edition: Edition | None) -> tuple[str, ...]:
    if edition is None:
        return ("it cannot be composed any more",)
    try:
        old = (edition_folder(workspace, approved_hash) / manifest.NAME).read_bytes()
        return changes(old, edition.files[manifest.NAME])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ("what was approved is not there any more to compare with",)


def _of_row(row: sa.Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        number=row.number,
        edition_hash=row.edition_hash,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        checklist=json.loads(row.checklist),
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        revoked_reason=row.revoked_reason,
    )
