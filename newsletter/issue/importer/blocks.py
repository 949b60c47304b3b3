"""Blocks: what every reader makes of its source, and what the content is found in.

A block is one line of a page as a reader sees it: a heading, a list entry, a
paragraph. Knows nothing of headlines, furniture or issues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from newsletter.issue.prose import Prose, Run

_INVISIBLE = "\u200b\u2060\ufeff"  # copied along with text, never part of it at its ends
_SIGN = re.compile(
    "(?:[•·●▪▫■□◦‣⁃∙○►▶▸➢➤✓✔◆◇❖⦁\uf0b7\uf0a7\uf0d8]\\s*"  # the last three: Word's symbol fonts
    r"|[-–—*+→»§]\s+|o\s+(?=[A-Z“]))(?=\S)"
)
_COUNT = re.compile(r"(?P<number>[0-9]{1,2})[.)]\s+(?=\S)")
_FEWEST_COUNTED = 3


class Kind(StrEnum):
    HEADING = "heading"
    ENTRY = "entry"  # of a list, or a paragraph with a bullet sign
    TEXT = "text"
    CAPTION = "caption"  # under a picture


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands; lines (of a Word file: paragraphs) and columns from 1."""

    line: int = 1
    column: int = 1
    excerpt: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """*group* is the list it belongs to: entries of one list share the number."""

    kind: Kind
    prose: Prose
    place: Place
    group: int = 0

    @property
    def text(self) -> str:
        return self.prose.text

    @property
    def words(self) -> int:
        return len(self.text.split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A picture of the source: its bytes, or the address that names it."""

    place: Place
    address: str = ""
    data: bytes | None = None
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader itself has to say: a code of the house rules, and where."""

    code: str
    place: Place
    message: str
    hint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """A source as blocks in reading order.

    *stated* holds what the source says outright: `issue` and `date` of a page's
    metadata, and every other front-matter key; each with its place.
    """

    blocks: tuple[Block, ...] = ()
    images: tuple[Image, ...] = ()
    notes: tuple[Note, ...] = ()
    titles: tuple[tuple[str, Place], ...] = ()
    stated: Mapping[str, tuple[str, Place]] = field(default_factory=dict)


def entry_or(kind: Kind, prose: Prose) -> tuple[Kind, Prose]:
    """Take outer white space and one leading bullet sign off; a sign makes it an entry."""
    prose = trimmed(prose)
    sign = _SIGN.match(prose.text)
    if sign is None:
        return kind, prose
    return Kind.ENTRY, trimmed(cut(prose, sign.end()))


def has_sign(text: str) -> bool:
    return _SIGN.match(text.strip().strip(_INVISIBLE).lstrip()) is not None


def uncounted(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Take typed list numbers off, where at least three blocks count 1, 2, 3.

    What stands between them does not count: “1. Headline”, its text, “2. Headline”.
    """
    result = list(blocks)
    runs: list[list[tuple[int, int]]] = []  # index of the block, length of its number
    for index, block in enumerate(blocks):
        match = _COUNT.match(block.text)
        if match is None:
            continue
        number = int(match["number"])
        if number == 1:
            runs.append([])
        if runs and number == len(runs[-1]) + 1:
            runs[-1].append((index, match.end()))
    for run in runs:
        if len(run) < _FEWEST_COUNTED:
            continue
        first, last = run[0][0], run[-1][0]
        is_list = last - first + 1 == len(run)
        for index, length in run:
            block = result[index]
            result[index] = replace(
                block,
                kind=Kind.ENTRY if is_list else block.kind,
                prose=cut(block.prose, length),
                group=-first - 1 if is_list else block.group,
            )
    return tuple(result)


def trimmed(prose: Prose) -> Prose:
    """*prose* without outer white space, whatever kind of it."""
    text = prose.text
    start = next((at for at, char in enumerate(text) if not _blank(char)), len(text))
    end = next((at for at in range(len(text), start, -1) if not _blank(text[at - 1])), start)
    return cut(prose, start, end)


def _blank(char: str) -> bool:
    return char.isspace() or char in _INVISIBLE


def cut(prose: Prose, start: int, end: int | None = None) -> Prose:
    """The characters from *start* to *end* with their marks."""
    end = len(prose.text) if end is None else end
    runs, at = [], 0
    for run in prose.runs:
        runs.append(replace(run, text=run.text[max(0, start - at) : max(0, end - at)]))
        at += len(run.text)
    return Prose.of(runs)


def lines_of(prose: Prose) -> list[Prose]:
    """*prose* split at its line ends, each line trimmed, empty ones left out."""
    lines: list[list[Run]] = [[]]
    for run in prose.runs:
        first, *others = run.text.split("\n")
        lines[-1].append(replace(run, text=first))
        lines += [[replace(run, text=part)] for part in others]
    found = (trimmed(Prose.of(line)) for line in lines)
    return [line for line in found if line]


def is_strong(prose: Prose) -> bool:
    return bool(prose) and all(run.strong or not run.text.strip() for run in prose.runs)


def without_strong(prose: Prose) -> Prose:
    return Prose.of(replace(run, strong=False) for run in prose.runs)


def tidy_marks(runs: Iterable[Run]) -> Prose:
    """White space between marks belongs to none: editors mark one blank too many.

    A blank inside a link, or between runs with the same marks, keeps them.
    """
    tidy: list[Run] = []
    for run in runs:
        if not (run.strong or run.emphasis) or run.href is not None:
            tidy.append(run)
            continue
        core = run.text.strip(" \xa0\n")
        start = run.text.find(core) if core else len(run.text)
        plain = replace(run, strong=False, emphasis=False)
        tidy.append(replace(plain, text=run.text[:start]))
        tidy.append(replace(run, text=core))
        tidy.append(replace(plain, text=run.text[start + len(core) :]))
    return Prose.of(_rejoined(Prose.of(tidy).runs))


def _rejoined(runs: tuple[Run, ...]) -> list[Run]:
    """Give a blank between two runs of the same marks those marks."""
    joined = list(runs)
    for index in range(1, len(joined) - 1):
        before, run, after = joined[index - 1 : index + 2]
        if not run.text.strip() and before.same_marks(after) and run.href is None:
            joined[index] = replace(before, text=run.text)
    return joined
