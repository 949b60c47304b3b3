"""An Edition: an issue composed and frozen. What was approved is what is sent.

Composing is pure: files in, bytes out. Writing is all or nothing: a folder holds
the whole edition or what it held before. Refuses to replace what is not an edition.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    with _disk_errors(to):
        target = to.resolve()
        _refuse_foreign(target, to)
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name[:80]}-", dir=target.parent))
        try:
            fresh = scratch / "new"
            fresh.mkdir()
            for name, data in {**edition.files, **(beside or {})}.items():
                _write_through(fresh / name, data)
            _sync(fresh)
            _swap(fresh, target, scratch / "old")
            _sync(target.parent)
        finally:
            _remove(scratch)


@contextmanager
def _disk_errors(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{to} cannot be written: {error.strerror or error}",
            hint="choose a folder that you may write to, on a disk with room",
        ) from error
    except (ValueError, RuntimeError) as error:  # a NUL in the name, a loop of links
        raise StorageError(f"{str(to)!r} cannot be written: {error}") from error


def _refuse_foreign(target: Path, to: Path) -> None:
    """Raise StorageError unless *target* is free, empty, or an edition and nothing else."""
    other = "choose another folder: newsletter render … --to build/vol-2-20"
    if target == Path.cwd() or target in Path.cwd().parents:
        raise StorageError(f"{to} is the folder that you are in, or above it", hint=other)
    if not target.exists():
        return
    if not target.is_dir():
        raise StorageError(f"{to} is a file, not a folder", hint=other)
    present = {path.name for path in target.iterdir()}
    if not present:
        return
    try:
        ours = {*manifest.read(target), manifest.NAME, PREVIEW}
    except StorageError as error:
        raise StorageError(f"{to} holds files that are not an edition", hint=other) from error
    foreign = sorted(present - ours)
    if foreign:
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise StorageError(
            f"{to} also holds {', '.join(foreign[:3])}{more}; replacing it would delete that",
            hint=f"move it away, or {other}",
        )


def _write_through(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the names in *folder* as durable as the bytes behind them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(scratch: Path) -> None:
    """Remove the folder even where Ctrl-C falls into the removing."""
    try:
        shutil.rmtree(scratch, ignore_errors=True)
    finally:
        if scratch.exists():
            shutil.rmtree(scratch, ignore_errors=True)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put *fresh* in the place of *target*; whatever interrupts, one of them is there."""
    try:
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
