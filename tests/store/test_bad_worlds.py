"""A bad world: one StorageError that says what and what to do, and nothing half-done."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.errors import StorageError
from newsletter.store.engine import open_url
from tests.store.worlds import output, script

_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""

_FILL = """
import resource, sys
from newsletter.errors import StorageError
from newsletter.store.engine import open_url
url, limit = sys.argv[1], int(sys.argv[2])
with open_url(url) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with store.begin() as conn:
            for number in range(4_000):
                conn.exec_driver_sql("INSERT INTO setting VALUES (?, ?)", (str(number), "x" * 500))
        print("room enough")
    except StorageError as error:
        print(error.message, "|", error.hint)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with store.begin() as conn:
        print(conn.exec_driver_sql("SELECT count(*) FROM setting").scalar_one())
"""


@pytest.fixture
def path(tmp_path):
    """An SQLite database that is up to date and closed."""
    file = tmp_path / "newsletter.db"
    open_url(f"sqlite:///{file}").close()
    return file


def write_into(path: Path, **options: float) -> None:
    with open_url(f"sqlite:///{path}", **options) as store, store.begin() as conn:
        conn.exec_driver_sql("INSERT INTO setting VALUES ('a', 'b')")


def refused(path: Path, **options: float) -> StorageError:
    """Try to open and write; the message names the file."""
    with pytest.raises(StorageError) as caught:
        write_into(path, **options)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_lock_of_another_process_is_waited_for_then_reported(path):
    holder = script(_HOLD, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    error = refused(path, wait=0.3)
    assert "locked by another process" in error.message
    with open_url(f"sqlite:///{path}") as store, store.read() as conn:  # readers do not mind
        assert conn.exec_driver_sql("SELECT count(*) FROM setting").scalar_one() == 1
    holder.communicate("go\n", timeout=10)
    write_into(path)


def test_lock_on_a_row_in_postgresql_is_waited_for_then_reported(postgres):
    name = postgres.create()
    update = "UPDATE setting SET value = value"
    with postgres.admin(name) as holder, open_url(postgres.url(name), wait=0.2) as store:
        holder.execute("BEGIN")
        holder.execute(update)
        with pytest.raises(StorageError, match="locked by another process"), store.begin() as conn:
            conn.exec_driver_sql(update)
        holder.execute("ROLLBACK")
        with store.begin() as conn:
            conn.exec_driver_sql(update)
    postgres.drop(name)


@contextmanager
def as_somebody_else():
    """Root may write anything: become nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder():
    folder = Path(tempfile.mkdtemp(prefix="newsletter-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_read_only_file_is_reported(public_folder, path):
    target = public_folder / "newsletter.db"
    shutil.copy(path, target)
    target.chmod(0o444)
    public_folder.chmod(0o777)
    with as_somebody_else():
        assert "is read-only" in refused(target).message


def test_read_only_folder_is_reported(public_folder, path):
    shutil.copy(path, public_folder / "newsletter.db")
    (public_folder / "newsletter.db").chmod(0o666)
    public_folder.chmod(0o555)
    with as_somebody_else():
        refused(public_folder / "newsletter.db")
        refused(public_folder / "new.db")
        refused(public_folder / "below" / "new.db")
    assert [entry.name for entry in public_folder.iterdir()] == ["newsletter.db"]


def test_folder_in_the_place_of_the_file_is_reported(tmp_path):
    (tmp_path / "newsletter.db").mkdir()
    refused(tmp_path / "newsletter.db")


@pytest.mark.parametrize("limit", [40_000, 600_000])
def test_full_disk_undoes_the_transaction_and_the_store_goes_on(path, limit):
    said = output(script(_FILL, f"sqlite:///{path}", str(limit))).splitlines()
    assert "make room" in said[0]
    assert str(path) in said[0]
    assert said[1] == "1"  # the identity key: nothing else was kept


def test_file_that_is_no_database_is_refused_and_kept(tmp_path):
    file = tmp_path / "newsletter.db"
    file.write_bytes(b"These are the minutes of the meeting.\n" * 200)
    before = file.read_bytes()
    assert "is not a database" in refused(file).message
    assert file.read_bytes() == before


def test_damaged_database_is_reported(path):
    pages = bytearray(path.read_bytes())
    size = int.from_bytes(pages[16:18], "big")
    pages[size:] = b"\xff" * (len(pages) - size)
    path.write_bytes(bytes(pages))
    assert "is damaged" in refused(path).message


def test_database_cut_short_is_reported(path):
    path.write_bytes(path.read_bytes()[:5_000])
    assert "is damaged" in refused(path).message


def test_database_of_another_program_is_refused_and_kept(tmp_path):
    file = tmp_path / "newsletter.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE subscriber (phone TEXT)")
    other.close()
    assert "subscriber already exists" in str(_message_of_opening(file))
    other = sqlite3.connect(file)
    found = other.execute("SELECT name FROM sqlite_master").fetchall()
    other.close()
    assert found == [("subscriber",)]


def _message_of_opening(path: Path) -> str:
    with pytest.raises(StorageError) as caught:
        open_url(f"sqlite:///{path}")
    return caught.value.message


# ── PostgreSQL ──────────────────────────────────────────────────────────────

SECRET = "battery-staple"


def unreachable(url: str) -> StorageError:
    with pytest.raises(StorageError) as caught:
        open_url(url, wait=2)
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint
    return caught.value


def test_server_that_is_down_is_reported(tmp_path):
    error = unreachable(f"postgresql://ann:{SECRET}@127.0.0.1:1/news")
    assert error.message == "the database “news” on 127.0.0.1 cannot be reached"
    unreachable(f"postgresql://ann:{SECRET}@/news?host={tmp_path}")


def test_wrong_password_is_reported(postgres):
    error = unreachable(postgres.url("postgres", user="guarded", password=SECRET))
    assert "refused user or password" in error.message


def test_missing_password_is_reported(postgres):
    error = unreachable(postgres.url("postgres", user="guarded"))
    assert "refused user or password" in error.message


def test_unknown_user_is_reported(postgres):
    error = unreachable(postgres.url("postgres", user="nobody_we_know"))
    assert "refused user or password" in error.message


def test_missing_postgresql_database_is_reported(postgres):
    error = unreachable(postgres.url("no_such_database"))
    assert "does not exist on the server" in error.message


def test_user_without_rights_is_reported(postgres):
    name = postgres.create(empty=True)
    url = postgres.url(name, user="guarded", password="correct horse")
    assert "forbids this" in unreachable(url.replace("correct horse", "correct%20horse")).message
    postgres.drop(name)


def test_connection_that_is_cut_in_a_transaction_is_reported_and_made_again(postgres):
    name = postgres.create()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

    def use_while_it_is_cut(store):
        with store.begin() as conn, postgres.admin() as admin:
            admin.execute(cut, [name])
            conn.exec_driver_sql("SELECT 1")

    with open_url(postgres.url(name)) as store:
        with pytest.raises(StorageError):
            use_while_it_is_cut(store)
        with store.begin() as conn:
            assert conn.exec_driver_sql("SELECT 1").scalar_one() == 1
    postgres.drop(name)
