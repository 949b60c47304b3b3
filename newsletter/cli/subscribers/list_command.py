"""`newsletter subscribers list`: who is on it, a line each, read as it is printed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from newsletter.audience.model import Status, Subscriber
from newsletter.cli.shared import LINE, plural
from newsletter.cli.subscribers.transaction import reading

if TYPE_CHECKING:
    import sqlalchemy as sa


@click.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--tag", type=LINE, help="Only people with this tag.")
@click.option(
    "--query",
    type=LINE,
    default="",
    metavar="TEXT",
    help="Only addresses and names with this text.",
)
@click.option("--eligible", is_flag=True, help="Only those who would be mailed now.")
@click.option("--limit", type=click.IntRange(min=1), help="Print no more than this many.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def command(
    start: str,
    status: str | None,
    tag: str | None,
    query: str,
    eligible: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List subscribers.

    One line each: address, status, name, tags; in the order in which they came.
    How many there are goes to stderr.
    """
    from newsletter.audience import subscribers

    with reading(start) as conn:
        wanted = Status(status) if status is not None else None
        select = subscribers.everyone(status=wanted, tag=tag, text=query)
        if eligible:
            select = select.where(_is_eligible())
        total = subscribers.count(conn, select)
        people = islice(subscribers.iterate(conn, select), limit)
        for text in _json(people) if as_json else map(_line, people):
            click.echo(text)
    shown = "" if limit is None or limit >= total else f"; the first {limit:,} are listed"
    click.echo(f"{plural(total, 'subscriber')}{shown}", err=True)


def _is_eligible() -> sa.ColumnElement[bool]:
    from newsletter.audience.subscribers import eligible
    from newsletter.store.tables import subscriber

    return subscriber.c.id.in_(eligible().with_only_columns(subscriber.c.id))


def is_eligible(conn: sa.Connection, person: Subscriber) -> bool:
    """Whether the person would be mailed now."""
    from newsletter.audience.subscribers import count, eligible
    from newsletter.store.tables import subscriber

    return count(conn, eligible().where(subscriber.c.id == person.id)) == 1


def _line(person: Subscriber) -> str:
    name = f"  {person.name}" if person.name else ""
    tags = f"  [{', '.join(person.tags)}]" if person.tags else ""
    return f"{person.email or f'({person.id})':<40} {person.status:<12}{name}{tags}".rstrip()


def _json(people: Iterable[Subscriber]) -> Iterator[str]:
    """A JSON array, a person a line: the list may be longer than memory."""
    before = "["
    for person in people:
        yield before + json.dumps(as_record(person), ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def as_record(person: Subscriber) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "status": person.status.value,
        "tags": list(person.tags),
        "language": person.language,
        "timezone": person.timezone,
        "format": person.format,
        "source": person.source,
        "created_at": person.created_at.isoformat(),
        "updated_at": person.updated_at.isoformat(),
    }
