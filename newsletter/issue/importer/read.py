"""Read one source into an Issue and its issue file: the way in of the importer.

Pure but for reading the source and a picture beside it. Refuses to write
anything (that is `folder`) and to go on where number, date or pairing are in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from newsletter.diagnostics import Diagnostic
from newsletter.errors import StorageError, UsageError
from newsletter.issue.check import build
from newsletter.issue.folder import shown
from newsletter.issue.importer import content, draft, hero, page_html, page_text, word
from newsletter.issue.importer.blocks import (
    Block,
    Note,
    Page,
    Place,
    is_strong,
    without_strong,
)
from newsletter.issue.importer.decode import (
    MAX_DRAFT_CHARACTERS,
    MAX_WORD_BYTES,
    Form,
    Unreadable,
    decode,
    form_of_bytes,
    form_of_text,
    refuse,
)
from newsletter.issue.importer.identity import date_of, number_of
from newsletter.issue.importer.imported import Imported, Request
from newsletter.issue.importer.taken_over import is_issue_file, taken_over
from newsletter.issue.model import ITEMS, Hero, Issue, Item
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import parse
from newsletter.issue.prose import Prose
from newsletter.issue.rules import find_rule
from newsletter.issue.source import Source
from newsletter.issue.write import to_markdown

ITEM_COUNT, NOT_WRITABLE = "NL907", "NL911"


def import_file(
    path: Path,
    *,
    number: IssueNumber | None = None,
    published: date | None = None,
    first_year: int | None = None,
    shown_as: Callable[[Path], str] = shown,
) -> Imported:
    """Read the source at *path*: a web page as text or HTML, a draft in Markdown or Word.

    *number* and *published* settle what the source leaves open, and go before what
    it says. *first_year*, the year of Volume 1, dates days that come without a year.
    Whatever is wrong with the content is in the diagnostics of the result.

    Raises:
        UsageError: there is no such file.
        StorageError: it cannot be read.
    """
    data = _bytes(path)
    request = Request(path=path, number=number, published=published, first_year=first_year)
    try:
        imported, notes = _read(data, request)
    except Unreadable as unreadable:
        imported, notes = Imported(source=path, diagnostics=()), [unreadable.note]
    diagnostics = sorted(
        {_diagnostic(note, shown_as(path)) for note in notes},
        key=lambda d: (d.line, d.column, d.code, d.message),
    )
    return replace(imported, diagnostics=tuple(diagnostics))


def _bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UsageError(
                f"{shown(path)} {what}", hint="name a web page, a Word file or a Markdown draft"
            )
        with path.open("rb") as file:
            return file.read(MAX_WORD_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror}") from error


def _diagnostic(note: Note, path: str) -> Diagnostic:
    rule = find_rule(note.code)
    assert rule is not None, note.code
    return Diagnostic(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        message=note.message,
        path=path,
        line=note.place.line,
        column=note.place.column,
        end_line=note.place.line,
        end_column=note.place.column,
        hint=note.hint,
        source_line=note.place.excerpt,
    )


def _read(data: bytes, request: Request) -> tuple[Imported, list[Note]]:
    suffix = request.path.suffix.lower()
    if form_of_bytes(data, suffix) is Form.WORD:
        return _assembled(word.read(data), [], request)
    text, notes = decode(data)
    match form_of_text(text, suffix):
        case Form.HTML:
            page = page_html.read(text)
        case Form.TEXT:
            page = page_text.read(text)
        case _:
            if len(text) > MAX_DRAFT_CHARACTERS:
                message = f"the draft has more than {MAX_DRAFT_CHARACTERS:,} characters"
                raise refuse(message, "an issue is five short items: is it the right file?")
            own = parse(Source(request.path, text))
            if is_issue_file(own):
                return taken_over(own, data if not notes else text.encode(), notes, request)
            page = draft.read(text)
    return _assembled(page, notes, request)


# ── everything else ─────────────────────────────────────────────────────────


def _assembled(page: Page, notes: list[Note], request: Request) -> tuple[Imported, list[Note]]:
    found = content.find(page)
    notes += [*page.notes, *found.notes]
    number = request.number or number_of(page, found, notes)
    published = request.published or date_of(page, found, number, request.first_year, notes)
    picture = hero.take(page.images, request.path.parent, notes)
    nothing = Imported(source=request.path, diagnostics=(), number=number)
    if not found.pairs or number is None or published is None:
        return nothing, notes
    items = tuple(_item(headline, bullet) for headline, bullet in found.pairs)
    if len(items) != ITEMS:
        message = f"{len(items)} item{'' if len(items) == 1 else 's'}, expected {ITEMS}"
        hint = "the issue file has them all; newsletter check points at it until there are five"
        notes.append(Note(ITEM_COUNT, found.pairs[-1][0].place, message, hint))
    issue = Issue(
        number=number,
        date=published,
        items=items,
        hero=_hero(picture, found, notes),
        subject=_stated(page, "subject"),
        preheader=_stated(page, "preheader"),
        note=_stated(page, "note"),
    )
    remark = None
    if picture is None and found.credit is not None:
        remark = f"Image Source: {found.credit[0].text}"
        message = f"the picture is missing: “{remark}” stands in the issue file as a remark"
        notes.append(Note(hero.PICTURE, found.credit[1], message, hero.ADD))
    text = to_markdown(issue, remark=remark)
    changed = _changed(issue, text, found)
    if changed is not None:
        return nothing, [*notes, changed]
    return (
        Imported(
            source=request.path,
            diagnostics=(),
            number=number,
            issue=issue,
            issue_file=text.encode(),
            hero=(picture.file, picture.data) if picture is not None else None,
        ),
        notes,
    )


def _stated(page: Page, key: str) -> str | None:
    return page.stated[key][0] or None if key in page.stated else None


def _item(headline: Block, bullet: Block) -> Item:
    title = headline.prose
    return Item(headline=without_strong(title) if is_strong(title) else title, bullet=bullet.prose)


def _hero(picture: hero.Picture | None, found: content.Content, notes: list[Note]) -> Hero | None:
    if picture is None:
        return None
    missing = [] if picture.alt else ["a description"]
    missing += [] if found.credit is not None else ["a credit (“Image Source:”)"]
    if missing:
        message = f"the picture comes without {' and without '.join(missing)}"
        notes.append(Note(hero.PICTURE, picture.place, message, "write it into the issue file"))
    credit = found.credit[0] if found.credit is not None else Prose()
    return Hero(file=picture.file, alt=picture.alt, credit=credit)


def _changed(issue: Issue, text: str, found: content.Content) -> Note | None:
    """Read the issue file back: a text that it cannot hold letter for letter is an error."""
    document = parse(Source(Path("issue.md"), text))
    if document.readable and document.value("issue") and document.value("date"):
        back = build(document)
        if back == issue:
            return None
        pairs: Sequence[tuple[Item, Item, Block]] = [
            (old, new, block)
            for old, new, (_, block) in zip(issue.items, back.items, found.pairs, strict=False)
        ]
        place = next((block.place for old, new, block in pairs if old != new), Place())
    else:
        place = Place()
    message = "an issue file cannot hold this text as it is"
    hint = "reword its beginning: “Sources:” there, or a mark of Markdown, means something else"
    return Note(NOT_WRITABLE, place, message, hint)
