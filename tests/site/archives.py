"""An archive without composing: pages from the real template, a few bytes for PDF and picture."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from newsletter.compose import manifest
from newsletter.compose.edition import Edition, write
from newsletter.compose.view import View
from newsletter.compose.web import compose_web
from newsletter.config import Config, Workspace, open_workspace
from newsletter.issue.number import IssueNumber
from newsletter.site.editions import Publication
from newsletter.site.site import Site, site_of
from tests.compose.composed import ROOT, TEMPLATES, a_view

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
PDF = b"%PDF-1.7 not a real one\n"
PICTURE = b"\xff\xd8\xff not a real one"


def a_workspace(root: Path, **sections: dict[str, Any]) -> Workspace:
    """Our newsletter.toml and templates in *root*; *sections* change keys of the configuration."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "newsletter.toml", root)
    shutil.copytree(TEMPLATES, root / "templates")
    opened = open_workspace(root)
    return Workspace(opened.root, changed(opened.config, **sections))


def changed(config: Config, **sections: dict[str, Any]) -> Config:
    return msgspec.structs.replace(
        config,
        **{
            name: msgspec.structs.replace(getattr(config, name), **keys)
            for name, keys in sections.items()
        },
    )


def a_page_view(number: str, *, workspace: Workspace | None = None, **fields: Any) -> View:
    """The view of issue *number*: its day is two weeks after the one before; *fields* replace."""
    of = IssueNumber.parse(number)
    view = a_view(
        number=of, date=date(2021, 1, 5) + timedelta(weeks=52 * of.volume, days=14 * of.number)
    )
    url = view.site_url if workspace is None else workspace.config.site_url
    issue_url = f"{url}/{of.folder}/"
    hero = view.hero and replace(view.hero, url=issue_url + view.hero.file)
    moved = replace(
        view, site_url=url, issue_url=issue_url, pdf_url=issue_url + "issue.pdf", hero=hero
    )
    return replace(moved, **fields)


def an_edition(view: View) -> Edition:
    files = {
        "email.html": b"<p>the mail, with https://slot.invalid/unsubscribe_url</p>",
        "email.txt": b"the mail",
        "message.eml": b"Subject: the mail\n",
        "web.html": compose_web(view, TEMPLATES).encode(),
        "issue.pdf": PDF + view.number.encode(),
    }
    if view.hero is not None:
        files[view.hero.file] = PICTURE + view.number.encode()
    files[manifest.NAME] = manifest.build(
        view, open_workspace(ROOT).config, files=files, sources={}, templates={}
    )
    return Edition(view=view, files=MappingProxyType(files))


def put(workspace: Workspace, view: View, *, published_at: datetime | None = None) -> Publication:
    """Freeze an edition into the workspace, as `freeze_edition` does."""
    edition = an_edition(view)
    folder = workspace.root / ".newsletter" / "editions" / edition.hash
    if not folder.exists():
        write(edition, folder)
    number = IssueNumber.parse(view.number)
    at = published_at or NOW + timedelta(days=100 * number.volume + number.number)
    return Publication(
        number=view.number, edition_hash=edition.hash, published_at=at, was_sent=True
    )


def publications(workspace: Workspace, numbers: Iterable[str]) -> list[Publication]:
    return [put(workspace, a_page_view(number, workspace=workspace)) for number in numbers]


def a_site(root: Path, *numbers: str, **sections: dict[str, Any]) -> Site:
    """The site of a new workspace in *root* with these issues."""
    workspace = a_workspace(root, **sections)
    return site_of(workspace, publications(workspace, numbers))
