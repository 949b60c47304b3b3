"""The lock of a campaign ends with whoever holds it, and another campaign has its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.delivery.lock import SenderBusy, is_held, sender_connection
from newsletter.errors import StorageError
from newsletter.store.engine import open_url
from tests.store.worlds import output, script

HOLD = """
import sys
from newsletter.delivery.lock import sender_connection
from newsletter.store.engine import open_url
with open_url(sys.argv[1]) as store, sender_connection(store, 7):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_is_for_one_holder_and_one_campaign(store, database_url):
    with open_url(database_url) as other:
        with sender_connection(store, 7):
            assert is_held(other, 7)
            assert not is_held(other, 8)
            with pytest.raises(SenderBusy), sender_connection(other, 7):
                raise AssertionError("never held")
            with sender_connection(other, 8):
                pass
        assert not is_held(other, 7)
        with sender_connection(other, 7):
            pass


def test_lock_of_a_killed_process_is_free(store, database_url):
    process = script(HOLD, database_url)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert is_held(store, 7)
    with pytest.raises(SenderBusy), sender_connection(store, 7):
        raise AssertionError("never held")
    process.kill()
    output(process, code=-9)
    with sender_connection(store, 7):
        pass


def test_lock_is_given_back_when_the_work_fails(store):
    with pytest.raises(ZeroDivisionError), sender_connection(store, 7):
        raise ZeroDivisionError
    with sender_connection(store, 7):
        pass


def test_lock_leaves_no_file_behind(tmp_path):
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as store:
        with sender_connection(store, 7):
            assert (tmp_path / "newsletter.db.sender-7").exists()
        assert not (tmp_path / "newsletter.db.sender-7").exists()


def test_lock_that_cannot_be_made_is_an_error_that_says_so(tmp_path):
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as store:
        Path(f"{store.name}.sender-7").mkdir()
        with pytest.raises(StorageError, match="cannot be locked"), sender_connection(store, 7):
            raise AssertionError("never held")


def test_connection_of_a_sender_is_not_used_by_others_afterwards(store):
    """Its settings, and on PostgreSQL its lock, are the session's."""
    with sender_connection(store, 7) as conn:
        setting = "PRAGMA cache_size" if store.dialect == "sqlite" else "SHOW enable_sort"
        held = conn.exec_driver_sql(setting).scalar()
        conn.rollback()
    for _ in range(3):
        with store.read() as other:
            assert other.exec_driver_sql(setting).scalar() != held
            assert other.execute(sa.select(1)).scalar() == 1
