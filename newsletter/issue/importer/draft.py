"""Read a draft in Markdown: headlines as one list, their texts as a second one, or by turns.

Markdown decides what a character means, front matter what is stated. Refuses to
keep what an issue cannot hold: code loses its marks, raw HTML stays text; both are
noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from newsletter.issue import frontmatter
from newsletter.issue.importer.blocks import (
    Block,
    Image,
    Kind,
    Note,
    Page,
    Place,
    entry_or,
    has_sign,
    lines_of,
)
from newsletter.issue.importer.content import LEFT_OUT
from newsletter.issue.importer.links import ALTERED, resolved
from newsletter.issue.prose import Prose, Run

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

KEYS = ("issue", "date", "subject", "preheader", "note")


def read(text: str) -> Page:
    """Turn the blocks of a Markdown text into blocks. Never raises on content."""
    notes: list[Note] = []
    stated: dict[str, tuple[str, Place]] = {}
    body = 0
    if text.startswith("---"):
        front = frontmatter.read(text)
        body = front.body
        for fault in front.faults:
            notes.append(Note(LEFT_OUT, _place(text, fault.span.start), fault.message, fault.hint))
        for key, entry in front.entries.items():
            place = _place(text, entry.key_span.start)
            if key in KEYS:
                stated[key] = (entry.value.strip(), place)
            else:
                message = f"the front-matter line “{key}” was left out"
                notes.append(Note(LEFT_OUT, place, message, f"known are: {', '.join(KEYS)}"))
    reader = _Reader(text, text.count("\n", 0, body))
    reader.read(_markdown().parse(text[body:]))
    return Page(
        blocks=tuple(reader.blocks),
        images=tuple(reader.images),
        notes=(*notes, *reader.notes),
        stated=stated,
    )


def _place(text: str, offset: int) -> Place:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    excerpt = text[start:] if end < 0 else text[start:end]
    return Place(text.count("\n", 0, offset) + 1, offset - start + 1, excerpt)


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": True})
    markdown.validateLink = lambda url: True  # type: ignore[method-assign]  # judged in `links`
    return markdown


class _Reader:
    def __init__(self, text: str, first: int) -> None:
        self.lines = text.split("\n")
        self.first = first  # lines above the body
        self.blocks: list[Block] = []
        self.images: list[Image] = []
        self.notes: list[Note] = []
        self.group = 0

    def read(self, tokens: Sequence[Token]) -> None:
        lists: list[int] = []
        heading = False
        for token in tokens:
            if token.type in ("bullet_list_open", "ordered_list_open"):
                self.group += 1
                lists.append(self.group)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                lists.pop()
                self.group += 1
            elif token.type in ("heading_open", "heading_close"):
                heading = token.nesting > 0
                self.group += 1
            elif token.type == "inline":
                kind = Kind.HEADING if heading else Kind.ENTRY if lists else Kind.TEXT
                self._inline(token, kind, lists[-1] if lists else self.group)
            elif token.type in ("fence", "code_block", "html_block"):
                self._left_out(token)

    def _line(self, token: Token) -> int:
        return self.first + (token.map[0] if token.map else 0) + 1

    def _excerpt(self, line: int) -> str:
        return self.lines[min(line, len(self.lines)) - 1]

    def _inline(self, token: Token, kind: Kind, group: int) -> None:
        line = self._line(token)
        prose = Prose.of(self._runs(token.children or [], line))
        parts = lines_of(prose)
        # Only a bullet sign makes a line of its own: else Markdown joins the lines.
        if not any(has_sign(part.text) for part in parts[:1]):
            joined = Prose.of(
                Run(run.text.replace("\n", " "), run.strong, run.emphasis, run.href)
                for run in prose.runs
            )
            parts = [joined]
        for number, part in enumerate(parts):
            its_kind, content = entry_or(kind, part)
            if content:
                excerpt = self._excerpt(line + number)
                column = max(0, excerpt.find(content.text[:20])) + 1
                place = Place(line + number, column, excerpt)
                self.blocks.append(Block(kind=its_kind, prose=content, place=place, group=group))

    def _runs(self, children: Sequence[Token], line: int) -> Iterator[Run]:
        strong = emphasis = 0
        href: str | None = None
        for child in children:
            match child.type:
                case "strong_open" | "strong_close":
                    strong += child.nesting
                case "em_open" | "em_close":
                    emphasis += child.nesting
                case "link_open":
                    href = self._address(str(child.attrs.get("href", "")), line)
                case "link_close":
                    href = None
                case "image":
                    self.images.append(
                        Image(
                            place=Place(line, 1, self._excerpt(line)),
                            address=str(child.attrs.get("src", "")),
                            alt=child.content.strip(),
                        )
                    )
                case "softbreak" | "hardbreak":
                    yield Run("\n", strong > 0, emphasis > 0, href)
                case "html_inline" if child.content.startswith("<!--"):
                    pass
                case kind:
                    if kind in ("html_inline", "code_inline"):
                        self._note_markup(child, line)
                    yield Run(child.content, strong > 0, emphasis > 0, href)

    def _address(self, href: str, line: int) -> str | None:
        address = resolved(href)
        if address is None:
            message = f"a link was dropped: it leads to “{href[:80]}”"
            hint = "write the full https:// address"
            self.notes.append(Note(ALTERED, Place(line, 1, self._excerpt(line)), message, hint))
        return address

    def _note_markup(self, child: Token, line: int) -> None:
        what = "code" if child.type == "code_inline" else "raw HTML"
        message = f"{what} became plain text: “{child.content[:60]}”"
        hint = "an issue holds emphasis, strong text and links"
        self.notes.append(Note(ALTERED, Place(line, 1, self._excerpt(line)), message, hint))

    def _left_out(self, token: Token) -> None:
        if token.type == "html_block" and token.content.lstrip().startswith("<!--"):
            return
        what = "raw HTML" if token.type == "html_block" else "a code block"
        line = self._line(token)
        message = f"{what} was left out: “{token.content.strip()[:60]}”"
        hint = "write it as plain text; four blanks before a line make code of it"
        self.notes.append(Note(LEFT_OUT, Place(line, 1, self._excerpt(line)), message, hint))
