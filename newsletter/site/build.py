"""The site as files, for any web server: folders with an index.html, feeds, editions, 404.html.

Whole or not at all, and the same bytes each time: the dates are those of the editions.
Replaces only what it built before, known by a list that lies in the folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from newsletter.compose.whole_folder import (
    disk_errors,
    refuse_foreign,
    refuse_occupied,
    whole_folder,
)
from newsletter.errors import StorageError
from newsletter.site.site import Site

MARKER = ".newsletter-site.json"  # what was built: paths, from the folder on
NOT_FOUND = "404.html"
_FORMAT = "newsletter site 1"
_OTHER = "choose another folder: newsletter site build --to public"


def build(site: Site, to: Path, *, on_progress: Callable[[int], object] = lambda done: None) -> int:
    """Write *site* into the folder *to*; return how many files it has.

    *on_progress* is told how many pages are written. An existing folder is replaced if it
    is empty, or holds what was built before and nothing else.

    Raises:
        StorageError: the folder holds something else, a file of an edition was altered
            meanwhile, or the disk refuses.
        TemplateError: the template of 404.html is broken.
    """
    files = {file_of(path) for path in site.pages} | {NOT_FOUND}
    with disk_errors(to):
        target = to.resolve()
        _refuse_foreign(target, to)
        with whole_folder(target) as fresh:
            for done, page in enumerate(site.pages.values(), start=1):
                _write(fresh / file_of(page.path), page.read())
                on_progress(done)
            _write(fresh / NOT_FOUND, site.render("site/not_found.html.j2").encode())
            marker = {"format": _FORMAT, "files": sorted(files)}
            _write(fresh / MARKER, (json.dumps(marker, indent=1) + "\n").encode())
    return len(files)


def file_of(path: str) -> str:
    """Where the page at *path* lies in the folder: "/vol-2-20/" is "vol-2-20/index.html"."""
    return path.removeprefix("/") + ("index.html" if path.endswith("/") else "")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _refuse_foreign(target: Path, to: Path) -> None:
    """Raise StorageError unless *target* is free, empty, or was built here and nothing else."""
    refuse_occupied(target, to, hint=_OTHER)
    if not target.exists() or not any(target.iterdir()):
        return
    try:
        marker = json.loads((target / MARKER).read_bytes())
        ours = {str(name) for name in marker["files"]} | {MARKER}
        is_ours = marker["format"] == _FORMAT
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise StorageError(f"{to} holds files that are not a site built here", hint=_OTHER)
    present = {
        path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()
    }
    refuse_foreign(present - ours, to, hint=_OTHER)
