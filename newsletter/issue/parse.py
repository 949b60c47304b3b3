"""Read an issue file into a Document. Never raises on content, whatever the bytes.

Markdown by markdown-it (CommonMark), with every part's place in the source.
Refuses to judge: what is wrong is for the rules; what cannot be read at all is
recorded as a fault.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.issue import frontmatter
from newsletter.issue.body import Body, Comment, read_body
from newsletter.issue.document import (
    Block,
    Document,
    DraftItem,
    Fault,
    Paragraph,
    Picture,
    Waiver,
)
from newsletter.issue.inline import InlineText, read_inline
from newsletter.issue.prose import Prose
from newsletter.issue.source import MIXED, Source, Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_BYTES = 50_000  # 12 times a usual issue
MOST_HEADLINES = 100  # 20 times a usual issue; more are another kind of file
TOO_LARGE, ENCODING, WAIVER_FORM, EMPTY = "NL001", "NL002", "NL009", "NL011"
ITEM_COUNT = "NL104"

_WAIVER = re.compile(r"\s*newsletter:(.*)", re.DOTALL)
_ALLOW = re.compile(r"\s*allow\s+(NL\d{3}(?:\s*,\s*NL\d{3})*)(?:\s+(.*\S))?\s*", re.DOTALL)
_HEADLINE = re.compile(r"^ {0,3}##(?=\s|\Z)", re.MULTILINE)
_CREDIT = re.compile(r"(?:image|photo|picture)?\s*(?:source|credit|by|courtesy)?\s*:\s*", re.I)
_SOURCES = re.compile(r"sources?\s*:\s*", re.I)

_KINDS = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quotation",
    "fence": "code block",
    "code_block": "code block",
    "hr": "rule",
    "html_block": "raw HTML",
    "heading_open": "heading",
}


def decode(data: bytes, path: Path) -> tuple[Source, list[Fault]]:
    """Decode UTF-8; what is not becomes U+FFFD and a fault at the first bad byte."""
    bom = data.startswith(b"\xef\xbb\xbf")
    faults: list[Fault] = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data.decode("utf-8-sig", errors="replace")
        at = len(error.object[: error.start].decode("utf-8", errors="replace"))
        at -= error.object[: error.start].count(b"\r\n")
        faults.append(
            Fault(
                ENCODING,
                Span(at, at + 1),
                f"the file is not UTF-8: byte 0x{error.object[error.start]:02X} cannot be read",
                _encoding_hint(data),
                fatal=True,
            )
        )
    if not faults and text.count("\0") > len(text) // 4:  # every other byte, in UTF-16
        message = "the file is not UTF-8: it is full of null bytes"
        faults.append(Fault(ENCODING, Span(0, 1), message, _encoding_hint(data), fatal=True))
    newline = _newline(text)
    return Source(path, text.replace("\r\n", "\n").replace("\r", "\n"), newline, bom), faults


def _newline(text: str) -> str:
    """The line end that *text* uses throughout, `MIXED` where it uses several."""
    pairs = text.count("\r\n")
    kinds = {
        "\r\n": pairs,
        "\r": text.count("\r") - pairs,
        "\n": text.count("\n") - pairs,
    }
    used = [newline for newline, count in kinds.items() if count]
    return MIXED if len(used) > 1 else used[0] if used else "\n"


def _encoding_hint(data: bytes) -> str:
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "it looks like UTF-32: save the file as UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"-\0-\0-\0", b"\0-\0-\0-")):
        return "it looks like UTF-16: save the file as UTF-8"
    if b"\x00" in data:
        return "it looks like a binary file: write the issue in a text editor, saved as UTF-8"
    return "it looks like Windows-1252 or Latin-1: save the file as UTF-8"


def parse_bytes(data: bytes, path: Path) -> Document:
    """Parse the bytes of an issue file; *path* is kept for the places."""
    if len(data) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES:,} bytes"
        hint = "an issue is five short items: move pictures and attachments out of the text"
        fault = Fault(TOO_LARGE, Span(0, 0), message, hint, fatal=True)
        return Document(source=Source(path, ""), faults=(fault,))
    source, faults = decode(data, path)
    if faults:
        return Document(source=source, faults=tuple(faults))
    return parse(source)


def parse(source: Source) -> Document:
    """Parse *source*; the same text gives the same document."""
    if not source.text.strip():
        hint = "newsletter new lays out an issue to fill in"
        fault = Fault(EMPTY, Span(0, 0), "the file is empty", hint, fatal=True)
        return Document(source=source, faults=(fault,))
    headlines = [match.start() for match in _HEADLINE.finditer(source.text)]
    if len(headlines) > MOST_HEADLINES:
        message = f"{len(headlines):,} headlines, expected 5; nothing else was checked"
        at = headlines[MOST_HEADLINES]
        fault = Fault(ITEM_COUNT, Span(at, at + 2), message, "is it the right file?", fatal=True)
        return Document(source=source, faults=(fault,))
    front = frontmatter.read(source.text)
    if any(fault.fatal for fault in front.faults):
        return Document(source=source, front_span=front.span, faults=tuple(front.faults))
    body, comments = read_body(source.text, front.body)
    reader = _Reader(source, body)
    reader.read()
    waivers, waiver_faults = _waivers(source, comments, reader.items)
    return Document(
        source=source,
        front=front.entries,
        front_span=front.span,
        picture=reader.picture,
        items=tuple(reader.items),
        blocks=tuple(reader.blocks),
        waivers=tuple(waivers),
        faults=(*front.faults, *waiver_faults),
    )


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # `html` is on so that raw HTML is recognised and refused; nothing is rendered from it.
    # `text_join` is off so that entities and escapes keep their own token, hence their place.
    # Reference links and setext headings would hide text from an editor who did not mean them.
    markdown = MarkdownIt("commonmark", {"html": True})
    markdown.disable(["text_join", "reference", "lheading"])
    # A javascript: link must become a link here, or no rule would see it.
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]
    return markdown


class _Reader:
    """One walk over the block tokens."""

    def __init__(self, source: Source, body: Body) -> None:
        self.source = source
        self.body = body
        self.tokens: Sequence[Token] = _markdown().parse(body.text)
        self.picture: Picture | None = None
        self.items: list[DraftItem] = []
        self.blocks: list[Block] = []
        self._item: _ItemBuilder | None = None

    def read(self) -> None:
        index = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            if token.type == "heading_open" and token.tag == "h2":
                self._close_item(self._span(token).start)
                self._item = _ItemBuilder(
                    read_inline(self.tokens[index + 1], self.body, heading=True), self._span(token)
                )
            elif token.type == "paragraph_open":
                self._paragraph(self.tokens[index + 1])
            else:
                self._stray(Block(_KINDS.get(token.type, "text"), self._span(token)))
            index = self._skip(index)
        self._close_item(len(self.source.text.rstrip()))

    def _skip(self, index: int) -> int:
        """Index behind the block that opens at *index*."""
        if self.tokens[index].nesting != 1:
            return index + 1
        depth = 0
        while index < len(self.tokens):
            depth += self.tokens[index].nesting
            index += 1
            if depth == 0:
                break
        return index

    def _span(self, token: Token) -> Span:
        start, end = self.body.lines(*(token.map or (0, 1)))
        text = self.body.text[start:end]
        start += len(text) - len(text.lstrip(" \t\n"))
        return self.body.span(min(start, end), start + len(text.strip(" \t\n")))

    def _stray(self, block: Block) -> None:
        (self.blocks if self._item is None else self._item.blocks).append(block)

    def _close_item(self, end: int) -> None:
        if self._item is not None:
            self.items.append(self._item.build(end))
        self._item = None

    def _paragraph(self, token: Token) -> None:
        inline = read_inline(token, self.body)
        for found in inline.blocks:
            self._stray(found)
        if inline.pictures:
            self._picture(inline)
        elif self._item is not None:
            self._item.add(inline, self._span(token))
        elif self._is_credit(inline):
            self._credit(inline, inline.prose.whole)
        elif inline.prose:
            self._stray(Block("text", self._span(token)))

    def _picture(self, inline: InlineText) -> None:
        first, *more = inline.pictures
        if self._item is not None or self.picture is not None:
            more = inline.pictures
        else:
            self.picture = first
            if inline.prose:
                self._credit(inline, inline.prose.whole)
        for extra in more:
            self._stray(Block("picture", extra.span))

    def _is_credit(self, inline: InlineText) -> bool:
        if self.picture is None or self.picture.credit is not None or self.blocks:
            return False
        return _label(_CREDIT, inline.prose.text) != ""

    def _credit(self, inline: InlineText, span: Span) -> None:
        assert self.picture is not None
        label = _label(_CREDIT, inline.prose.text)
        picture = self.picture
        self.picture = Picture(
            picture.file,
            picture.alt,
            picture.span,
            picture.file_span,
            inline.without(len(label)),
            label.strip(),
            span,
        )


def _label(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.match(text)
    return match[0] if match is not None else ""


class _ItemBuilder:
    def __init__(self, headline: InlineText, span: Span) -> None:
        self.headline = headline
        self.span = span
        self.paragraphs: list[Paragraph] = []
        self.blocks: list[Block] = list(headline.blocks)
        self.blocks += [Block("picture", picture.span) for picture in headline.pictures]
        self.sources: Paragraph | None = None
        self.sources_label = ""

    def add(self, inline: InlineText, span: Span) -> None:
        """Take a paragraph; a line that begins with “Sources:” ends the bullet."""
        cut = next(
            (at for at in (0, *inline.line_breaks) if _label(_SOURCES, inline.prose.text[at:])),
            None,
        )
        if cut is None or self.sources is not None:
            self._paragraph(inline.prose, span)
            return
        if cut > 0:
            before = inline.before(cut)
            self._paragraph(before, Span(span.start, before.whole.end))
        label = _label(_SOURCES, inline.prose.text[cut:])
        self.sources_label = label.strip()
        start = inline.prose.source_offset(cut)
        self.sources = Paragraph(inline.without(cut + len(label)), Span(start, span.end))

    def _paragraph(self, prose: Prose, span: Span) -> None:
        if prose:
            self.paragraphs.append(Paragraph(prose, span))

    def build(self, end: int) -> DraftItem:
        return DraftItem(
            headline=self.headline.prose,
            headline_span=self.span,
            paragraphs=tuple(self.paragraphs),
            sources=self.sources,
            sources_label=self.sources_label,
            blocks=tuple(self.blocks),
            span=Span(self.span.start, max(self.span.end, end)),
        )


def _waivers(
    source: Source, comments: Sequence[Comment], items: Sequence[DraftItem]
) -> tuple[list[Waiver], list[Fault]]:
    waivers: list[Waiver] = []
    faults: list[Fault] = []
    for comment in comments:
        directive = _WAIVER.fullmatch(comment.text)
        if directive is None:
            continue  # an editor's own remark: never printed
        allow = _ALLOW.fullmatch(directive[1])
        if allow is None or allow[2] is None:
            what = "gives no reason" if allow is not None else "cannot be read"
            hint = "write it as <!-- newsletter: allow NL203 the quotation needs it -->"
            faults.append(Fault(WAIVER_FORM, comment.span, f"this waiver {what}", hint))
            continue
        codes = tuple(code.strip() for code in allow[1].split(","))
        waivers.append(Waiver(codes, allow[2], comment.span, _scope(source, comment.span, items)))
    return waivers, faults


def _scope(source: Source, span: Span, items: Sequence[DraftItem]) -> Span:
    """The item that the comment stands in, or right above; else the whole file."""
    index = bisect_right([item.span.start for item in items], span.start)
    if index < len(items):
        between = source.text[span.end : items[index].span.start]
        if not between.strip() and between.count("\n") == 1:
            return items[index].span
    return items[index - 1].span if index else Span(0, len(source.text) + 1)
