"""Put back issues into the archive without sending them, and take them out again.

An edition is frozen as for a campaign, and one row says that it stands there. Refuses to
touch what was sent: its readers have links to it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.compose.edition import Edition
from newsletter.config import Workspace
from newsletter.delivery.campaign import freeze_edition, one_after_the_other
from newsletter.errors import UsageError
from newsletter.site.editions import Publication, published
from newsletter.store.engine import Store
from newsletter.store.insert import add_new
from newsletter.store.tables import publication


class Outcome(StrEnum):
    """Of publishing one edition."""

    PUBLISHED = "published"
    REPLACED = "published anew"  # another edition of this number stood there
    UNCHANGED = "in the archive already"
    SENT = "in the archive already: it was sent"


def publish(
    store: Store, workspace: Workspace, edition: Edition, *, now: datetime, actor: str
) -> Outcome:
    """Freeze *edition* and let it stand in the archive; again changes nothing.

    Raises:
        StorageError: the disk or the database refuses.
    """
    freeze_edition(store, workspace, edition, now=now)
    with store.begin() as conn:
        one_after_the_other(conn)  # no campaign comes in between
        before = standing(conn, edition.number)
        if before is not None and before.was_sent:
            return Outcome.SENT
        if before is not None and before.edition_hash == edition.hash:
            return Outcome.UNCHANGED
        row = {"edition_hash": edition.hash, "published_at": now, "published_by": actor}
        if not add_new(conn, publication, {"number": edition.number, **row}):
            conn.execute(
                sa.update(publication).where(publication.c.number == edition.number).values(row)
            )
        detail = f"Vol {edition.number}, {edition.hash[:16]}"
        write_audit(conn, "publication.publish", actor=actor, now=now, detail=detail)
        return Outcome.PUBLISHED if before is None else Outcome.REPLACED


def unpublish(conn: sa.Connection, number: str, *, now: datetime, actor: str) -> bool:
    """Take an issue out of the archive that was put there by hand; False if it is not in it.

    Its frozen edition stays in the workspace.

    Raises:
        UsageError: it was sent.
    """
    one_after_the_other(conn)
    before = standing(conn, number)
    if before is not None and before.was_sent:
        raise UsageError(
            f"Vol {number} was sent, and its readers have links to it: it stays in the archive",
            hint="a mistake in it is mended in the next issue",
        )
    gone = conn.execute(sa.delete(publication).where(publication.c.number == number))
    if gone.rowcount == 0:
        return False
    write_audit(conn, "publication.unpublish", actor=actor, now=now, detail=f"Vol {number}")
    return True


def standing(conn: sa.Connection, number: str) -> Publication | None:
    """What stands in the archive under this number."""
    return next((one for one in published(conn) if one.number == number), None)
