"""A transaction happens whole or not at all; a reader sees one moment."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.errors import StorageError
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import setting


def put(conn: sa.Connection, name: str) -> None:
    conn.execute(sa.insert(setting), {"name": name, "value": "x"})


def names(store: Store) -> set[str]:
    with store.read() as conn:
        return set(conn.scalars(sa.select(setting.c.name))) - {"identity_key"}


def test_what_was_begun_is_committed_at_the_end(store):
    with store.begin() as conn:
        put(conn, "a")
    assert names(store) == {"a"}


def test_exception_undoes_the_whole_transaction(store):
    def fail_after_writing():
        with store.begin() as conn:
            put(conn, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    assert names(store) == set()


def test_reader_sees_one_moment_while_another_process_writes(store, database_url):
    with open_url(database_url) as other, store.read() as conn:
        before = conn.scalar(sa.select(sa.func.count()).select_from(setting))
        with other.begin() as writer:
            put(writer, "later")
        assert conn.scalar(sa.select(sa.func.count()).select_from(setting)) == before
    assert names(store) == {"later"}


def test_reader_may_not_write(store):
    with pytest.raises(StorageError, match="read-only"), store.read() as conn:
        put(conn, "a")
    with store.begin() as conn:
        put(conn, "b")
    assert names(store) == {"b"}


def test_database_error_names_no_values(store):
    with store.begin() as conn:
        put(conn, "private@example.org")
    with pytest.raises(StorageError) as caught, store.begin() as conn:
        put(conn, "private@example.org")
    assert "private" not in caught.value.message
    assert "INSERT" not in caught.value.message
