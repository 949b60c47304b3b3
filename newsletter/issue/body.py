"""The Markdown of an issue file: front matter blanked, comments cut out, every place kept.

Comments are an editor's own; they must neither be printed nor split a
paragraph. Line ends inside them stay, so lines count the same as in the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

from newsletter.issue.source import Span


@dataclass(frozen=True, slots=True)
class Comment:
    """`<!-- text -->`; *span* counts in the source."""

    text: str
    span: Span


@dataclass(frozen=True)
class Body:
    """From `text_starts[i]` on, *text* stands in the source from `source_starts[i]` on."""

    text: str
    text_starts: tuple[int, ...]
    source_starts: tuple[int, ...]

    def source_offset(self, at: int) -> int:
        piece = bisect_right(self.text_starts, at) - 1
        return self.source_starts[piece] + at - self.text_starts[piece]

    def span(self, start: int, end: int) -> Span:
        """Source span of the characters *start* to *end*."""
        first = self.source_offset(start)
        return Span(first, self.source_offset(end - 1) + 1 if end > start else first)

    def cuts(self, start: int, end: int) -> tuple[int, ...]:
        """Offsets between *start* and *end*, both exclusive, where a comment was cut out."""
        first = bisect_right(self.text_starts, start)
        return self.text_starts[first : bisect_left(self.text_starts, end)]

    @cached_property
    def line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def lines(self, first: int, behind: int) -> tuple[int, int]:
        """Start and end offset of the lines *first* to *behind* (from 0, the latter exclusive)."""
        last = min(max(first + 1, behind), len(self.line_starts))
        start = self.line_starts[min(first, len(self.line_starts) - 1)]
        end = len(self.text) if last == len(self.line_starts) else self.line_starts[last] - 1
        return start, max(start, end)


def read_body(text: str, start: int) -> tuple[Body, list[Comment]]:
    """Split *text*, whose front matter ends at *start*, into Markdown and comments."""
    comments = list(_comments(text, start))
    pieces = [(0, re.sub(r"[^\n]", " ", text[:start]))]
    at = start
    for comment in comments:
        pieces.append((at, text[at : comment.span.start]))
        pieces += [
            (comment.span.start + match.start(), "\n")
            for match in re.finditer("\n", text[comment.span.start : comment.span.end])
        ]
        at = comment.span.end
        before = next((piece[-1] for _, piece in reversed(pieces) if piece), "\n")
        if before in " \t\n":  # or the cut would leave a gap, or an indented code block
            at += len(text[at : at + 200]) - len(text[at : at + 200].lstrip(" \t"))
    pieces.append((at, text[at:]))
    return _joined(pieces), comments


def _comments(text: str, at: int) -> list[Comment]:
    found = []
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        at = start + 4
        if not _escaped(text, start):
            at = end + 3
            found.append(Comment(text[start + 4 : end], Span(start, at)))
    return found


def _escaped(text: str, at: int) -> bool:
    backslashes = 0
    while backslashes < at and text[at - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1


def _joined(pieces: list[tuple[int, str]]) -> Body:
    text_starts: list[int] = []
    source_starts: list[int] = []
    at = 0
    for source_start, piece in pieces:
        if piece or not text_starts:
            text_starts.append(at)
            source_starts.append(source_start)
        at += len(piece)
    # CommonMark §2.3: U+0000 reads as U+FFFD; a rule reports it.
    text = "".join(piece for _, piece in pieces).replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Body(text, tuple(text_starts), tuple(source_starts))
