"""Somebody changes the same people while they are imported: PostgreSQL undoes one of the two."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsletter.audience.importer import import_csv
from newsletter.errors import StorageError
from newsletter.store.engine import open_url
from tests.audience.importer.csv_files import BASIS, person, take, written
from tests.audience.people import NOW, add

LOCK = "SELECT id FROM subscriber WHERE email = %s FOR UPDATE"
IS_WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def world(postgres):
    name = postgres.create()
    with open_url(postgres.url(name)) as store, postgres.admin(name) as other:
        with store.begin() as conn:
            for letter in "ab":
                add(conn, f"{letter}@example.org", name="before")
        yield store, other
    postgres.drop(name)


def clash(other) -> None:
    """With b held, take a as soon as the import, which has a, waits for b: a deadlock.

    The import is the one to be undone: it looks for a deadlock after it has waited for a
    second, and we never do. Returning means that it was.
    """
    until = time.monotonic() + 20
    while other.execute(IS_WAITING).fetchone() != (1,):
        assert time.monotonic() < until
        time.sleep(0.01)
    other.execute(LOCK, ["a@example.org"])


def test_batch_that_was_undone_by_a_deadlock_is_done_again(world, tmp_path):
    store, other = world
    path = written(
        tmp_path,
        "email,name,tags\na@example.org,after,x\nnobody\nb@example.org,after,x\nc@example.org,new,\n",
    )
    other.execute("SET deadlock_timeout = '60s'")
    with ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute(LOCK, ["b@example.org"])
            importing = pool.submit(take, store, path)
            clash(other)
        report = importing.result(timeout=60)
    assert (report.added, report.updated, report.rejected, report.repeated) == (1, 2, 1, 0)
    assert [person(store, f"{letter}@example.org").name for letter in "abc"] == [
        "after",
        "after",
        "new",
    ]
    assert report.rejects_file is not None
    assert report.rejects_file.read_text().count("nobody") == 1


def test_deadlock_in_every_try_is_reported_and_nothing_is_half_done(world, tmp_path):
    store, other = world
    path = written(tmp_path, "email,name\na@example.org,after\nb@example.org,after\n")
    other.execute("SET deadlock_timeout = '60s'")
    with ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute(LOCK, ["b@example.org"])
            importing = pool.submit(
                import_csv, store, path, consent=BASIS, actor="operator", now=NOW
            )
            for _ in range(4):
                with other.transaction(force_rollback=True):  # lets go of a, for the next try
                    clash(other)
            clash(other)
        with pytest.raises(StorageError, match="in each other's way"):
            importing.result(timeout=60)
    assert [person(store, f"{letter}@example.org").name for letter in "ab"] == ["before"] * 2
