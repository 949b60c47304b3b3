"""Take over an issue file that is in our own form already, byte for byte."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from newsletter.issue.check import build
from newsletter.issue.document import Document
from newsletter.issue.importer import hero
from newsletter.issue.importer.blocks import Image, Note, Place
from newsletter.issue.importer.identity import NUMBER
from newsletter.issue.importer.imported import Imported, Request
from newsletter.issue.importer.links import ALTERED
from newsletter.issue.model import Issue
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import parse_bytes


def is_issue_file(document: Document) -> bool:
    """Whether the texts stand under `##` headlines already, as in an issue file."""
    return bool(document.readable and document.items and document.value("issue")) and not any(
        block.kind == "list" for item in document.items for block in item.blocks
    )


def taken_over(
    document: Document, data: bytes, notes: list[Note], request: Request
) -> tuple[Imported, list[Note]]:
    """Keep the bytes of an issue file; only its number must be sound, for it names the folder."""
    source = document.source
    if parse_bytes(data, request.path).source.text != source.text:
        data = source.text.encode()  # UTF-16 and the like
    value = document.value("issue") or ""
    try:
        number = IssueNumber.parse(value.strip())
    except ValueError as error:
        line, column = source.place(document.front["issue"].value_span.start)
        place = Place(line, column, source.line(line))
        notes.append(Note(NUMBER, place, str(error), "mend the line “issue:”"))
        return Imported(source=request.path, diagnostics=()), notes
    if request.number not in (None, number) or request.published is not None:
        message = "this is an issue file: it was taken over as it is, number and date included"
        notes.append(Note(ALTERED, Place(), message, "change “issue:” and “date:” in the new file"))
    return (
        Imported(
            source=request.path,
            diagnostics=(),
            number=number,
            issue=_sound(document),
            issue_file=data,
            hero=_picture_beside(document, request.path, notes),
        ),
        notes,
    )


def _sound(document: Document) -> Issue | None:
    if not all(item.bullet and item.headline for item in document.items):
        return None
    try:
        return build(document)
    except (AssertionError, ValueError):
        return None


def _picture_beside(document: Document, path: Path, notes: list[Note]) -> tuple[str, bytes] | None:
    picture = document.picture
    if picture is None:
        return None
    line, column = document.source.place(picture.file_span.start)
    place = Place(line, column, document.source.line(line))
    if Path(picture.file).name != picture.file:
        message = f"the picture was left out: “{picture.file}” is no plain file name"
        hint = "put the picture beside the issue file"
        notes.append(Note(hero.PICTURE, place, message, hint))
        return None
    found = hero.take([Image(place=place, address=quote(picture.file))], path.parent, notes)
    return (picture.file, found.data) if found is not None else None
