"""The text of one file, and where in it things are.

Positions travel as offsets (a `Span`) and become lines and columns only when
they are shown. Lines end at U+000A alone: the exotic separators that
`str.splitlines` also takes are content that a rule reports.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MIXED = "mixed"  # as `Source.newline`: lines end in more than one way


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of character offsets into a source text."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True)
class Source:
    """*text* has U+000A line ends whatever the file has; *newline* keeps what it had."""

    path: Path
    text: str
    newline: str = "\n"  # or `MIXED`
    bom: bool = False

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of *offset*, both from 1; the column counts characters."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """Text of line *number* (from 1) without its end; empty past the last line."""
        return self._lines[number - 1] if 1 <= number <= len(self._lines) else ""

    def line_span(self, number: int) -> Span:
        start = self.line_starts[min(number, len(self.line_starts)) - 1]
        return Span(start, start + len(self.line(number)))
