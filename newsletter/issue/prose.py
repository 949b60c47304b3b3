"""Prose: a headline or a paragraph as runs of plain text with their few marks.

The model behind every output, so that e-mail, text, web page and PDF cannot
differ in what they say. Knows strong, emphasis and links, and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from newsletter.issue.source import Span

# "https://…", "a@example.org", "www.example.org", "example.org/…"
_ADDRESS = re.compile(r"\S*(?:://|@|\bwww\.|\w\.\w+/)\S*")


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that share their marks."""

    text: str
    strong: bool = False
    emphasis: bool = False
    href: str | None = None

    def same_marks(self, other: Run) -> bool:
        return (self.strong, self.emphasis, self.href) == (other.strong, other.emphasis, other.href)


@dataclass(frozen=True, slots=True)
class Anchor:
    """From plain offset *plain* on, text stands in the source from offset *source* on.

    *verbatim* is false where the source spells it differently (an entity, an escape)
    and takes *width* characters for it.
    """

    plain: int
    source: int
    verbatim: bool = True
    width: int = 1


@dataclass(frozen=True)
class Prose:
    """Neighbouring runs never share their marks, so equal prose compares equal."""

    runs: tuple[Run, ...] = ()
    anchors: tuple[Anchor, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, runs: Iterable[Run], anchors: Iterable[Anchor] = ()) -> Prose:
        """Merge runs with the same marks; drop empty ones."""
        merged: list[Run] = []
        for run in runs:
            if not run.text:
                continue
            if merged and merged[-1].same_marks(run):
                merged[-1] = replace(run, text=merged[-1].text + run.text)
            else:
                merged.append(run)
        return cls(tuple(merged), tuple(anchors))

    @classmethod
    def plain(cls, text: str) -> Prose:
        return cls.of([Run(text)])

    @cached_property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(run.href for run in self.runs if run.href is not None)

    @property
    def addresses(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each address that a link shows: a reader may copy it as it stands."""
        found, at = [], 0
        for href, runs in groupby(self.runs, lambda run: run.href):
            text = "".join(run.text for run in runs)
            if href is not None:
                found += [
                    (at + match.start(), at + match.end()) for match in _ADDRESS.finditer(text)
                ]
            at += len(text)
        return tuple(found)

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    @cached_property
    def _anchor_offsets(self) -> list[int]:
        return [anchor.plain for anchor in self.anchors]

    def _anchor_at(self, plain: int) -> Anchor:
        index = max(0, bisect_right(self._anchor_offsets, plain) - 1)
        return self.anchors[index] if self.anchors else Anchor(plain, 0)

    def source_offset(self, plain: int) -> int:
        """Where the character at *plain* stands in the source; 0 for prose that has none."""
        anchor = self._anchor_at(plain)
        return anchor.source + (plain - anchor.plain if anchor.verbatim else 0)

    def span(self, start: int, end: int) -> Span:
        """Source span of the plain characters *start* to *end*."""
        first = self.source_offset(start)
        if end <= start:
            return Span(first, first)
        last = self._anchor_at(end - 1)
        width = 1 if last.verbatim else last.width
        return Span(first, max(first, self.source_offset(end - 1) + width))

    @property
    def whole(self) -> Span:
        return self.span(0, len(self.text))
