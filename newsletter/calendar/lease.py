"""One scheduler at a time for a database: the others stand by, and take over when it dies.

SQLite: a file beside the database, locked with flock. PostgreSQL: an advisory lock of a
session of its own. Only for order, and to spare double letters: two schedulers at once
send nothing twice.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from newsletter.delivery.lock import SenderBusy, lock_file
from newsletter.errors import StorageError
from newsletter.store.engine import Store
from newsletter.store.failures import explained

_KEY = 0x6E6C72756E  # of the PostgreSQL advisory lock


class Lease:
    """The right to be the scheduler of *store*. Release it, or end the process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._identity = _identity_of(store)
        self._file: int | None = None
        self._session: sa.Connection | None = None

    def take(self) -> bool:
        """Take the lease, or see that it is still ours; False: another scheduler has it.

        Raises:
            StorageError: the database or the lock file cannot be used, or another file lies
                where the database was.
        """
        if _identity_of(self._store) != self._identity:
            # What we have open is a ghost that nobody else writes to.
            raise StorageError(
                f"the database {self._store.name} was replaced or taken away",
                hint="start newsletter run again",
            )
        if self._store.dialect == "sqlite":
            return self._file is not None or self._take_file()
        try:
            return self._take_session()
        except sa.exc.DBAPIError as error:
            self.release()
            raise explained(error, self._store.name) from error

    def release(self) -> None:
        """Give it back. The file stays: whoever removed it could remove another's."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._session is not None:
            with suppress(sa.exc.DBAPIError):
                self._session.close()
            self._session = None

    def _take_file(self) -> bool:
        database = Path(self._store.name)
        try:
            self._file = lock_file(database.with_name(f"{database.name}.scheduler"), create=True)
        except SenderBusy:
            return False
        return True

    def _take_session(self) -> bool:
        if self._session is None:
            session = self._store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            session.detach()  # closed at the end, not pooled: so its lock goes for certain
            if not session.scalar(sa.select(sa.func.pg_try_advisory_lock(_KEY))):
                session.close()
                return False
            self._session = session
        # A session that broke has lost the lock, and raises here.
        self._session.scalar(sa.select(sa.literal(1)))
        return True


def _identity_of(store: Store) -> tuple[int, ...]:
    """Which file an SQLite database is; () where there is none."""
    if store.dialect != "sqlite":
        return ()
    try:
        found = Path(store.name).stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino)


def is_at_work(store: Store) -> bool:
    """Whether a scheduler works on *store* at this moment. Raises StorageError."""
    lease = Lease(store)
    try:
        return not lease.take()
    finally:
        lease.release()
