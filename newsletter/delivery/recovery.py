"""After a crash: settle what the last sender had in its hands, from its journal.

Accepted is accepted; awaiting an answer is uncertain; what had not left, or was explicitly
refused, is pending again. After a power cut or a reboot the journal's pages may be old:
then what it does not prove accepted is uncertain. Refuses to guess without the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import write_audit
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.journal import Mark, Record, read
from newsletter.delivery.model import Status
from newsletter.delivery.pace import Pace
from newsletter.delivery.statements import Statements
from newsletter.errors import StorageError
from newsletter.store.tables import delivery

MISSED = "the sender ended before the answer came"
_CHUNK = 1_000

_STATUS = {
    Mark.ACCEPTED: Status.ACCEPTED,
    Mark.HANDED_OVER: Status.UNCERTAIN,
    Mark.CLAIMED: Status.PENDING,
    Mark.REFUSED: Status.PENDING,
}


def recover(
    conn: sa.Connection,
    campaign_id: int,
    path: Path,
    *,
    pace: Pace,
    now: datetime,
    boot: str | None = None,
) -> int:
    """Give every delivery in `sending` its status; return how many there were.

    To be called in a transaction, under the campaign's lock. *path* is of the
    journal, *boot* as in `journal.read`.

    Raises:
        StorageError: the journal is missing, is another one, or does not know them.
    """
    sql = Statements(conn.dialect.name)
    in_hand = list(conn.scalars(sql.in_hand, {"campaign": campaign_id}))
    if not in_hand:
        return 0
    record = read(path, boot=boot)
    known = campaigns.get(conn, campaign_id).journal
    if record is None or record.id != known or record.campaign_id != campaign_id:
        raise _lost(path, len(in_hand), "is missing" if not path.exists() else "is not the one")
    if record.is_of_this_boot and not record.marks.keys() >= set(in_hand):
        raise _lost(path, len(in_hand), "is damaged")
    number = {
        mark: _settle(conn, campaign_id, mark, _marked(record, in_hand, mark), now) for mark in Mark
    }
    pace.use(conn, -number[Mark.CLAIMED], now)
    write_audit(
        conn,
        "campaign.recover",
        actor="sender",
        now=now,
        detail=f"{campaign_id}: "
        + ", ".join(f"{mark.name.lower()} {number[mark]}" for mark in Mark),
    )
    return len(in_hand)


def _marked(record: Record, in_hand: Sequence[int], wanted: Mark) -> list[int]:
    # After a reboot a mark that is not there was lost: it may have been any.
    unknown = Mark.CLAIMED if record.is_of_this_boot else Mark.HANDED_OVER
    return [number for number in in_hand if record.marks.get(number, unknown) is wanted]


def _settle(
    conn: sa.Connection, campaign_id: int, mark: Mark, numbers: list[int], now: datetime
) -> int:
    change: dict[str, Any] = {"status": _STATUS[mark].value, "updated_at": now}
    if mark is Mark.CLAIMED:
        change["attempts"] = delivery.c.attempts - 1  # it was none
    elif mark is Mark.HANDED_OVER:
        change["reply"] = MISSED
    for start in range(0, len(numbers), _CHUNK):
        conn.execute(
            sa.update(delivery)
            .where(
                delivery.c.campaign_id == campaign_id,
                delivery.c.subscriber_id.in_(numbers[start : start + _CHUNK]),
                delivery.c.status == Status.SENDING.value,
            )
            .values(**change)
        )
    return len(numbers)


def _lost(path: Path, number: int, what: str) -> StorageError:
    return StorageError(
        f"{number:,} messages were under way when the last sender ended, and the journal that "
        f"knows of them {what}: {path}",
        hint="start where that sender ran, or put the file back; if it is lost for good, "
        "newsletter reconcile --journal-lost makes them uncertain",
    )
