"""Bring a database up to date with Alembic, in one transaction: whole or not at all.

Revisions are numbered files of `migrations/versions`. A database of a newer
revision is refused untouched. Alembic is loaded only when there is something to do.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from newsletter.errors import StorageError

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6E657773  # PostgreSQL: one process migrates, the others wait


def head_of(migrations: Path) -> str:
    """The newest revision, without loading Alembic: 0007 of 0007_events.py."""
    return max(file.name[:4] for file in (migrations / "versions").glob("[0-9]*_*.py"))


def refuse_newer(found: str | None, migrations: Path, name: str) -> None:
    """Raise StorageError for a revision that this program does not know."""
    head = head_of(migrations)
    if found is not None and (not found.isdecimal() or found > head):
        raise StorageError(
            f"the database {name} is of version {found[:20]}; this program knows up to {head}",
            hint="update the program; the database was not touched",
        )


def current(conn: sa.Connection) -> str | None:
    """The revision of the database; None for an empty one."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def lock(conn: sa.Connection) -> None:
    """Let one process migrate at a time. SQLite's BEGIN IMMEDIATE has seen to it already."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def upgrade(conn: sa.Connection, migrations: Path) -> None:
    """Run the missing revisions inside the transaction of *conn*."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
