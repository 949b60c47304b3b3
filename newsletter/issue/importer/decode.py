"""Turn the bytes of a source into text, and say which kind of source it is.

An encoding that the file states is followed; one that had to be inferred is
noted. What is no text is refused with the reason.
"""

from __future__ import annotations

import codecs
import re
from enum import StrEnum

from newsletter.issue.importer.blocks import Note, Place

UNREADABLE, ENCODING = "NL901", "NL902"

MAX_TEXT_BYTES = 5_000_000  # a saved page with everything inlined stays below
MAX_DRAFT_CHARACTERS = 200_000  # of Markdown, fifty times a usual draft
MAX_LINES = 5_000  # a whole site's menus in one page
MAX_WORD_BYTES = 50_000_000  # a draft with photographs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"%PDF", "a PDF", "import the web page or the Word file that it was made from"),
    (b"\xff\xd8\xff", "a JPEG picture", "import the text; put the picture into the folder after"),
    (b"\x89PNG", "a PNG picture", "import the text; put the picture into the folder after"),
    (b"{\\rtf", "an RTF file", "open it in a word processor and save it as .docx"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Word file (.doc), or a Word file locked by a password",
        "open it in a word processor and save it as .docx, without a password",
    ),
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--.*?-->\s*)*)<(?:!doctype\s+html|html|head|body)\b",
    re.I | re.S,
)
_MARKUP = re.compile(r"<(?:p|div|ul|ol|li|h[1-6]|article|section|main|br|strong)\b[^<>]*>", re.I)
_MARKDOWN = re.compile(r"^(?: {0,3}[-*+] | {0,3}[0-9]{1,2}[.)] |#{1,6} )", re.M)
_SIGNS = re.compile(r"^[^\S\n]*[•·●▪◦‣]", re.M)


class Form(StrEnum):
    """The kinds of source."""

    TEXT = "text of a web page"
    HTML = "web page"
    WORD = "Word file"
    MARKDOWN = "Markdown draft"


class Unreadable(Exception):  # noqa: N818 - a finding on its way, not an error of the world
    """The source cannot be read at all; *note* says why."""

    def __init__(self, note: Note) -> None:
        super().__init__(note.message)
        self.note = note


def refuse(message: str, hint: str | None = None) -> Unreadable:
    return Unreadable(Note(UNREADABLE, Place(), message, hint))


def refuse_long(lines: int) -> None:
    """Raise Unreadable where a source has more *lines* of text than any page around an issue."""
    if lines > MAX_LINES:
        hint = "an issue is five short items: is it the right file?"
        raise refuse(f"the file holds more than {MAX_LINES:,} lines of text", hint)


def form_of_bytes(data: bytes, suffix: str) -> Form | None:
    """WORD for what is a zip or is called .docx; None for what has to be text.

    Raises:
        Unreadable: empty, too large, or of a kind that holds no text we can take.
    """
    if not data.strip():
        raise refuse("the file is empty", "save the page or the draft again")
    for magic, what, hint in _BINARY:
        if data.startswith(magic):
            raise refuse(f"this is {what}", hint)
    word = data.startswith(b"PK\x03\x04") or suffix == ".docx"
    limit = MAX_WORD_BYTES if word else MAX_TEXT_BYTES
    if len(data) > limit:
        raise refuse(
            f"the file has more than {limit // 1_000_000} MB",
            "an issue is five short items: is it the right file?",
        )
    return Form.WORD if word else None


def form_of_text(text: str, suffix: str) -> Form:
    """What kind of text this is: by what it looks like, then by its suffix."""
    if suffix in (".html", ".htm", ".xhtml") or _HTML.match(text):
        return Form.HTML
    if suffix not in (".md", ".markdown", ".txt", ".text") and len(_MARKUP.findall(text)) > 5:
        return Form.HTML
    if suffix in (".txt", ".text"):
        return Form.TEXT
    if text.startswith("---") or _MARKDOWN.search(text):
        return Form.MARKDOWN
    return Form.TEXT if _SIGNS.search(text) or suffix not in (".md", ".markdown") else Form.MARKDOWN


def decode(data: bytes) -> tuple[str, list[Note]]:
    """Decode *data*, with line ends as U+000A.

    Raises:
        Unreadable: it is binary.
    """
    text, notes = _decoded(data)
    control = next((at for at, char in enumerate(text) if _is_binary(char)), None)
    if control is not None:
        line = text.count("\n", 0, control) + 1
        column = control - text.rfind("\n", 0, control)
        message = f"the file holds the control character U+{ord(text[control]):04X}"
        hint = "it looks like a binary file: import a web page, a Word file or a Markdown draft"
        raise Unreadable(Note(UNREADABLE, Place(line, column), message, hint))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise refuse("the file is empty", "save the page or the draft again")
    return text, notes


def _is_binary(char: str) -> bool:
    return char < " " and char not in "\t\n\r\x0b\x0c"


def _decoded(data: bytes) -> tuple[str, list[Note]]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding).removeprefix("\ufeff"), []
            except UnicodeDecodeError as error:
                raise refuse(
                    f"the file begins as {encoding.upper()} but is damaged at byte {error.start:,}",
                    "save it again, as UTF-8",
                ) from error
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        wrong = error
    stated = _CHARSET.search(data[:4096])
    if stated is not None:
        try:
            return data.decode(stated[1].decode("ascii")), []
        except (LookupError, ValueError):
            pass
    return _inferred(data, wrong)


def _inferred(data: bytes, wrong: UnicodeDecodeError) -> tuple[str, list[Note]]:
    line = data.count(b"\n", 0, wrong.start) + 1
    column = len(data[data.rfind(b"\n", 0, wrong.start) + 1 : wrong.start].decode("utf-8")) + 1
    if b"\x00" not in data:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            pass
        else:
            shown = text.split("\n")[line - 1].rstrip("\r")
            message = (
                f"this is not UTF-8 (byte 0x{data[wrong.start]:02X}); it was read as Windows-1252"
            )
            hint = "look whether quotes and names are right, or save the file as UTF-8"
            return text, [Note(ENCODING, Place(line, column, shown), message, hint)]
    hint = "import a web page, a Word file or a Markdown draft, saved as UTF-8"
    raise refuse("the file is not text", hint) from wrong
