"""Come onto the list: by an operator, or by request and confirmation.

Never brings back anyone who left or is suppressed: that takes a lift, and then a
new consent. Writes consent and audit with every change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.audience import fields
from newsletter.audience.history import check_texts, write_audit, write_consent
from newsletter.audience.identity import identity_of
from newsletter.audience.model import Consent, ConsentKind, Status, Subscriber
from newsletter.audience.profile import (
    add_tags,
    changes_of,
    checked_tags,
    checked_values,
    fresh,
    update,
)
from newsletter.audience.reading import active_reason, hasher_of, locked
from newsletter.audience.tokens import confirmation_hash, new_confirmation
from newsletter.errors import UsageError
from newsletter.store.insert import add_new
from newsletter.store.tables import confirmation, consent, subscriber

CONFIRM_WITHIN = timedelta(days=7)
SUBSCRIBER = "subscriber"  # the actor of what people do themselves


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
    row, is_new = _row_of(conn, email, values, status=status, source=source, now=now)
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


def request(
    conn: sa.Connection,
    email: str,
    *,
    name: str = "",
    language: str = "",
    timezone: str = "",
    format: str = "",  # noqa: A002 - the column's name
    tags: Iterable[str] = (),
    consent: Consent,
    source: str,
    actor: str = SUBSCRIBER,
    now: datetime,
    within: timedelta = CONFIRM_WITHIN,
) -> tuple[Subscriber, str]:
    """Note that somebody asked for the newsletter; return the person and a token to confirm.

    Anybody can fill in a form with anybody's address: so nothing changes for a person
    who is active already, and nobody is mailed an issue before they confirm.

    Raises:
        UsageError: a value is not usable, or the person left or is suppressed. A web
            page answers all of these as it answers success.
    """
    values = checked_values(email, name=name, language=language, timezone=timezone, format=format)
    wanted = checked_tags(tags)
    check_texts(email, consent.wording, consent.source, source, actor, *wanted)
    row, is_new = _row_of(conn, email, values, status=Status.PENDING, source=source, now=now)
    before = Status(row.status)
    if before in (Status.PENDING, Status.UNSUBSCRIBED):
        changes = {} if is_new else changes_of(row, values)
        if before is Status.UNSUBSCRIBED:
            changes["status"] = Status.PENDING.value
        new_tags = add_tags(conn, row.id, wanted)
        update(conn, row.id, changes, touched=bool(new_tags), now=now)
    write_consent(conn, row.id, consent)
    write_audit(conn, "subscriber.request", actor=actor, now=now, subscriber_id=row.id)
    token, token_hash = new_confirmation()
    conn.execute(
        sa.insert(confirmation),
        {"token_hash": token_hash, "subscriber_id": row.id, "expires_at": now + within},
    )
    return fresh(conn, row.id), token


def confirm(
    conn: sa.Connection,
    token: str,
    *,
    now: datetime,
    ip: str | None = None,
    page: str | None = None,
) -> Subscriber | None:
    """Take a confirmation and make the pending person active; None if it does not count.

    It counts once, in time, and for a person who has not left or been suppressed
    meanwhile. Only a hash is compared, and unknown, used and expired tokens run the
    same statements.
    """
    token_hash = confirmation_hash(token)
    owner = sa.select(confirmation.c.subscriber_id).where(confirmation.c.token_hash == token_hash)
    # The person is locked first, as wherever somebody leaves: else two writers deadlock.
    row = locked(conn, subscriber.c.id == owner.scalar_subquery())
    taken = (
        sa.update(confirmation)
        .where(
            confirmation.c.token_hash == token_hash,
            confirmation.c.used_at.is_(None),
            confirmation.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(confirmation.c.subscriber_id)
    )
    if conn.scalars(taken).one_or_none() is None or row is None:
        return None
    if row.status in (Status.UNSUBSCRIBED, Status.ERASED):
        return None
    if active_reason(conn, row.identity_hash) is not None:
        return None
    if row.status == Status.PENDING:
        update(conn, row.id, {"status": Status.ACTIVE.value}, touched=True, now=now)
    given = Consent(
        kind=ConsentKind.CONFIRMED,
        wording=_requested_wording(conn, row.id),
        at=now,
        ip=ip,
        page=page,
        source="confirmation",
    )
    write_consent(conn, row.id, given)
    write_audit(conn, "subscriber.confirm", actor=SUBSCRIBER, now=now, subscriber_id=row.id)
    return fresh(conn, row.id)


# ── steps ───────────────────────────────────────────────────────────────────


def _row_of(
    conn: sa.Connection,
    email: str,
    values: dict[str, str],
    *,
    status: Status,
    source: str,
    now: datetime,
) -> tuple[sa.Row[Any], bool]:
    """The person's row, locked, and whether it is new. Raises UsageError for a suppressed one."""
    identity = identity_of(email)
    identity_hash = hasher_of(conn).hash(identity)
    row = locked(conn, subscriber.c.identity == identity)
    _refuse_suppressed(conn, email, identity_hash)
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
    _refuse_suppressed(conn, email, identity_hash)
    if row is None:
        raise UsageError(f"“{email}” was erased meanwhile and is not mailed")
    return row, is_new


def _refuse_suppressed(conn: sa.Connection, email: str, identity_hash: bytes) -> None:
    reason = active_reason(conn, identity_hash)
    if reason is not None:
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


def _requested_wording(conn: sa.Connection, subscriber_id: int) -> str:
    query = (
        sa.select(consent.c.wording)
        .where(
            consent.c.subscriber_id == subscriber_id,
            consent.c.kind == ConsentKind.REQUESTED.value,
        )
        .order_by(consent.c.id.desc())
        .limit(1)
    )
    return conn.scalars(query).one_or_none() or ""


def _detail(changes: dict[str, str], new_tags: list[str]) -> str:
    """What changed, never the values: this is kept after an erasure."""
    return " ".join([*sorted(changes), *(f"+{name}" for name in new_tags)])
