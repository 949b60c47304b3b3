"""Suppress many people of the list at once: `leaving.suppress`, in a handful of statements.

For reports that come by the thousand. The outcome is the same as one by one, in order of
their ids. Refuses to judge, and to suppress who is not on the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import check_texts
from newsletter.audience.leaving import GRAVITY, WITHDRAWS
from newsletter.audience.model import ConsentKind, Reason, Status
from newsletter.audience.pausing import end_pause
from newsletter.store.insert import insert_new
from newsletter.store.tables import audit, confirmation, consent, subscriber, suppression


def suppress_people(
    conn: sa.Connection,
    why: Mapping[int, tuple[Reason, str]],
    *,
    now: datetime,
    actor: str,
) -> int:
    """Suppress the people with these ids, each for a reason and by a source; erased ones are not.

    Returns how many were not suppressed for that reason, or a graver one, before.

    Raises:
        UsageError: source or actor holds the address of one of them.
    """
    people = (
        sa.select(subscriber)
        .where(subscriber.c.id.in_(sorted(why)), subscriber.c.email.is_not(None))
        .order_by(subscriber.c.id)
        .with_for_update()
    )
    rows = conn.execute(people).all()
    for row in rows:
        check_texts(row.email, why[row.id][1], actor)
    return sum(_suppress(conn, some, why, now=now, actor=actor) for some in _rounds(rows))


def _rounds(rows: Sequence[sa.Row[Any]]) -> Iterator[list[sa.Row[Any]]]:
    """Addresses that differ only in letter case share a suppression: one after the other."""
    nth: dict[bytes, int] = defaultdict(int)
    rounds: dict[int, list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        rounds[nth[row.identity_hash]].append(row)
        nth[row.identity_hash] += 1
    yield from rounds.values()


def _suppress(
    conn: sa.Connection,
    rows: list[sa.Row[Any]],
    why: Mapping[int, tuple[Reason, str]],
    *,
    now: datetime,
    actor: str,
) -> int:
    """People of whom no two share a suppression."""
    alike: dict[tuple[Reason, str], list[sa.Row[Any]]] = defaultdict(list)
    for row in rows:
        alike[why[row.id]].append(row)
    written: list[dict[str, Any]] = []
    new = 0
    for (reason, source), people in alike.items():
        entries = [_entry("suppress", row.id, f"{reason.value}: {source}") for row in people]
        inserted = _insert(conn, people, reason, source, now=now, actor=actor)
        written += [
            entry
            for row, entry in zip(people, entries, strict=True)
            if row.identity_hash in inserted
        ]
        new += len(inserted)
    conn.execute(
        sa.delete(confirmation).where(confirmation.c.subscriber_id.in_([row.id for row in rows]))
    )
    leaving = [
        row for row in rows if why[row.id][0] in WITHDRAWS and row.status != Status.UNSUBSCRIBED
    ]
    if leaving:
        _withdraw(conn, {row.id: why[row.id][1] for row in leaving}, now)
        written += [_entry("unsubscribe", row.id, why[row.id][1]) for row in leaving]
    if written:
        conn.execute(sa.insert(audit), [{**entry, "at": now, "actor": actor} for entry in written])
    return new


def _insert(
    conn: sa.Connection,
    people: list[sa.Row[Any]],
    reason: Reason,
    source: str,
    *,
    now: datetime,
    actor: str,
) -> set[bytes]:
    """Put *reason* in the place of lighter ones; return the hashes of those that had none."""
    lighter = [known.value for known in GRAVITY[: GRAVITY.index(reason)]]
    conn.execute(
        sa.update(suppression)
        .where(
            suppression.c.identity_hash.in_([row.identity_hash for row in people]),
            suppression.c.lifted_at.is_(None),
            suppression.c.reason.in_(lighter),
        )
        .values(lifted_at=now, lifted_by=actor, lifted_reason=f"now {reason.value}")
    )
    rows = [
        {
            "identity": row.identity,
            "identity_hash": row.identity_hash,
            "reason": reason.value,
            "source": source,
            "at": now,
        }
        for row in people
    ]
    statement = insert_new(suppression, conn.dialect.name).returning(suppression.c.identity_hash)
    return set(conn.scalars(statement, rows))


def _withdraw(conn: sa.Connection, sources: Mapping[int, str], now: datetime) -> None:
    end_pause(conn, *sources)
    conn.execute(
        sa.update(subscriber)
        .where(subscriber.c.id.in_(list(sources)))
        .values(status=Status.UNSUBSCRIBED.value, updated_at=now)
    )
    rows = [
        {
            "subscriber_id": number,
            "kind": ConsentKind.WITHDRAWN.value,
            "wording": "",
            "at": now,
            "source": source,
        }
        for number, source in sources.items()
    ]
    conn.execute(sa.insert(consent), rows)


def _entry(action: str, subscriber_id: int, detail: str) -> dict[str, Any]:
    return {"action": f"subscriber.{action}", "subscriber_id": subscriber_id, "detail": detail}
