"""Migrations: automatic, with a copy first, whole or not at all, one process at a time."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.reading import hasher_of
from newsletter.errors import StorageError
from newsletter.store.engine import open_url
from newsletter.store.tables import subscriber, suppression
from tests.audience.people import NOW, mailed
from tests.store.worlds import (
    HEAD,
    KILL,
    NEXT,
    migrations_up_to,
    migrations_with_one_more,
    output,
    script,
)

_OPEN = """
import sys
from pathlib import Path
from newsletter.store.engine import open_url
url, migrations = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with open_url(url, **({"migrations": Path(migrations)} if migrations else {})) as store:
    with store.read() as conn:
        print(conn.exec_driver_sql("SELECT value FROM setting").scalar_one())
"""


def version(store):
    with store.read() as conn:
        return conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()


def test_older_database_is_brought_up_to_date_with_its_data(store, database_url, tmp_path):
    with store.begin() as conn:
        conn.exec_driver_sql("INSERT INTO setting VALUES ('colour', 'blue')")
    store.close()
    with open_url(database_url, migrations=migrations_with_one_more(tmp_path)) as newer:
        assert version(newer) == NEXT
        with newer.read() as conn:
            query = "SELECT value FROM setting WHERE name = 'colour'"
            assert conn.exec_driver_sql(query).scalar_one() == "blue"


def test_sqlite_is_copied_before_it_is_migrated(tmp_path):
    path = tmp_path / "newsletter.db"
    open_url(f"sqlite:///{path}").close()
    assert list(tmp_path.glob("*.before-*")) == []  # there was nothing to keep
    open_url(f"sqlite:///{path}", migrations=migrations_with_one_more(tmp_path)).close()
    copy = tmp_path / f"newsletter.db.before-{NEXT}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with open_url(f"sqlite:///{copy}") as old:
        assert version(old) == HEAD


def test_failed_migration_leaves_the_database_as_it_was(store, database_url, tmp_path):
    broken = migrations_with_one_more(tmp_path, "op.execute('SELECT one FROM nowhere')")
    with pytest.raises(StorageError, match="nowhere"):
        open_url(database_url, migrations=broken)
    assert version(store) == HEAD
    with pytest.raises(StorageError, match="parcel"), store.read() as conn:
        conn.exec_driver_sql("SELECT * FROM parcel")


def test_migration_that_was_killed_is_done_by_the_next_opening(store, database_url, tmp_path):
    killing = migrations_with_one_more(tmp_path, KILL)
    process = script(_OPEN, database_url, killing)
    output_of_killed, _ = process.communicate("go\n", timeout=60)
    assert process.returncode == -9
    assert output_of_killed == "ready\n"
    assert version(store) == HEAD
    with open_url(database_url, migrations=migrations_with_one_more(tmp_path)) as newer:
        assert version(newer) == NEXT
        with newer.read() as conn:
            assert conn.exec_driver_sql("SELECT count(*) FROM parcel").scalar_one() == 1


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_processes_that_open_a_new_database_at_once_agree(dialect, tmp_path, request):
    if dialect == "sqlite":
        url = f"sqlite:///{tmp_path / 'deep' / 'newsletter.db'}"
    else:
        server = request.getfixturevalue("postgres")
        url = server.url(server.create(empty=True))
    processes = [script(_OPEN, url, "") for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    keys = {output(process) for process in processes}
    assert len(keys) == 1


@pytest.mark.parametrize("revision", ["0099", "ae1027a6acf4"])
def test_database_of_a_newer_version_is_refused(store, database_url, revision):
    with store.begin() as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(StorageError, match=f"version {revision}") as caught:
        open_url(database_url)
    assert "update" in str(caught.value.hint)


def test_database_of_a_newer_version_is_not_touched(tmp_path):
    path = tmp_path / "newsletter.db"
    connection = sqlite3.connect(path)  # not in WAL mode: opening it for good would change that
    connection.executescript(
        "CREATE TABLE alembic_version (version_num TEXT);"
        "INSERT INTO alembic_version VALUES ('0099')"
    )
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError):
        open_url(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert [entry.name for entry in Path(tmp_path).iterdir()] == ["newsletter.db"]


_OLD_ROWS = (  # email, what identified it before letter case counted
    ("Ada.L@example.org", "ada.l@example.org"),
    ("ben@example.org", "ben@example.org"),
    ("Cem@müller.example", "cem@xn--mller-kva.example"),
    ("dee@müller.example", "dee@xn--mller-kva.example"),
)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_identities_get_their_letter_case_back_and_suppressions_still_hold(
    dialect, tmp_path, request
):
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    if dialect == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.url(server.create(empty=True))
    with open_url(url, migrations=migrations_up_to(tmp_path, "0001")) as old, old.begin() as conn:
        hasher = hasher_of(conn)
        rows = [
            {
                "email": email,
                "identity": identity,
                "identity_hash": hasher.hash(identity),
                "status": "active",
                "created_at": NOW,
                "updated_at": NOW,
            }
            for email, identity in _OLD_ROWS
        ]
        conn.execute(sa.insert(subscriber), rows)
        erased = {**rows[0], "email": None, "identity": None, "identity_hash": None}
        conn.execute(sa.insert(subscriber), {**erased, "status": "erased"})
        left = {"identity": "ada.l@example.org", "identity_hash": hasher.hash("ada.l@example.org")}
        conn.execute(
            sa.insert(suppression), {**left, "reason": "unsubscribed", "source": "page", "at": NOW}
        )
    with open_url(url) as store:
        with store.read() as conn:
            found = conn.execute(
                sa.select(subscriber.c.email, subscriber.c.identity).order_by(subscriber.c.id)
            ).all()
        assert found == [
            ("Ada.L@example.org", "Ada.L@example.org"),
            ("ben@example.org", "ben@example.org"),
            ("Cem@müller.example", "Cem@xn--mller-kva.example"),
            ("dee@müller.example", "dee@xn--mller-kva.example"),
            (None, None),
        ]
        assert mailed(store) == [email for email, _ in _OLD_ROWS[1:]]
        with store.read() as conn:
            for email, _ in _OLD_ROWS:
                assert subscribers.find_exactly(conn, email) is not None
