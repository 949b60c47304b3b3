"""Personal links: signed by the workspace's secret, the same every time, kept private."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from newsletter.audience.links import VARIABLE, Links, links_of
from newsletter.config import Workspace, load
from newsletter.errors import NewsletterError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    return Workspace(tmp_path, load(ROOT / "newsletter.toml"))


def test_links_differ_by_reader_purpose_and_secret():
    links = Links(site_url="https://digest.example.org", secret=b"s" * 32)
    other = Links(site_url="https://digest.example.org", secret=b"t" * 32)
    a, b = "a@example.org", "b@example.org"
    assert links.unsubscribe(a) == links.unsubscribe(a)
    found = {
        links.unsubscribe(a).rpartition("/")[2],
        links.unsubscribe(b).rpartition("/")[2],
        links.preferences(a).rpartition("/")[2],
        other.unsubscribe(a).rpartition("/")[2],
    }
    assert len(found) == 4
    assert all(len(token) == 22 for token in found)


def test_secret_is_made_once_and_readable_by_its_owner_alone(workspace):
    first = links_of(workspace)
    path = workspace.root / ".newsletter" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert links_of(workspace) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_environment_wins_over_the_file(workspace, monkeypatch):
    monkeypatch.setenv(VARIABLE, "e" * 40)
    assert links_of(workspace).secret == b"e" * 40
    assert not (workspace.root / ".newsletter").exists()


def test_short_secret_is_refused(workspace, monkeypatch):
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(NewsletterError, match="fewer than 32"):
        links_of(workspace)


def test_damaged_secret_file_is_refused_and_kept(workspace):
    path = workspace.root / ".newsletter" / "secret"
    path.parent.mkdir()
    path.write_text("cut off")
    with pytest.raises(NewsletterError, match="too short"):
        links_of(workspace)
    assert path.read_text() == "cut off"
