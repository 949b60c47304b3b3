"""The printed issue: a tagged PDF (PDF/UA-1, ISO 14289-1) by Typst.

What editors write travels as JSON and never as Typst source, so no text can run
code or read a file. The compiler sees a fresh folder with the template, the data
and the picture, and nothing else. Refuses packages from the network, and to print
an empty box where no font has a character.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.compose import fonts
from newsletter.compose.environment import FRESH_COPY
from newsletter.compose.view import HeroView, View
from newsletter.errors import StorageError, TemplateError
from newsletter.issue.folder import shown
from newsletter.issue.prose import Prose

if TYPE_CHECKING:
    import typst

FOLDER = "print"  # below the templates
MAIN = "issue.typ"
PAPERS = {"letter": "us-letter", "a4": "a4"}

_MAX_FILE_BYTES = 20_000_000
_PACKAGE = re.compile(r"""["']@[a-z]+/[^"']*["']""")


def compose_pdf(view: View, templates: Path, pictures: Mapping[str, bytes]) -> bytes:
    """Compile the template `print/issue.typ`; *pictures* are file names and their bytes.

    The same input gives the same bytes: no clock, no path, no font of this machine
    unless the text needs a Japanese, Chinese or Korean one (see `fonts`).

    Raises:
        TemplateError: the template is missing or broken; file and line are named.
        NewsletterError: no font has some character; the message lists them.
    """
    pdf = _composed(view, templates, pictures, pdf_standards=["ua-1"])
    assert isinstance(pdf, bytes)
    return pdf


def page_pictures(
    view: View, templates: Path, pictures: Mapping[str, bytes], *, ppi: int
) -> list[bytes]:
    """Give each page of the PDF as a PNG of *ppi* pixels an inch, for looking at.

    Raises the same as `compose_pdf`.
    """
    pages = _composed(view, templates, pictures, format="png", ppi=ppi)
    return pages if isinstance(pages, list) else [pages]


def page_count(view: View, templates: Path, pictures: Mapping[str, bytes]) -> int:
    """Count the pages of the PDF; Typst remembers how it has laid them out.

    Raises the same as `compose_pdf`.
    """
    return len(page_pictures(view, templates, pictures, ppi=1))


def _composed(
    view: View, templates: Path, pictures: Mapping[str, bytes], **output: Any
) -> bytes | list[bytes]:
    folder = templates / FOLDER
    files = _template_files(folder)
    data = _data(view)
    typefaces = fonts.typefaces_for(_characters(data), folder / fonts.FOLDER)
    data["fonts"] = list(typefaces.fallback)
    try:
        with tempfile.TemporaryDirectory(prefix="newsletter-print-") as scratch:
            root = Path(scratch)
            for name, content in {**files, **pictures}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
            return _compile(root, folder, typefaces.fonts, data, view, output)
    except OSError as error:
        raise StorageError(
            f"the PDF needs room for temporary files: {error.strerror or error}",
            hint="free some disk space, or set TMPDIR to a folder that has it",
        ) from error


def _compile(
    root: Path,
    folder: Path,
    typefaces: typst.Fonts,
    data: Mapping[str, object],
    view: View,
    output: Mapping[str, Any],
) -> bytes | list[bytes]:
    import typst

    try:
        made, warnings = typst.compile_with_warnings(
            root / MAIN,
            root=root,
            font_paths=typefaces,
            ignore_system_fonts=True,
            sys_inputs={"issue": json.dumps(data, ensure_ascii=False, sort_keys=True)},
            timestamp=datetime(view.date.year, view.date.month, view.date.day, tzinfo=UTC),
            **output,
        )
    except typst.TypstError as error:
        raise TemplateError(
            f"{_place(folder, root, error.diagnostic)}: "
            + error.message.replace(str(root), shown(folder)),
            hint=_hint(error.hints),
        ) from error
    for warning in warnings:
        # Typst would go on in another font, and nobody would see it before the readers do.
        if "font" in warning.message:
            raise TemplateError(
                f"{_place(folder, root, warning.diagnostic)}: {warning.message}",
                hint=f"put its files into {shown(folder / fonts.FOLDER)}",
            )
    assert isinstance(made, bytes | list)
    return made


def _hint(hints: Sequence[str]) -> str | None:
    """Typst's own hints, but for those about its command line."""
    useful = [hint for hint in hints if "--" not in hint]
    if hints and not useful:
        return "a template sees its own folder and nothing else: put the file there"
    return "; ".join(useful) or None


def _place(folder: Path, root: Path, diagnostic: str) -> str:
    """The template's file and line, from Typst's `┌─ ../newsletter-print-x/issue.typ:12:3`."""
    found = re.search(r"┌─ (.+?):(\d+):\d+", diagnostic)
    if not found:
        return shown(folder / MAIN)
    return f"{shown(folder / found[1].rpartition(root.name + '/')[2])}:{found[2]}"


# ── the data ────────────────────────────────────────────────────────────────


def _data(view: View) -> dict[str, object]:
    language, _, region = view.language.partition("-")
    return {
        "title": view.title,
        "label": view.label,
        "date_text": view.date_text,
        "description": view.description,
        "language": language,
        "region": region.upper() if re.fullmatch(r"[A-Za-z]{2}", region) else None,
        "paper": PAPERS[view.paper],
        "note": view.note,
        "hero": _hero(view.hero) if view.hero else None,
        "items": [
            {
                "position": item.position,
                "anchor": item.anchor,
                "headline": _runs(item.headline),
                "bullet": _runs(item.bullet),
                "sources": _runs(item.sources) if item.sources else None,
            }
            for item in view.items
        ],
        "about": view.about,
        "site_url": view.site_url,
        "issue_url": view.issue_url,
        "publisher_name": view.publisher_name,
        "publisher_address": view.publisher_address,
        "publisher_contact": view.publisher_contact,
        "privacy_url": view.privacy_url,
    }


def _hero(hero: HeroView) -> dict[str, object]:
    return {
        "file": hero.file,
        "alt": hero.alt,
        "credit": _runs(hero.credit),
        "width": hero.width,
        "height": hero.height,
    }


def _runs(prose: Prose) -> list[dict[str, object]]:
    return [
        {"text": run.text, "strong": run.strong, "emphasis": run.emphasis, "href": run.href}
        for run in prose.runs
    ]


def _characters(value: object) -> frozenset[str]:
    """Every character of every text in *value*."""
    if isinstance(value, str):
        return frozenset(value)
    if isinstance(value, Mapping):
        return frozenset().union(*map(_characters, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(_characters, value))
    return frozenset()


# ── the template ────────────────────────────────────────────────────────────


def _template_files(folder: Path) -> dict[str, bytes]:
    """The template and what lies beside it, but for the fonts."""
    if not os.access(folder, os.X_OK) and folder.exists():
        raise TemplateError(f"{shown(folder)} cannot be read", hint="look at its permissions")
    if not (folder / MAIN).is_file():
        raise TemplateError(
            f"{shown(folder / MAIN)} is missing",
            hint=FRESH_COPY,
        )
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.startswith((".", f"{fonts.FOLDER}/")) or not path.is_file():
            continue
        found[name] = _read(path, folder)
        if path.suffix == ".typ":
            refuse_packages(path, found[name])
    return found


def _read(path: Path, folder: Path) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TemplateError(
            f"{shown(path)} leads out of its folder", hint="put the file itself there, not a link"
        )
    try:
        state = path.stat()
        if state.st_size > _MAX_FILE_BYTES:
            raise TemplateError(
                f"{shown(path)} has more than {_MAX_FILE_BYTES // 1_000_000} MB",
                hint="only what the PDF shows belongs there",
            )
        return _content(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise TemplateError(f"{shown(path)} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=64)
def _content(path: Path, changed: int, size: int) -> bytes:
    return path.read_bytes()


def refuse_packages(path: Path, source: bytes) -> None:
    """Raise TemplateError for `@preview/…`: Typst would fetch it from the network meanwhile."""
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        raise TemplateError(f"{shown(path)} is not UTF-8", hint="save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), start=1):
        package = _PACKAGE.search(line.partition("//")[0])
        if package:
            raise TemplateError(
                f"{shown(path)}:{number}: {package[0]} would be fetched from the network",
                hint="copy what you need of it into a file beside the template",
            )
