"""NL210 swapped-bullets: Bullets stand under each other’s headlines.

Compares the words of every headline with those of every bullet. Where bullets fit
better after changing places, two paragraphs were probably swapped while editing.

    wrong: ## Ambassador arrives in Tokyo
           The company will pay $2 billion for the new medicine …
    right: ## Ambassador arrives in Tokyo
           The new ambassador arrived in Tokyo on Monday …
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import content_stems
from newsletter.issue.rules import Context, Finding

CODE = "NL210"
SEVERITY = Severity.WARNING

_MOST_PERMUTED = 6  # items; more are compared in pairs
_MOST = 20  # items; a file with more is no issue, and the comparison grows with the square
_MARGIN = 1.0  # less than one telling word: log(5) is 1.6


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding for each ring of bullets that should change places."""
    items = [item for item in document.items if item.headline and item.bullet]
    if not 2 <= len(items) <= _MOST:
        return
    likeness = _likeness(
        [content_stems(item.headline.text) for item in items],
        [content_stems(item.bullet.text) for item in items],
    )
    for ring in _rings(likeness):
        first = items[ring[0]]
        places = " and ".join(str(document.items.index(items[index]) + 1) for index in sorted(ring))
        better = items[ring[1]].bullet.text
        message = f"the bullets of items {places} seem to have changed places"
        hint = f"under this headline belongs the bullet “{_opening(better)}”"
        yield Finding(first.headline.whole, message, hint)


def _opening(text: str) -> str:
    return " ".join(text[:200].split()[:7]) + " …"


def _likeness(
    headlines: Sequence[frozenset[str]], bullets: Sequence[frozenset[str]]
) -> list[list[float]]:
    """How much of each headline (row) each bullet (column) says; common words count for less."""
    spread = Counter(stem for bullet in bullets for stem in bullet)
    weight = {stem: math.log(len(bullets) / count) for stem, count in spread.items()}
    return [
        [math.fsum(weight[stem] for stem in headline & bullet) for bullet in bullets]
        for headline in headlines
    ]


def _rings(likeness: list[list[float]]) -> Iterator[tuple[int, ...]]:
    """Index rings (a, b, …): headline a goes with bullet b, and so on round."""
    size = len(likeness)
    if size > _MOST_PERMUTED:
        yield from _pairs(likeness)
        return
    best = max(
        permutations(range(size)),
        key=lambda order: math.fsum(likeness[row][column] for row, column in enumerate(order)),
    )
    seen: set[int] = set()
    for start in range(size):
        ring = []
        at = start
        while at not in seen:
            seen.add(at)
            ring.append(at)
            at = best[at]
        if len(ring) > 1 and _gain(likeness, ring) >= _MARGIN:
            yield tuple(ring)


def _pairs(likeness: list[list[float]]) -> Iterator[tuple[int, ...]]:
    taken: set[int] = set()
    for pair in combinations(range(len(likeness)), 2):
        if not taken.intersection(pair) and _gain(likeness, pair) >= _MARGIN:
            taken.update(pair)
            yield pair


def _gain(likeness: list[list[float]], ring: Sequence[int]) -> float:
    following = (*ring[1:], ring[0])
    return math.fsum(
        likeness[row][column] - likeness[row][row]
        for row, column in zip(ring, following, strict=True)
    )
