"""Mend what rules offer to mend: spaces, invisible characters, quotes, line ends.

Never changes what an issue is made of (an edit that would turn a paragraph into
a list is left out), and never leaves a half-written file.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from newsletter.diagnostics import Diagnostic, Edit
from newsletter.errors import StorageError
from newsletter.issue.document import Document
from newsletter.issue.folder import shown
from newsletter.issue.parse import parse
from newsletter.issue.prose import Prose
from newsletter.issue.rules import byte_order_mark, line_ends
from newsletter.issue.source import MIXED, Source
from newsletter.issue.texts import INVISIBLE, SPACES, texts

ROUNDS = 5  # of checking and mending, after which nothing is left to mend

_BYTE_ORDER_MARK = "\ufeff"
_MENDABLE = re.compile(f"[{SPACES}{INVISIBLE}\"'“”‘’]+")


def apply(source: Source, diagnostics: Sequence[Diagnostic]) -> tuple[str, int]:
    """Apply the edits of *diagnostics*; where two overlap, the first wins.

    Returns the whole text of the file, with its own line ends and byte-order
    mark unless they are what is mended, and the number of edits applied.
    """
    offered = [diagnostic.edits for diagnostic in diagnostics if diagnostic.edits]
    whole_file = {d.code for d in diagnostics if d.edits} & {byte_order_mark.CODE, line_ends.CODE}
    changing = [edits for edits in offered if any(_changes(edit) for edit in edits)]
    edits = _harmless(source, changing)
    text = _applied(source.text, edits)
    if line_ends.CODE not in whole_file and source.newline != MIXED:
        text = text.replace("\n", source.newline)
    if source.bom and byte_order_mark.CODE not in whole_file:
        text = _BYTE_ORDER_MARK + text
    return text, len(edits) + len(whole_file)


def _changes(edit: Edit) -> bool:
    return edit.end > edit.start or edit.replacement != ""


def _harmless(source: Source, offered: Sequence[tuple[Edit, ...]]) -> list[Edit]:
    """The edits that keep the structure; those of one diagnostic stand or fall together."""
    shape = _shape(parse(source))
    kept: list[Edit] = []

    def take(groups: Sequence[tuple[Edit, ...]]) -> None:
        nonlocal kept
        edits = _without_overlaps([*kept, *(edit for group in groups for edit in group)])
        if _shape(parse(replace(source, text=_applied(source.text, edits)))) == shape:
            kept = edits
        elif len(groups) > 1:
            middle = len(groups) // 2
            take(groups[:middle])
            take(groups[middle:])

    if offered:
        take(offered)
    return kept


def _shape(document: Document) -> tuple[object, ...]:
    """What mending must not change: the parts, their marks, and every letter in them."""
    items = tuple(
        (
            len(item.paragraphs),
            item.sources is None,
            tuple(block.kind for block in item.blocks),
            tuple(_marks(item.headline)),
            tuple(mark for paragraph in item.paragraphs for mark in _marks(paragraph.prose)),
        )
        for item in document.items
    )
    return (
        tuple(document.front),
        document.picture and (document.picture.file, document.picture.credit is None),
        tuple(block.kind for block in document.blocks),
        items,
        tuple(_MENDABLE.sub("", prose.text) for prose in texts(document)),
        tuple(fault.code for fault in document.faults),
    )


def _marks(prose: Prose) -> Iterator[tuple[bool, bool, str | None]]:
    yield from ((run.strong, run.emphasis, run.href) for run in prose.runs)


def _without_overlaps(edits: Iterable[Edit]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def _applied(text: str, edits: Sequence[Edit]) -> str:
    parts, at = [], 0
    for edit in edits:
        parts += [text[at : edit.start], edit.replacement]
        at = edit.end
    return "".join([*parts, text[at:]])


def write(document: Document, diagnostics: Sequence[Diagnostic]) -> int:
    """Mend the file of *document* and return how many places were mended.

    Raises:
        StorageError: the file is a link, is read-only, or cannot be replaced.
    """
    text, count = apply(document.source, diagnostics)
    if count:
        replace_file(document.source.path, text.encode("utf-8"))
    return count


def replace_file(path: Path, data: bytes) -> None:
    """Put *data* in the place of the file at *path*, whole or not at all; its mode stays.

    Raises:
        StorageError: the file is a link, is read-only, or cannot be replaced.
    """
    name = shown(path)
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise StorageError(
                f"{name} is a symbolic link; it is not rewritten",
                hint="put the file itself there, then run newsletter check --fix again",
            )
        if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
            raise StorageError(
                f"{name} is read-only; nothing was changed",
                hint=f"make it writable, as in: chmod u+w {name}",
            )
        _replace(path, data, stat.S_IMODE(status.st_mode))
    except OSError as error:
        raise StorageError(
            f"{name} cannot be written: {error.strerror}; nothing was changed",
            hint="look at the permissions of its folder and the room on the disk",
        ) from error


def _replace(path: Path, data: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
