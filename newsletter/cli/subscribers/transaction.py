"""What the commands share: a transaction with actor and time, a person by address or number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.audience.model import Subscriber
from newsletter.cli.shared import actor, workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A connection that commits when the command is done, and what it writes into the audit."""

    conn: sa.Connection
    actor: str
    now: datetime


NOT_MAILED = "it is not mailed any more"


@contextmanager
def changing(start: str, email: str) -> Iterator[Transaction]:
    """Open the store of the workspace for one change about *email*: all of it or nothing."""
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    who = actor(workspace, about=email)
    with open_store(workspace) as store, store.begin() as conn:
        yield Transaction(conn=conn, actor=who, now=datetime.now(UTC))


@contextmanager
def reading(start: str) -> Iterator[sa.Connection]:
    """Open the store of the workspace for one consistent look."""
    from newsletter.store.engine import open_store

    with open_store(workspace_at(start)) as store, store.read() as conn:
        yield conn


def person_named(conn: sa.Connection, name: str) -> Subscriber:
    """Return the person with this address, or with this number.

    Raises:
        UsageError: nobody of that name is on the list; it says so if the address is suppressed.
    """
    from newsletter.audience.subscribers import find, get, suppression_of

    person = get(conn, int(name)) if is_number(name) else find(conn, name)
    if person is not None:
        return person
    reason = suppression_of(conn, name)
    hint = f"it is suppressed: {reason}" if reason else "newsletter subscribers list --query TEXT"
    raise UsageError(f"“{name}” is not on the list", hint=hint)


def tell_other_spellings(conn: sa.Connection, email: str, what: str) -> None:
    """Name the subscribers whose address differs from *email* only in letter case, on stderr."""
    from newsletter.audience.subscribers import other_spellings

    for number in other_spellings(conn, email):
        click.echo(f"another spelling, subscriber {number}, is on the list too; {what}", err=True)


def is_number(name: str) -> bool:
    """Whether *name* is the number of a subscriber; as reports name them, in place of addresses."""
    return name.isascii() and name.isdigit() and len(name) < 19
