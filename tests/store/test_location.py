"""Which database is opened: the environment, the configuration, else a file of the workspace."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from newsletter.config import Workspace, load
from newsletter.errors import ConfigError, NewsletterError
from newsletter.store.engine import open_store, open_url
from newsletter.store.location import VARIABLE, location_of

ROOT = Path(__file__).parents[2]
SOUND = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
SECRET = "hunter2-and-more"


@pytest.fixture(autouse=True)
def no_url(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def workspace(folder: Path, url: str | None = None) -> Workspace:
    path = folder / "newsletter.toml"
    path.write_text(SOUND + (f'\n[database]\nurl = "{url}"\n' if url else ""), encoding="utf-8")
    return Workspace(folder, load(path))


def test_default_is_a_file_of_the_workspace_for_its_owner_alone(tmp_path):
    with open_store(workspace(tmp_path)) as store:
        assert store.dialect == "sqlite"
    path = tmp_path / ".newsletter" / "newsletter.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_files_beside_an_open_database_are_private_too(tmp_path):
    with open_store(workspace(tmp_path)) as store, store.begin() as conn:
        conn.exec_driver_sql("INSERT INTO setting VALUES ('a', 'b')")
        modes = {
            file.name: stat.S_IMODE(file.stat().st_mode)
            for file in (tmp_path / ".newsletter").iterdir()
        }
    assert set(modes) == {"newsletter.db", "newsletter.db-wal", "newsletter.db-shm"}
    assert set(modes.values()) == {0o600}


def test_path_in_the_configuration_counts_from_the_workspace(tmp_path):
    found = location_of(workspace(tmp_path, "sqlite:///data/list.db"))
    assert found.database == str(tmp_path / "data" / "list.db")


def test_environment_goes_before_the_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "postgres://ann@db.example.org/news")
    found = location_of(workspace(tmp_path, "sqlite:///data/list.db"))
    assert found.drivername == "postgresql+psycopg"
    assert found.host == "db.example.org"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ann:{SECRET}@db.example.org/news",
        f"postgresql://ann@db.example.org/news?password={SECRET}",
    ],
)
def test_password_in_the_configuration_is_refused_and_not_repeated(tmp_path, url):
    with pytest.raises(ConfigError, match="password") as caught:
        workspace(tmp_path, url)
    assert VARIABLE in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ann:{SECRET}@db.example.org/news",
        f"no url {SECRET}",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        f"postgresql://ann:{SECRET}@db.example.org:many/news",
    ],
)
def test_url_that_cannot_be_used_is_refused_without_repeating_it(tmp_path, monkeypatch, url):
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(NewsletterError, match=VARIABLE) as caught:
        open_store(workspace(tmp_path))
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    with pytest.raises(NewsletterError, match="database URL"):
        open_url(url)
