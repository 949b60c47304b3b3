"""What the style and vocabulary rules share: headlines and bullets in reading order, and the
choice of the odd form where an issue uses two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from newsletter.issue.document import Document
from newsletter.issue.prose import Prose
from newsletter.issue.source import Span


@dataclass(frozen=True, slots=True)
class Passage:
    """A headline or bullet; *item* counts from 0."""

    item: int
    is_headline: bool
    prose: Prose

    @property
    def text(self) -> str:
        return self.prose.text


def headlines(document: Document) -> Iterator[Passage]:
    for index, item in enumerate(document.items):
        if item.headline:
            yield Passage(index, True, item.headline)


def bullets(document: Document) -> Iterator[Passage]:
    for index, item in enumerate(document.items):
        if item.bullet:
            yield Passage(index, False, item.bullet)


def passages(document: Document) -> Iterator[Passage]:
    """Every headline, then every bullet: the order in which they are printed."""
    yield from headlines(document)
    yield from bullets(document)


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a thing that can be written in several forms is written in *form*."""

    form: str
    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]

    @property
    def span(self) -> Span:
        return self.passage.prose.span(self.start, self.end)


def odd_forms(uses: Iterable[Use]) -> Iterator[tuple[Use, Use]]:
    """Yield, for every form but the usual one, its first use and the first use of the usual form.

    The usual form is the most frequent; among equals, the one used first.
    """
    first: dict[str, Use] = {}
    counts: Counter[str] = Counter()
    for use in uses:
        first.setdefault(use.form, use)
        counts[use.form] += 1
    if len(first) < 2:
        return
    usual = max(first, key=lambda form: counts[form])  # max keeps the first of equals
    for form, use in first.items():
        if form != usual:
            yield use, first[usual]
