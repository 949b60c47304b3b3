"""Whether an edition may go out: asked in the very transaction that makes its campaign.

The scheduler needs an approval that stands. A person who sends by hand approves by
confirming, where `[review]` leaves that to one person; it is put on record as such.
Refuses everything else. Sends nothing.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from newsletter.calendar.approval import Standing, give, in_words, insert_row, state_of
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.errors import UsageError


def require_approved(conn: sa.Connection, workspace: Workspace, edition: Edition) -> None:
    """Raise UsageError unless exactly this edition is approved: what the scheduler freezes by."""
    state = state_of(conn, workspace, edition.number, edition)
    if state.standing is not Standing.APPROVED:
        raise UsageError(
            f"Vol {edition.number} is not approved: {in_words(state)}",
            hint=f"newsletter approve {edition.number}",
        )


def is_up_to_the_sender(conn: sa.Connection, workspace: Workspace, edition: Edition) -> bool:
    """Whether who sends by hand approves by that; False: it is approved as it is.

    Raises:
        UsageError: somebody else must approve it first.
    """
    state = state_of(conn, workspace, edition.number, edition)
    is_same = state.edition_hash == edition.hash
    if is_same and state.standing in (Standing.APPROVED, Standing.SENT):
        return False
    review = workspace.config.review
    if review.approvals == 1 and review.self_approval:
        return True
    rule = f"{review.approvals} people must approve it" if review.approvals > 1 else ""
    others = "" if review.self_approval else "whoever wrote it cannot"
    raise UsageError(
        f"Vol {edition.number} is not approved: {in_words(state)}",
        hint="; ".join(filter(None, (rule, others, f"newsletter approve {edition.number}"))),
    )


def permit_by_hand(
    conn: sa.Connection,
    workspace: Workspace,
    edition: Edition,
    *,
    tag: str | None,
    now: datetime,
    actor: str,
) -> None:
    """Note the approval that sending by hand is, where there is none yet.

    Of a campaign to a tag it ends at once: it says nothing about sending to everyone at
    the slot.

    Raises:
        UsageError: somebody else must approve it first.
    """
    if not is_up_to_the_sender(conn, workspace, edition):
        return
    checklist = {"by": "newsletter send", "tag": tag, "subject": edition.view.subject}
    if tag is None:
        give(conn, edition, checklist, now=now, actor=actor)
    else:
        ended = f"only for the campaign to “{tag}”"
        insert_row(conn, edition, checklist, now=now, actor=actor, ended=ended)
