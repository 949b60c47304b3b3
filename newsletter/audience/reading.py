"""Find subscribers and count them; say who may be mailed. Never writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from newsletter.audience.fields import text_of
from newsletter.audience.identity import Hasher, identity_of
from newsletter.audience.model import Reason, Status, Subscriber
from newsletter.errors import UsageError
from newsletter.store.tables import consent, setting, subscriber, subscriber_tag, suppression

CHUNK = 5_000  # rows that `iterate` holds at a time


# ── who ─────────────────────────────────────────────────────────────────────


def eligible(*, tag: str | None = None) -> sa.Select[Any]:
    """Select the subscribers who may be mailed: active, and not suppressed.

    The one definition of it; sending, claims and statistics all start here.
    """
    return everyone(status=Status.ACTIVE, tag=tag).where(~suppressed())


def everyone(
    *, status: Status | None = None, tag: str | None = None, text: str = ""
) -> sa.Select[Any]:
    """Select subscribers by status, tag and *text* in address or name; all by default.

    Raises:
        UsageError: *text* holds a control character, which databases take differently.
    """
    query = sa.select(subscriber)
    if status is not None:
        query = query.where(subscriber.c.status == status.value)
    if tag is not None:
        tagged = sa.exists().where(
            subscriber_tag.c.subscriber_id == subscriber.c.id, subscriber_tag.c.tag == tag
        )
        query = query.where(tagged)
    if text:
        try:
            text_of(text)
        except ValueError as error:
            raise UsageError(str(error)) from error
        found = [
            column.icontains(text, autoescape=True)
            for column in (subscriber.c.email, subscriber.c.name)
        ]
        query = query.where(sa.or_(*found))
    return query


def suppressed() -> sa.ColumnElement[bool]:
    """Whether an active suppression stands against the row of `subscriber`."""
    return sa.exists().where(
        suppression.c.identity_hash == subscriber.c.identity_hash,
        suppression.c.lifted_at.is_(None),
    )


# ── rows ────────────────────────────────────────────────────────────────────


def find(conn: sa.Connection, email: str) -> Subscriber | None:
    """Return the subscriber whom a person means by *email*; None for no address too.

    The exact spelling first, else the one that differs only in letter case.

    Raises:
        UsageError: several differ from it only in letter case.
    """
    found = find_exactly(conn, email)
    others = [] if found is not None else other_spellings(conn, email)
    if len(others) > 1:
        raise UsageError(
            f"“{email}” is not on the list, but {len(others)} other spellings of it are, "
            "in capital and small letters",
            hint="give the exact spelling: newsletter subscribers list --query TEXT",
        )
    return get(conn, others[0]) if others else found


def find_exactly(conn: sa.Connection, email: str) -> Subscriber | None:
    """Return the subscriber with this identity; None for no address too."""
    try:
        identity = identity_of(email)
    except ValueError:
        return None
    return _one(conn, subscriber.c.identity == identity)


def other_spellings(conn: sa.Connection, email: str) -> list[int]:
    """Return the ids of the subscribers whose address differs from *email* only in letter case.

    Reads the whole list: an index would cost every import, and only people who type ask.
    """
    try:
        identity = identity_of(email)
    except ValueError:
        return []
    query = sa.select(subscriber.c.id).where(
        subscriber.c.identity_hash == hasher_of(conn).hash(identity),
        subscriber.c.identity != identity,
    )
    return list(conn.scalars(query.order_by(subscriber.c.id)))


def get(conn: sa.Connection, subscriber_id: int) -> Subscriber | None:
    """Return the subscriber with this id, an erased one too."""
    return _one(conn, subscriber.c.id == subscriber_id)


def locked(conn: sa.Connection, where: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    """Return the row, held until the transaction ends (SQLite's writer holds everything)."""
    return conn.execute(sa.select(subscriber).where(where).with_for_update()).one_or_none()


def _one(conn: sa.Connection, where: sa.ColumnElement[bool]) -> Subscriber | None:
    row = conn.execute(sa.select(subscriber).where(where)).one_or_none()
    return None if row is None else of_row(row, tags_of(conn, row.id))


def tags_of(conn: sa.Connection, subscriber_id: int) -> tuple[str, ...]:
    query = sa.select(subscriber_tag.c.tag).where(subscriber_tag.c.subscriber_id == subscriber_id)
    return tuple(sorted(conn.scalars(query)))


def of_row(row: sa.Row[Any], tags: tuple[str, ...]) -> Subscriber:
    """Build the Subscriber of a row of the table `subscriber`."""
    return Subscriber(
        id=row.id,
        email=row.email or "",
        name=row.name,
        language=row.language,
        timezone=row.timezone,
        format=row.format,
        status=Status(row.status),
        tags=tags,
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def iterate(
    conn: sa.Connection, select: sa.Select[Any], *, chunk: int = CHUNK
) -> Iterator[Subscriber]:
    """Yield the subscribers of *select* (from `eligible` or `everyone`) in order of id.

    Holds *chunk* rows at a time. Inside one `Store.read()` the list does not change
    while it is read.
    """
    last = -1
    while True:
        page = select.where(subscriber.c.id > last).order_by(subscriber.c.id).limit(chunk)
        rows = conn.execute(page).all()
        if not rows:
            return
        tags = _tags_between(conn, rows[0].id, rows[-1].id)
        for row in rows:
            yield of_row(row, tuple(sorted(tags.get(row.id, ()))))
        last = rows[-1].id


def _tags_between(conn: sa.Connection, first: int, last: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = sa.select(subscriber_tag).where(subscriber_tag.c.subscriber_id.between(first, last))
    for row in conn.execute(query):
        found.setdefault(row.subscriber_id, []).append(row.tag)
    return found


def count(conn: sa.Connection, select: sa.Select[Any]) -> int:
    """Count the subscribers of *select* without reading them."""
    return conn.scalar(sa.select(sa.func.count()).select_from(select.subquery())) or 0


# ── suppressions ────────────────────────────────────────────────────────────


def hasher_of(conn: sa.Connection) -> Hasher:
    """The hasher of this database."""
    key = conn.scalars(sa.select(setting.c.value).where(setting.c.name == "identity_key")).one()
    return Hasher(bytes.fromhex(key))


def suppression_of(conn: sa.Connection, email: str) -> Reason | None:
    """Return why the address is suppressed now, else None; knows erased people by their hash."""
    try:
        identity = identity_of(email)
    except ValueError:
        return None
    return active_reason(conn, hasher_of(conn).hash(identity))


def active_reason(conn: sa.Connection, identity_hash: bytes) -> Reason | None:
    query = sa.select(suppression.c.reason).where(
        suppression.c.identity_hash == identity_hash, suppression.c.lifted_at.is_(None)
    )
    found = conn.scalars(query).one_or_none()
    return None if found is None else Reason(found)


def statistics(conn: sa.Connection) -> dict[str, Any]:
    """Count the list: `total`, `eligible`, `status`, `suppressed` (by reason), `tags`, `consents`.

    `total` leaves the erased out; every status and reason is there, if only with 0.
    """
    status = _counts(conn, subscriber.c.status)
    reasons = _counts(conn, suppression.c.reason, suppression.c.lifted_at.is_(None))
    return {
        "total": sum(number for name, number in status.items() if name != Status.ERASED),
        "eligible": count(conn, eligible()),
        "status": {value.value: status.get(value.value, 0) for value in Status},
        "suppressed": {value.value: reasons.get(value.value, 0) for value in Reason},
        "tags": _counts(conn, subscriber_tag.c.tag),
        "consents": _counts(conn, consent.c.kind),
    }


def _counts(
    conn: sa.Connection, column: sa.Column[Any], where: sa.ColumnElement[bool] | None = None
) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).group_by(column).order_by(column)
    if where is not None:
        query = query.where(where)
    return {row[0]: row[1] for row in conn.execute(query)}
