"""Inline Markdown to Prose, with the place of every character.

markdown-it gives no columns for inline parts. Its tokens are pieces of the
source in order, so the reader walks along the source beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.issue.body import Body
from newsletter.issue.document import Block, Picture
from newsletter.issue.prose import Anchor, Prose, Run
from newsletter.issue.source import Span

if TYPE_CHECKING:
    from markdown_it.token import Token


@dataclass(slots=True)
class InlineText:
    """What one inline token holds."""

    prose: Prose
    pictures: list[Picture] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    line_breaks: list[int] = field(default_factory=list)  # plain offsets that begin a source line

    def without(self, count: int) -> Prose:
        """The prose without its first *count* characters."""
        return _slice(self.prose, count, len(self.prose.text))

    def before(self, end: int) -> Prose:
        return _slice(self.prose, 0, end)


def _slice(prose: Prose, start: int, end: int) -> Prose:
    text = prose.text[start:end]
    start += len(text) - len(text.lstrip(" "))
    end -= len(text) - len(text.rstrip(" "))
    runs, at = [], 0
    for run in prose.runs:
        runs.append(replace(run, text=run.text[max(0, start - at) : max(0, end - at)]))
        at += len(run.text)
    anchors = [
        Anchor(max(0, anchor.plain - start), prose.source_offset(max(start, anchor.plain)))
        if anchor.verbatim
        else replace(anchor, plain=max(0, anchor.plain - start))
        for index, anchor in enumerate(prose.anchors)
        if index + 1 == len(prose.anchors) or prose.anchors[index + 1].plain > start
    ]
    return Prose.of(runs, anchors)


def read_inline(token: Token, body: Body, *, heading: bool = False) -> InlineText:
    """Read the inline *token* of a paragraph or a heading, which markdown-it found in *body*."""
    return _InlineReader(token, body, _content_start(token, body, heading=heading)).read()


class _InlineReader:
    def __init__(self, token: Token, body: Body, start: int) -> None:
        self.content = token.content
        self.children: Sequence[Token] = token.children or []
        self.body = body
        self.start = start
        self.at = 0  # how far the content is read
        self.plain = 0
        self.runs: list[Run] = []
        self.anchors: list[Anchor] = []
        self.link_at = self.link_plain = 0
        self.found = InlineText(Prose())

    def read(self) -> InlineText:
        strong = emphasis = 0
        href: str | None = None
        for child in self.children:
            match child.type:
                case "strong_open" | "strong_close":
                    strong += child.nesting
                    self._step(child.markup)
                case "em_open" | "em_close":
                    emphasis += child.nesting
                    self._step(child.markup)
                case "link_open":
                    href = str(child.attrs.get("href", ""))
                    self.link_at, self.link_plain = self.at, self.plain
                    self._step("<" if child.markup == "autolink" else "[")
                case "link_close":
                    href = None
                    self._leave_link(child)
                case "image":
                    self._image(child)
                case "html_inline":
                    self._stray("raw HTML", child.content)
                case "code_inline":
                    self._code(Run(child.content, strong > 0, emphasis > 0, href), child.markup)
                case "softbreak" | "hardbreak":
                    self._line_break(Run(" ", strong > 0, emphasis > 0, href))
                case "text_special":
                    run = Run(child.content, strong > 0, emphasis > 0, href)
                    self._text(run, literal=child.markup)
                case _:
                    self._text(Run(child.content, strong > 0, emphasis > 0, href))
        text = "".join(run.text for run in self.runs)
        self.found.prose = _slice(Prose.of(self.runs, self.anchors), 0, len(text))
        return self.found

    def span(self, start: int, end: int) -> Span:
        """Source span of the content positions *start* to *end*."""
        return self.body.span(self.start + start, self.start + end)

    def _find(self, literal: str) -> int:
        at = self.content.find(literal, self.at)
        return at if at >= 0 else self.at

    def _step(self, markup: str) -> None:
        self.at = self._find(markup) + len(markup)

    def _text(self, run: Run, *, literal: str | None = None) -> None:
        if not run.text:
            return
        literal = run.text if literal is None else literal
        start = self._find(literal)
        found = self.content.startswith(literal, start)
        if not found:  # an autolink whose address is shown decoded
            end = self.content.find(">", start)
            literal = self.content[start : end if end >= 0 else start + 1]
        self._anchor(start, start + len(literal), verbatim=found and literal == run.text)
        self.runs.append(run)
        self.plain += len(run.text)
        self.at = start + len(literal)

    def _anchor(self, start: int, end: int, *, verbatim: bool) -> None:
        """Note where the plain text goes on: at the content positions *start* to *end*."""
        span = self.span(start, end)
        width = max(1, span.end - span.start)
        self.anchors.append(Anchor(self.plain, span.start, verbatim, 1 if verbatim else width))
        if verbatim:
            self.anchors += [
                Anchor(self.plain + cut - self.start - start, self.body.source_offset(cut))
                for cut in self.body.cuts(self.start + start, self.start + end)
            ]

    def _code(self, run: Run, markup: str) -> None:
        start = self._find(markup)
        end = self.content.find(markup, start + len(markup) + len(run.text)) + len(markup)
        self.found.blocks.append(Block("code", self.span(start, max(start, end))))
        self._anchor(start, max(start, end), verbatim=False)
        self.runs.append(run)
        self.plain += len(run.text)
        self.at = max(self.at, end)

    def _line_break(self, run: Run) -> None:
        at = self._find("\n")
        if self.plain:
            self._anchor(at, at + 1, verbatim=False)
            self.runs.append(run)
            self.plain += 1
        self.at = at + 1
        while self.content[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        self.found.line_breaks.append(self.plain)

    def _stray(self, kind: str, literal: str) -> None:
        start = self._find(literal)
        self.found.blocks.append(Block(kind, self.span(start, start + len(literal))))
        self.at = start + len(literal)

    def _leave_link(self, token: Token) -> None:
        """Step over `](destination "title")`, or the `>` of an autolink."""
        if token.markup == "autolink":
            self._step(">")
        else:
            self._step("](")
            self.at = _behind_destination(self.content, self.at)
        if self.plain == self.link_plain and not self.found.pictures:
            self.found.blocks.append(Block("link without text", self.span(self.link_at, self.at)))

    def _image(self, token: Token) -> None:
        start = self._find("![")
        file_at = self.content.find("](", start + 2 + len(token.content)) + 2
        file_at = max(file_at, start + 2)
        end = _behind_destination(self.content, file_at)
        self.at = end
        alt = "".join(
            " " if child.type in ("softbreak", "hardbreak") else child.content
            for child in token.children or []
        )
        # markdown-it percent-encodes the destination; here it is the name of a file.
        file = unquote(str(token.attrs.get("src", "")))
        self.found.pictures.append(
            Picture(file, alt, self.span(start, end), self.span(file_at, max(file_at, end - 1)))
        )


def _content_start(token: Token, body: Body, *, heading: bool) -> int:
    """Offset in *body* at which the token's content begins: markdown-it trims both its ends."""
    start, end = body.lines(*(token.map or (0, 1)))
    if heading:
        marker = re.match(r" {0,3}#{1,6}", body.text[start:end])
        start += marker.end() if marker is not None else 0
    found = body.text.find(token.content, start, end)
    return found if found >= 0 else start


def _behind_destination(text: str, at: int) -> int:
    """Index behind the `)` that closes a link destination which begins at *at*."""
    if text[at : at + 1] == "<":
        at = _behind(text, at + 1, ">")
    depth, quote = 1, ""
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and text[at - 1].isspace():
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(text)


def _behind(text: str, at: int, closing: str) -> int:
    while at < len(text) and text[at] != closing:
        at += 2 if text[at] == "\\" else 1
    return at + 1
