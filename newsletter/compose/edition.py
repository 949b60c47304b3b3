"""An Edition: an issue composed and frozen. What was approved is what is sent.

Composing is pure: files in, bytes out. Writing is all or nothing: a folder holds
the whole edition or what it held before. Refuses to replace what is not an edition.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from newsletter.compose import gates, manifest
from newsletter.compose.email import compose_email
from newsletter.compose.images import prepare_hero
from newsletter.compose.manifest import verify
from newsletter.compose.message import MessageTemplate, Recipient, headers_of
from newsletter.compose.print import compose_pdf, page_count
from newsletter.compose.text import compose_text
from newsletter.compose.view import View, view_of
from newsletter.compose.web import compose_web
from newsletter.compose.whole_folder import (
    disk_errors,
    refuse_foreign,
    refuse_occupied,
    whole_folder,
)
from newsletter.config import Workspace
from newsletter.diagnostics import Diagnostic
from newsletter.errors import StorageError
from newsletter.issue.folder import ISSUE_FILE, IssueFolder, read_regular
from newsletter.issue.model import Issue

__all__ = ["Edition", "compose", "verify", "write"]

PREVIEW = "preview.html"  # may lie beside the files of an edition; no part of it


@dataclass(frozen=True, kw_only=True)
class Edition:
    """File names and their bytes; flat, `manifest.json` among them.

    *findings* are the gates' warnings, for whoever composes or approves.
    """

    view: View
    files: Mapping[str, bytes]
    findings: tuple[Diagnostic, ...] = ()

    @property
    def number(self) -> str:
        return self.view.number

    @property
    def hash(self) -> str:
        """SHA-256 of the manifest, and so of everything."""
        return manifest.digest(self.files[manifest.NAME])


def compose(issue: Issue, folder: IssueFolder, workspace: Workspace) -> Edition:
    """Compose *issue*, whose file and picture lie in *folder*.

    The same files and configuration give the same bytes, on another day and in
    another place.

    Raises:
        TemplateError: a template is missing or broken.
        ContentError: the picture cannot be used.
        StorageError: a file cannot be read.
    """
    templates = workspace.templates
    sources = {ISSUE_FILE: manifest.digest(read_regular(folder.file, folder.path))}
    pictures: dict[str, bytes] = {}
    size = None
    if issue.hero is not None:
        picture = prepare_hero(issue.hero, folder.path)
        size = picture.size
        pictures[size.file] = picture.data
        sources[issue.hero.file] = picture.source_hash
    view = view_of(issue, workspace.config, size)
    text = compose_text(view, templates)
    web = compose_web(view, templates)
    mail = compose_email(view, templates)  # the slowest: what is wrong elsewhere comes out first
    files = {
        "email.html": mail.html.encode(),
        "email.txt": text.encode(),
        "web.html": web.encode(),
        "issue.pdf": compose_pdf(view, templates, pictures),
        "message.eml": _sample_message(view, mail.html, text, workspace),
        **pictures,
    }
    files[manifest.NAME] = manifest.build(
        view,
        workspace.config,
        files=files,
        sources=sources,
        templates=manifest.template_hashes(templates),
    )
    findings = mail.findings + gates.check_pages(page_count(view, templates, pictures))
    return Edition(
        view=view,
        files=MappingProxyType(dict(sorted(files.items()))),
        findings=tuple(
            found for found in findings if found.code not in workspace.config.check.ignore
        ),
    )


def planned_date(view: View, workspace: Workspace) -> datetime:
    """When the issue is meant to go out: its date at the schedule's time of day."""
    schedule = workspace.config.schedule
    return datetime.combine(view.date, time.fromisoformat(schedule.at), ZoneInfo(schedule.timezone))


def sample_recipient(view: View) -> Recipient:
    """The reader of the sample message; the links lead nowhere."""
    return Recipient(
        email="alex@example.org",
        name="Alex Example",
        delivery="sample",
        unsubscribe_url=f"{view.site_url}/unsubscribe/sample",
        preferences_url=f"{view.site_url}/preferences/sample",
        web_url=view.issue_url,
    )


def _sample_message(view: View, html: str, text: str, workspace: Workspace) -> bytes:
    headers = headers_of(view, workspace.config, planned_date(view, workspace))
    return MessageTemplate(headers, html, text).assemble(sample_recipient(view))


# ── writing ─────────────────────────────────────────────────────────────────


def write(edition: Edition, to: Path, *, beside: Mapping[str, bytes] | None = None) -> None:
    """Write the edition into the folder *to*, whole or not at all.

    *beside* are further files, such as a preview. An existing folder is replaced
    if it is empty or holds an edition and nothing else.

    Raises:
        StorageError: the folder holds something else, or the disk refuses.
    """
    with disk_errors(to):
        target = to.resolve()
        _refuse_foreign(target, to)
        with whole_folder(target) as fresh:
            for name, data in {**edition.files, **(beside or {})}.items():
                _write_through(fresh / name, data)


def _refuse_foreign(target: Path, to: Path) -> None:
    """Raise StorageError unless *target* is free, empty, or an edition and nothing else."""
    other = "choose another folder: newsletter render … --to build/vol-2-20"
    refuse_occupied(target, to, hint=other)
    present = {path.name for path in target.iterdir()} if target.exists() else set()
    if not present:
        return
    try:
        ours = {*manifest.read(target), manifest.NAME, PREVIEW}
    except StorageError as error:
        raise StorageError(f"{to} holds files that are not an edition", hint=other) from error
    refuse_foreign(present - ours, to, hint=other)


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
