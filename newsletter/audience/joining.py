"""Come onto the list by an operator's hand; who asks by themselves: see `asking`.

Never brings back anyone who left or is suppressed: that takes a lift, and then a
new consent. Writes consent and audit with every change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience import fields
from newsletter.audience.history import check_texts, write_audit, write_consent
from newsletter.audience.identity import identity_of
from newsletter.audience.model import Consent, Reason, Status, Subscriber
from newsletter.audience.profile import (
    add_tags,
    changes_of,
    checked_tags,
    checked_values,
    fresh,
    update,
)
from newsletter.audience.reading import active_reason, hasher_of, locked
from newsletter.errors import UsageError
from newsletter.store.insert import add_new
from newsletter.store.tables import consent, subscriber


def add(
    conn: sa.Connection,
    email: str,
    *,
    name: str = "",
    language: str = "",
    timezone: str = "",
    format: str = "",  # noqa: A002 - the column's name
    tags: Iterable[str] = (),
    status: Status = Status.ACTIVE,
    consent: Consent,
    source: str,
    actor: str,
    now: datetime,
) -> Subscriber:
    """Put a person on the list, or merge what is new about one who is there.

    What is given replaces what was known, what is empty leaves it; tags are added.
    *status* is for a new person; a pending one becomes active, a paused one stays
    paused. Returns the person as they are then.

    Raises:
        UsageError: a value is not usable, the consent has no wording, or the person
            left or is suppressed; the message says which.
    """
    if status not in (Status.PENDING, Status.ACTIVE, Status.PAUSED):
        raise ValueError(f"nobody is added as {status}")
    if not consent.wording.strip():
        raise UsageError(
            "a subscriber needs a consent: what did the person agree to, and how?",
            hint='say it, as in: --consent "asked at the spring meeting, on paper"',
        )
    values = checked_values(email, name=name, language=language, timezone=timezone, format=format)
    wanted = checked_tags(tags)
    check_texts(email, consent.wording, consent.source, source, actor, *wanted)
    row, is_new = row_of(conn, email, values, status=status, source=source, now=now)
    changes = {} if is_new else changes_of(row, values)
    before = Status(row.status)
    if before is not status and (before in (Status.PENDING, Status.UNSUBSCRIBED)):
        changes["status"] = status.value
    new_tags = add_tags(conn, row.id, wanted)
    update(conn, row.id, changes, touched=bool(new_tags), now=now)
    if is_new or "status" in changes or not _has_consent(conn, row.id, consent):
        write_consent(conn, row.id, consent)
    if is_new or changes or new_tags:
        action = "subscriber.add" if is_new else "subscriber.change"
        detail = _detail(changes, new_tags)
        write_audit(conn, action, actor=actor, now=now, subscriber_id=row.id, detail=detail)
    return fresh(conn, row.id)


# ── steps ───────────────────────────────────────────────────────────────────


def row_of(
    conn: sa.Connection,
    email: str,
    values: dict[str, str],
    *,
    status: Status,
    source: str,
    now: datetime,
    despite: frozenset[Reason] = frozenset(),
) -> tuple[sa.Row[Any], bool]:
    """Return the person's row, locked, and whether it is new.

    Raises:
        UsageError: they are suppressed, for another reason than those of *despite*.
    """
    identity = identity_of(email)
    identity_hash = hasher_of(conn).hash(identity)
    row = locked(conn, subscriber.c.identity == identity)
    _refuse_suppressed(conn, email, identity_hash, despite)
    if row is not None:
        return row, False
    is_new = add_new(
        conn,
        subscriber,
        {
            "email": fields.address_of(email),
            "identity": identity,
            "identity_hash": identity_hash,
            **values,
            "format": values["format"] or "html",
            "status": status.value,
            "source": source,
            "created_at": now,
            "updated_at": now,
        },
    )
    row = locked(conn, subscriber.c.identity == identity)
    # Another process may have been first, with more to say than that they joined.
    _refuse_suppressed(conn, email, identity_hash, despite)
    if row is None:
        raise UsageError(f"“{email}” was erased meanwhile and is not mailed")
    return row, is_new


def _refuse_suppressed(
    conn: sa.Connection, email: str, identity_hash: bytes, despite: frozenset[Reason]
) -> None:
    reason = active_reason(conn, identity_hash)
    if reason is not None and reason not in despite:
        raise UsageError(
            f"“{email}” is suppressed ({reason}) and is not mailed",
            hint="if they ask to be mailed again: newsletter subscribers unsuppress, then add",
        )


def _has_consent(conn: sa.Connection, subscriber_id: int, given: Consent) -> bool:
    found = sa.select(consent.c.id).where(
        consent.c.subscriber_id == subscriber_id,
        consent.c.kind == given.kind.value,
        consent.c.wording == given.wording,
    )
    return conn.scalars(found.limit(1)).one_or_none() is not None


def _detail(changes: dict[str, str], new_tags: list[str]) -> str:
    """What changed, never the values: this is kept after an erasure."""
    return " ".join([*sorted(changes), *(f"+{name}" for name in new_tags)])
