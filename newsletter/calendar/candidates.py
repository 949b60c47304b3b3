"""Which issue goes out next: the lowest approved one that still has the approved bytes.

Composes each candidate anew, because only its bytes tell. Refuses to pass over an
issue without saying why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from newsletter.calendar.approval import ApprovalState, Standing, in_words, state_of
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.delivery.model import State
from newsletter.errors import NewsletterError, StorageError
from newsletter.issue.folder import IssueFolder
from newsletter.issue.number import IssueNumber
from newsletter.store.engine import Store
from newsletter.store.tables import approval, campaign

Compose = Callable[[IssueFolder], Edition]  # checks first; raises NewsletterError


@dataclass(frozen=True, kw_only=True, slots=True)
class Approved:
    """An issue that may go out, as it was composed just now."""

    number: str
    edition: Edition
    state: ApprovalState


def next_to_send(
    store: Store, workspace: Workspace, compose: Compose
) -> tuple[Approved | None, list[str]]:
    """Find the lowest approved issue that was not sent and still has the approved bytes.

    Also say in a line each why those that come before it, or all of them, cannot go out:
    "Vol 2.25: changed since it was approved: issue.md". *compose* checks and composes.

    Raises:
        StorageError: the disk or the database refuses.
    """
    reasons: list[str] = []
    for number in candidates(store):
        edition, fault = composed(workspace, number, compose)
        with store.read() as conn:
            state = state_of(conn, workspace, number, edition)
        if state.standing is Standing.APPROVED and edition is not None:
            return Approved(number=number, edition=edition, state=state), reasons
        reasons.append(f"Vol {number}: {in_words(state)}" + (f": {fault}" if fault else ""))
    return None, reasons


def candidates(store: Store) -> list[str]:
    """List the numbers with an approval that stands and no campaign to everyone, in order."""
    is_sent = sa.exists().where(
        campaign.c.number == approval.c.number,
        campaign.c.audience == "",
        campaign.c.state != State.CANCELLED.value,
    )
    query = sa.select(approval.c.number).where(approval.c.revoked_at.is_(None), ~is_sent)
    with store.read() as conn:
        return sorted(conn.scalars(query.distinct()), key=IssueNumber.parse)


def composed(workspace: Workspace, number: str, compose: Compose) -> tuple[Edition | None, str]:
    """Compose the issue as it stands; where its content or a template forbids that, say why.

    Raises:
        StorageError: the disk refuses, which says nothing about the issue.
    """
    folder = IssueFolder(workspace.issues / IssueNumber.parse(number).folder, workspace.issues)
    try:
        return compose(folder), ""
    except StorageError:
        raise
    except NewsletterError as error:
        return None, error.message
