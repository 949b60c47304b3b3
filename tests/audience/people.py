"""Put people on a list in one line; their lives are the tests' business."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Consent, ConsentKind, Status, Subscriber
from newsletter.store.engine import Store
from newsletter.store.tables import metadata

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
WRITES = {"now": NOW, "actor": "operator"}


def consent(kind: ConsentKind = ConsentKind.ADDED, **values: Any) -> Consent:
    return Consent(**{"kind": kind, "wording": "asked on paper", "at": NOW, **values})


def add(conn: sa.Connection, email: str, **values: Any) -> Subscriber:
    """Add an active person with a consent on paper."""
    return subscribers.add(
        conn, email, **{"consent": consent(), "source": "test", **WRITES, **values}
    )


def request(conn: sa.Connection, email: str, **values: Any) -> tuple[Subscriber, str]:
    given = consent(ConsentKind.REQUESTED, wording="“Send me the digest.”", page="/join")
    return subscribers.request(
        conn, email, **{"consent": given, "source": "form", "now": NOW, **values}
    )


def mailed(store: Store, **narrowed: Any) -> list[str]:
    """The addresses that may be mailed."""
    with store.read() as conn:
        found = subscribers.iterate(conn, subscribers.eligible(**narrowed))
        return [person.email for person in found]


def status_of(store: Store, email: str) -> Status | None:
    with store.read() as conn:
        person = subscribers.find(conn, email)
    return None if person is None else person.status


def everything(store: Store) -> str:
    """All values of all tables, as one text."""
    with store.read() as conn:
        rows = [row for table in metadata.sorted_tables for row in conn.execute(sa.select(table))]
    return "\n".join(str(row) for row in rows)
