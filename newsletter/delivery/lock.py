"""One sender at a time for a campaign: a lock that ends with the process that holds it.

SQLite: a file beside the database, locked with flock. PostgreSQL: an advisory lock of
the session, held by the very connection that claims, so that who lost the lock cannot
claim either. Refuses to wait for another sender.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from newsletter.errors import StorageError, UsageError
from newsletter.store.engine import Store
from newsletter.store.failures import explained

_NAMESPACE = 0x6E6C << 47  # of our advisory locks; the low bits are the campaign
# A sender meets each row once, so SQLite need not keep many pages (KiB).
_SQLITE = ("PRAGMA cache_size = -4096",)
# It finds every row by an index; without fresh statistics PostgreSQL would rather sort the
# whole list, for each claim again.
_POSTGRESQL = tuple(
    f"SET {name} = off"
    for name in (
        "enable_bitmapscan",
        "enable_hashjoin",
        "enable_mergejoin",
        "enable_seqscan",
        "enable_sort",
        "jit",
    )
)
# Seconds: `is_held` of another process touches SQLite's lock for an instant, and PostgreSQL
# notices a moment later that a session has ended.
_PATIENCE = 0.5
_GLANCE = 0.02


class SenderBusy(UsageError):  # noqa: N818 - what the caller finds
    """Another sender is at work on the campaign."""

    def __init__(self) -> None:
        super().__init__(
            "another sender is at work on this campaign",
            hint="newsletter status --watch shows how far it is; nothing was sent twice",
        )


@contextmanager
def sender_connection(store: Store, campaign_id: int) -> Iterator[sa.Connection]:
    """Hold the campaign's lock and give the connection that a sender works with.

    Raises:
        SenderBusy: another sender holds the lock.
        StorageError: the database or the lock file cannot be used.
    """
    if store.dialect == "sqlite":
        path = _path(store, campaign_id)
        lock = lock_file(path, create=True)
        try:
            with _connection(store, _SQLITE) as conn:
                yield conn
        finally:
            path.unlink(missing_ok=True)  # under the lock, see `lock_file`
            os.close(lock)
        return
    with _connection(store, _POSTGRESQL) as conn:
        deadline = time.monotonic() + _PATIENCE
        while not _try_lock(store, conn, _NAMESPACE + campaign_id):
            if time.monotonic() > deadline:
                raise SenderBusy
            time.sleep(_GLANCE)
        try:
            yield conn
        finally:
            if not conn.closed and not conn.invalidated:
                with suppress(sa.exc.SQLAlchemyError), conn.begin():
                    conn.scalar(sa.select(sa.func.pg_advisory_unlock(_NAMESPACE + campaign_id)))


def is_held(store: Store, campaign_id: int) -> bool:
    """Whether a sender is at work on the campaign now."""
    if store.dialect == "sqlite":
        try:
            lock = os.open(_path(store, campaign_id), os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False
    key = _NAMESPACE + campaign_id
    query = sa.text(
        "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        " AND classid::bigint = :high AND objid::bigint = :low"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with store.read() as conn:
        values = {"high": key >> 32, "low": key & 0xFFFFFFFF}
        return conn.execute(query, values).first() is not None


def lock_file(path: Path, *, create: bool = False) -> int:
    """Lock *path* until the returned descriptor is closed or the process ends.

    Raises:
        SenderBusy: somebody else holds it.
        StorageError: it cannot be opened; FileNotFoundError where it is not to be made.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            lock = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
        except FileNotFoundError:
            if not create:
                raise
            raise _unusable(path, "its folder is missing") from None
        except OSError as error:
            raise _unusable(path, error.strerror) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it before may have removed the name: then another may hold a new file.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), path.stat()):
                    return lock
            os.close(lock)
        except BlockingIOError:
            os.close(lock)
            if time.monotonic() > deadline:
                raise SenderBusy from None
            time.sleep(_GLANCE)
        except OSError as error:
            os.close(lock)
            raise _unusable(path, error.strerror) from error


def _try_lock(store: Store, conn: sa.Connection, key: int) -> bool:
    with _explained(store), conn.begin():
        return bool(conn.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))


@contextmanager
def _connection(store: Store, settings: Sequence[str]) -> Iterator[sa.Connection]:
    with _explained(store):
        conn = store.engine.connect()
        conn.detach()  # closed at the end, not pooled: so its lock goes for certain
        with conn.begin():
            for setting in settings:
                conn.exec_driver_sql(setting)
    try:
        yield conn
    finally:
        with suppress(sa.exc.DBAPIError):
            conn.close()


@contextmanager
def _explained(store: Store) -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise explained(error, store.name) from error


def _path(store: Store, campaign_id: int) -> Path:
    database = Path(store.name)
    return database.with_name(f"{database.name}.sender-{campaign_id}")


def _unusable(path: Path, reason: str | None) -> StorageError:
    return StorageError(
        f"{path} cannot be locked: {reason}", hint="make the folder writable for you"
    )
