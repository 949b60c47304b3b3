"""Where the database is: the environment, else newsletter.toml, else a file of the workspace.

Refuses databases it does not know, and SQLite without a file: what is written
must be there tomorrow.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from newsletter.config import Workspace
from newsletter.errors import ConfigError

VARIABLE = "NEWSLETTER_DATABASE_URL"
_FORMS = "write sqlite:///file.db or postgresql://user@host/name"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def location_of(workspace: Workspace) -> sa.URL:
    """The database of *workspace*; a relative SQLite path counts from its folder.

    Raises:
        ConfigError: the URL is malformed, or of a database we do not know.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return parse(given, root=workspace.root, origin=VARIABLE)
    configured = workspace.config.database.url
    if configured is not None:
        return parse(configured, root=workspace.root, origin="newsletter.toml: database.url")
    return _file_url(workspace.root / ".newsletter" / "newsletter.db")


def parse(text: str, *, root: Path, origin: str) -> sa.URL:
    """Read a URL; *origin* says in messages where it stands. The URL is never repeated there."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ConfigError(f"{origin} is no database URL", hint=_FORMS) from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise ConfigError(f"{origin}: “{url.drivername}” is a database we do not know", hint=_FORMS)
    if driver != "sqlite":
        return url.set(drivername=driver)
    if not url.database or ":memory:" in url.database or url.query:
        raise ConfigError(
            f"{origin}: an SQLite database needs a file, and nothing else", hint=_FORMS
        )
    return _file_url(root / url.database)


def _file_url(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))
