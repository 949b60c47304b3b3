"""Transactions on a connection that is kept, as a sender's lock needs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from newsletter.store.engine import Store
from newsletter.store.failures import explained


@contextmanager
def transaction(store: Store, conn: sa.Connection) -> Iterator[sa.Connection]:
    """One transaction: committed at the end, undone by any exception.

    Raises:
        StorageError: it failed; whether it was committed may be unknown.
    """
    try:
        with conn.begin():
            yield conn
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        _leave(conn)
        raise explained(error, store.name) from error


def _leave(conn: sa.Connection) -> None:
    """A COMMIT that failed may leave the transaction open, for the next one to commit with it."""
    if not conn.closed and not conn.invalidated:
        try:
            conn.connection.rollback()
        except Exception:  # each driver has its own; all of them mean that the session is gone
            conn.invalidate()
