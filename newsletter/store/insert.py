"""Insert a row unless its key is taken: one statement, safe between two processes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(table: sa.Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    """Return INSERT … ON CONFLICT DO NOTHING of *table* for `Connection.dialect.name`."""
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def add_new(conn: sa.Connection, table: sa.Table, values: dict[str, Any]) -> bool:
    """Insert *values*; False where a row with a key of theirs exists already."""
    statement = insert_new(table, conn.dialect.name).returning(sa.literal(1))
    return conn.execute(statement, values).first() is not None
