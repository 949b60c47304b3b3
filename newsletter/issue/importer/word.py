"""Read a draft from a Word file.

python-docx opens the package; the text is read from its XML, for python-docx
passes over tracked changes and content controls. Refuses packages that unpack to
more than an issue could need. A place is the number of the paragraph.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from newsletter.issue.importer.blocks import (
    Block,
    Image,
    Kind,
    Note,
    Page,
    Place,
    entry_or,
    lines_of,
    tidy_marks,
)
from newsletter.issue.importer.decode import refuse, refuse_long
from newsletter.issue.importer.links import ALTERED, resolved
from newsletter.issue.prose import Run

if TYPE_CHECKING:
    from docx.document import Document

_MAX_PARTS = 2_000
_MAX_UNPACKED = 150_000_000
_MAX_XML = 8_000_000
_SAVE = "open it in a word processor and save it again as .docx"

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"

_NOT_READ = {
    f"{_W}footnoteReference": "a footnote was left out",
    f"{_W}endnoteReference": "an endnote was left out",
    f"{_W}sym": "a character of a symbol font was left out",
    f"{_W}txbxContent": "a text box was left out",
    f"{_W}object": "an embedded object was left out",
    "{http://schemas.openxmlformats.org/officeDocument/2006/math}oMath": "a formula was left out",
}


def read(data: bytes) -> Page:
    """Turn the paragraphs of a .docx into blocks.

    Raises:
        Unreadable: no Word file, damaged, locked, or larger than it may be.
    """
    _refuse_bombs(data)
    document = _opened(data)
    reader = _Reader(document)
    for paragraph in document.element.body.iter(f"{_W}p"):
        reader.read(paragraph)
        refuse_long(reader.number)
    return Page(blocks=tuple(reader.blocks), images=tuple(reader.images), notes=tuple(reader.notes))


def _refuse_bombs(data: bytes) -> None:
    """Look at the sizes that the package declares; zipfile never unpacks more than those."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise refuse(
            "this is no Word file, or a damaged one: it is not a zip package", _SAVE
        ) from error
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise refuse("the file is locked by a password", "save it without one")
    if "word/document.xml" not in names:
        raise refuse("this is a zip package, but no Word file (.docx)", _SAVE)
    unpacked = sum(part.file_size for part in parts)
    xml = max(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if len(parts) > _MAX_PARTS or unpacked > _MAX_UNPACKED or xml > _MAX_XML:
        raise refuse(
            f"the Word file unpacks to {unpacked:,} bytes in {len(parts):,} parts: too much",
            "copy the text into a new document",
        )


def _opened(data: bytes) -> Document:
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        document.element.body.iter()
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged package makes of python-docx and lxml
        raise refuse("the Word file is damaged and cannot be read", _SAVE) from error
    return document


class _Reader:
    def __init__(self, document: Document) -> None:
        self.part = document.part
        self.styles = {style.style_id: style.name or "" for style in document.styles}
        self.blocks: list[Block] = []
        self.images: list[Image] = []
        self.notes: list[Note] = []
        self.number = 0  # of the paragraph
        self.group = 0
        self.said: set[str] = set()

    def read(self, paragraph: Any) -> None:
        if _within(paragraph, f"{_W}txbxContent"):
            return
        self.number += 1
        runs = [run for element in _runs(paragraph) for run in self._run(element)]
        self._look_around(paragraph, "".join(run.text for run in runs))
        kind = self._kind(paragraph)
        written = False
        for line in lines_of(tidy_marks(runs)):
            its_kind, prose = entry_or(kind, line)
            if not prose:
                continue
            last = self.blocks[-1] if self.blocks else None
            if last is None or last.kind is not its_kind or not self.written_before:
                self.group += 1
            place = Place(self.number, 1, prose.text)
            self.blocks.append(Block(kind=its_kind, prose=prose, place=place, group=self.group))
            self.written_before = written = True
        self.written_before = written

    written_before = False  # whether the paragraph before held text; an empty one parts two lists

    def _kind(self, paragraph: Any) -> Kind:
        properties = paragraph.find(f"{_W}pPr")
        style = properties.find(f"{_W}pStyle") if properties is not None else None
        name = self.styles.get(style.get(f"{_W}val"), "").lower() if style is not None else ""
        if name.startswith(("heading", "title", "subtitle")):
            return Kind.HEADING
        if name.startswith("caption"):
            return Kind.CAPTION
        numbered = properties is not None and properties.find(f"{_W}numPr") is not None
        return Kind.ENTRY if numbered or name.startswith("list") else Kind.TEXT

    def _run(self, element: Any) -> Iterator[Run]:
        text = "".join(_characters(element))
        if not text:
            return
        properties = element.find(f"{_W}rPr")
        strong = _is_on(properties, "b") or self._style(properties).startswith("strong")
        emphasis = _is_on(properties, "i") or self._style(properties).startswith("emphasis")
        yield Run(text, strong, emphasis, self._address(element, text))

    def _style(self, properties: Any) -> str:
        style = properties.find(f"{_W}rStyle") if properties is not None else None
        return self.styles.get(style.get(f"{_W}val"), "").lower() if style is not None else ""

    def _address(self, element: Any, text: str) -> str | None:
        link = next(element.iterancestors(f"{_W}hyperlink"), None)
        if link is None:
            return None
        relation = self.part.rels.get(link.get(f"{_R}id") or "")
        target = str(relation.target_ref) if relation is not None and relation.is_external else ""
        if link.get(f"{_W}anchor") and target:
            target += "#" + link.get(f"{_W}anchor")
        address = resolved(target)
        if address is None and text.strip():
            where = f"“{target[:80]}”" if target else "a place within the file"
            message = f"the link of “{text.strip()[:60]}” was dropped: it leads to {where}"
            self._note(message, "put the full https:// address into the issue file")
        return address

    def _look_around(self, paragraph: Any, text: str) -> None:
        """Take the pictures; note what is there and is not read."""
        for element in paragraph.iter():
            if element.tag == f"{_A}blip":
                self._image(element)
            elif element.tag in _NOT_READ and not _within(element, _FALLBACK):
                self._note(_NOT_READ[element.tag], "look into the Word file, and add it by hand")
            elif element.tag == f"{_W}instrText" and "HYPERLINK" in (element.text or ""):
                self._note("a link was left out: it is a field", "add it to the issue file by hand")
            elif element.tag in (f"{_W}ins", f"{_W}del") and "changes" not in self.said:
                self.said.add("changes")
                message = "the file has tracked changes: insertions were taken, deletions left out"
                self._note(message, "accept or reject them in Word if that is not what you mean")

    def _image(self, blip: Any) -> None:
        if _within(blip, _FALLBACK):
            return
        inline = next(blip.iterancestors(f"{_DRAWING}inline", f"{_DRAWING}anchor"), None)
        described = inline.find(f"{_DRAWING}docPr") if inline is not None else None
        alt = (described.get("descr") or "").strip() if described is not None else ""
        relation = self.part.rels.get(blip.get(f"{_R}embed") or blip.get(f"{_R}link") or "")
        if relation is None:
            return
        place = Place(self.number)
        if relation.is_external:
            self.images.append(Image(place=place, address=str(relation.target_ref), alt=alt))
        else:
            self.images.append(Image(place=place, data=relation.target_part.blob, alt=alt))

    def _note(self, message: str, hint: str) -> None:
        self.notes.append(Note(ALTERED, Place(self.number), message, hint))


def _runs(paragraph: Any) -> Iterator[Any]:
    """The runs of the paragraph itself, in order, without what is marked as deleted."""
    for run in paragraph.iter(f"{_W}r"):
        if next(run.iterancestors(f"{_W}p")) is not paragraph:
            continue  # of a text box inside
        if not _within(run, f"{_W}del", f"{_W}moveFrom", _FALLBACK):
            yield run


def _within(element: Any, *tags: str) -> bool:
    return next(element.iterancestors(*tags), None) is not None


def _characters(run: Any) -> Iterator[str]:
    for child in run:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif child.tag == f"{_W}tab":
            yield " "
        elif child.tag == f"{_W}noBreakHyphen":
            yield "-"  # what was typed; Word only keeps the line from ending there


def _is_on(properties: Any, name: str) -> bool:
    """A toggle property (ECMA-376 §17.7.3): present, and not switched off."""
    element = properties.find(f"{_W}{name}") if properties is not None else None
    return element is not None and element.get(f"{_W}val") not in ("0", "false", "off", "none")
