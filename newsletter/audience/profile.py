"""What is known about a person, and their tags: check it, compare it, write it.

Refuses to decide who is on the list; that is `joining` and `leaving`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience import fields
from newsletter.audience.history import check_texts, write_audit
from newsletter.audience.model import Status, Subscriber
from newsletter.audience.reading import get, locked, tags_of
from newsletter.errors import UsageError
from newsletter.store.insert import insert_new
from newsletter.store.tables import subscriber, subscriber_tag


def tag(
    conn: sa.Connection,
    subscriber_id: int,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    now: datetime,
    actor: str,
) -> Subscriber:
    """Add and remove tags; what is there or gone already changes nothing.

    Raises:
        UsageError: no such subscriber, or a tag is not usable.
    """
    row = locked(conn, subscriber.c.id == subscriber_id)
    if row is None or row.status == Status.ERASED:
        raise UsageError(f"there is no subscriber {subscriber_id}")
    wanted, unwanted = checked_tags(add), checked_tags(remove)
    check_texts(row.email, *wanted)
    added = add_tags(conn, row.id, wanted)
    removed = sorted(set(unwanted) & set(tags_of(conn, row.id)))
    if removed:
        conn.execute(
            sa.delete(subscriber_tag).where(
                subscriber_tag.c.subscriber_id == row.id, subscriber_tag.c.tag.in_(removed)
            )
        )
    if added or removed:
        update(conn, row.id, {}, touched=True, now=now)
        detail = " ".join([*(f"+{name}" for name in added), *(f"-{name}" for name in removed)])
        write_audit(
            conn, "subscriber.tag", actor=actor, now=now, subscriber_id=row.id, detail=detail
        )
    return fresh(conn, row.id)


def change(
    conn: sa.Connection,
    subscriber_id: int,
    *,
    name: str | None = None,
    language: str | None = None,
    timezone: str | None = None,
    format: str | None = None,  # noqa: A002 - the column's name
    now: datetime,
    actor: str,
) -> Subscriber:
    """Replace what is given, None leaves it, “” clears it; the audit gets the names alone.

    Raises:
        UsageError: no such subscriber, or a value is not usable, as the person may be told.
    """
    given = {"name": name, "language": language, "timezone": timezone, "format": format}
    try:
        values = {key: _CHECKS[key](text) for key, text in given.items() if text is not None}
    except ValueError as error:
        raise UsageError(str(error)) from error
    if "format" in values:
        values["format"] = values["format"] or "html"
    row = locked(conn, subscriber.c.id == subscriber_id)
    if row is None or row.status == Status.ERASED:
        raise UsageError(f"there is no subscriber {subscriber_id}")
    changes = {key: value for key, value in values.items() if value != row._mapping[key]}
    if changes:
        update(conn, row.id, changes, touched=True, now=now)
        write_audit(
            conn,
            "subscriber.change",
            actor=actor,
            now=now,
            subscriber_id=row.id,
            detail=" ".join(sorted(changes)),
        )
    return fresh(conn, row.id)


_CHECKS = {
    "name": fields.name_of,
    "language": fields.language_of,
    "timezone": fields.time_zone_of,
    "format": fields.format_of,
}


def checked_values(email: str, **values: str) -> dict[str, str]:
    try:
        fields.address_of(email)
        return {key: _CHECKS[key](value) for key, value in values.items()}
    except ValueError as error:
        raise UsageError(f"“{email[:100]}” cannot be subscribed: {error}") from error


def checked_tags(texts: Iterable[str]) -> list[str]:
    try:
        return sorted({fields.tag_of(text) for text in texts})
    except ValueError as error:
        raise UsageError(str(error)) from error


def changes_of(row: sa.Row[Any], values: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value and value != row._mapping[key]}


def update(
    conn: sa.Connection,
    subscriber_id: int,
    changes: dict[str, str],
    *,
    touched: bool,
    now: datetime,
) -> None:
    if changes or touched:
        conn.execute(
            sa.update(subscriber)
            .where(subscriber.c.id == subscriber_id)
            .values(**changes, updated_at=now)
        )


def add_tags(conn: sa.Connection, subscriber_id: int, tags: list[str]) -> list[str]:
    """Add *tags*; return those that are new."""
    new = sorted(set(tags) - set(tags_of(conn, subscriber_id)))
    if new:
        conn.execute(
            insert_new(subscriber_tag, conn.dialect.name),
            [{"subscriber_id": subscriber_id, "tag": name} for name in new],
        )
    return new


def fresh(conn: sa.Connection, subscriber_id: int) -> Subscriber:
    person = get(conn, subscriber_id)
    assert person is not None
    return person
