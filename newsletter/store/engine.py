"""Open the database and give out transactions; say plainly what is wrong when it fails.

Opening brings the tables up to date. Every database exception that leaves a
transaction becomes a StorageError that says what to do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from newsletter.config import Workspace
from newsletter.errors import ConfigError, UsageError
from newsletter.store import migrate, sqlite
from newsletter.store.failures import explained
from newsletter.store.insert import insert_new
from newsletter.store.location import location_of, parse
from newsletter.store.tables import setting

_OWED = "compact_owed"

_READS = {"newsletter_reads": True}
_READS_POSTGRESQL = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Store:
    """One database. Close it, or use it in a `with`."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self.engine = engine
        self.name = name  # for people: a path, or the server and database without user and secret

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return self.engine.dialect.name

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One transaction that may write: committed at the end, undone by any exception.

        Raises:
            StorageError: locked, read-only, full, gone: with what to do.
        """
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view: what others write meanwhile is not seen. Writes are refused.

        Raises:
            StorageError: as for `begin`.
        """
        options = _READS if self.dialect == "sqlite" else _READS_POSTGRESQL
        with self._explained(), self.engine.connect() as connection:
            connection = connection.execution_options(**options)
            if self.dialect == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only = ON")
            try:
                yield connection
            finally:
                connection.rollback()
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only = OFF")
                    connection.rollback()

    def compact(self) -> list[Path]:
        """Make what was deleted unreadable on disk: after an erasure. Takes a while on a long list.

        SQLite: rewrites the file and empties its WAL. The copies made before migrations
        (`newsletter.db.before-…`) still know the erased people, so they are deleted, and
        returned. PostgreSQL: rewrites the tables and their samples; its WAL and your own
        backups age out on their own schedule, which is yours to keep short.

        Ends what `owe_compact` noted before it began.

        Raises:
            StorageError: somebody reads or writes meanwhile; run it again.
        """
        owed = self.compact_owed()
        removed = self._compact()
        with self.begin() as conn:
            conn.execute(sa.delete(setting).where(setting.c.name == _OWED, setting.c.value == owed))
        return removed

    def compact_owed(self) -> str | None:
        """When somebody was erased last since the last `compact` (ISO 8601); None: nobody."""
        with self.read() as conn:
            return conn.scalar(sa.select(setting.c.value).where(setting.c.name == _OWED))

    def _compact(self) -> list[Path]:
        with self._explained():
            if self.dialect == "postgresql":
                with self.engine.connect() as connection:
                    connection.execution_options(isolation_level="AUTOCOMMIT")
                    # ANALYZE: the planner's samples hold addresses too.
                    connection.exec_driver_sql(
                        "VACUUM (FULL, ANALYZE) subscriber, consent, suppression"
                    )
                return []
            sqlite.compact(self.engine)
            removed = sqlite.backups(Path(self.name))
            for backup in removed:
                backup.unlink()
            return removed

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            raise explained(error, self.name) from error
        except UnicodeEncodeError as error:
            raise UsageError("a text holds bytes that are not UTF-8") from error


def owe_compact(conn: sa.Connection, now: datetime) -> None:
    """Note that something was deleted that must not stay readable on disk: see `Store.compact`.

    A request of the web cannot wait for a file to be rewritten.
    """
    # Both, whoever was first: a compact that is at work meanwhile must not end this one.
    conn.execute(sa.delete(setting).where(setting.c.name == _OWED))
    conn.execute(insert_new(setting, conn.dialect.name), {"name": _OWED, "value": now.isoformat()})


def open_store(workspace: Workspace, *, cache: int = sqlite.CACHE) -> Store:
    """Open the database of *workspace*: NEWSLETTER_DATABASE_URL, newsletter.toml, or a file.

    *cache* is what a connection to SQLite keeps in memory, in KiB.

    Raises:
        ConfigError: the URL is malformed, or holds a password in newsletter.toml.
        StorageError: as `open_url`.
    """
    return _open(location_of(workspace), sqlite.WAIT, migrate.MIGRATIONS, cache)


def open_url(
    url: str, *, wait: float = sqlite.WAIT, migrations: Path = migrate.MIGRATIONS
) -> Store:
    """Open the database at *url*, making SQLite's file and bringing the tables up to date.

    An SQLite database with data is copied to `….before-<revision>` before it is
    migrated. Two processes may open a new database at once. *wait* is the time in
    seconds that we wait for another process's lock.

    Raises:
        ConfigError: the URL is malformed.
        StorageError: it cannot be reached or read, or is of a newer version.
    """
    return _open(parse(url, root=Path.cwd(), origin="the database URL"), wait, migrations)


def _open(url: sa.URL, wait: float, migrations: Path, cache: int = sqlite.CACHE) -> Store:
    is_file = url.drivername == "sqlite"
    store = _sqlite(url, wait, migrations, cache) if is_file else _postgresql(url, wait)
    try:
        with store._explained():
            _bring_up_to_date(store, migrations)
    except BaseException:
        store.close()
        raise
    return store


def _sqlite(url: sa.URL, wait: float, migrations: Path, cache: int) -> Store:
    path = Path(url.database or "")
    name = str(path)
    try:
        migrate.refuse_newer(sqlite.revision(path, wait), migrations, name)
        sqlite.prepare(path, wait)
    except (OSError, sqlite3.Error) as error:
        raise explained(error, name) from error
    return Store(sqlite.create_engine(path, wait, cache=cache), name)


def _postgresql(url: sa.URL, wait: float) -> Store:
    name = f"“{url.database}” on {url.host or url.query.get('host', 'this machine')}"
    try:
        engine = sa.create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": max(2, round(wait)),  # libpq takes no less
                "options": f"-c lock_timeout={wait * 1000:.0f}ms -c timezone=UTC",
            },
        )
    except ImportError as error:
        raise ConfigError(
            "PostgreSQL needs the package psycopg",
            hint="install it with: pip install 'newsletter[postgres]'",
        ) from error
    return Store(engine, name)


def _bring_up_to_date(store: Store, migrations: Path) -> None:
    head = migrate.head_of(migrations)
    with store.read() as conn:
        found = migrate.current(conn)
    migrate.refuse_newer(found, migrations, store.name)
    if found == head:
        return
    with store.begin() as conn:
        migrate.lock(conn)
        found = migrate.current(conn)  # another process may have been first
        migrate.refuse_newer(found, migrations, store.name)
        if found == head:
            return
        if found is not None and store.dialect == "sqlite":
            path = Path(store.name)
            sqlite.back_up(path, path.with_name(f"{path.name}.before-{head}"))
        migrate.upgrade(conn, migrations)
