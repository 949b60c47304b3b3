"""NL211 repeated-headline: A headline was used in an earlier issue.

Compares with every earlier issue of the workspace. The same headline again is
most often a copied folder; nearly the same one makes readers think so. A series
whose number moves on (“13th dialogue”, “14th dialogue”) is not a repeat.

    wrong: ## Cabinet picks envoy for Washington      (also in Vol 2.18)
    right: ## New envoy presents credentials in Washington
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import content_stems, fold
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Context, Finding, Neighbour
from newsletter.issue.rules._passages import headlines

CODE = "NL211"
SEVERITY = Severity.WARNING

_NEAR = 0.8  # share of the words that two headlines have in common
_MOST = 20  # headlines of one file that are compared
_FEWEST = 4  # words that tell; with fewer, likeness means little


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding per headline, naming the latest issue that has it."""
    if not document.items:
        return
    number = _number(document)
    earlier = [
        (text, neighbour)
        for neighbour in reversed(context.neighbours)
        if _is_earlier(neighbour, number)
        for text in neighbour.headlines[:_MOST]
    ]
    for passage in islice(headlines(document), _MOST):
        for text, neighbour in earlier:
            how = _repeats(passage.text, text)
            if how is not None:
                where = f"Vol {neighbour.number}" if neighbour.number else neighbour.folder
                message = f"{how} headline as in {where}"
                yield Finding(passage.prose.whole, message, f"there it was: “{text}”")
                break


def _number(document: Document) -> IssueNumber | None:
    try:
        return IssueNumber.parse((document.value("issue") or "").strip())
    except ValueError:
        return None


def _is_earlier(neighbour: Neighbour, number: IssueNumber | None) -> bool:
    return number is None or neighbour.number is None or neighbour.number < number


def _repeats(headline: str, other: str) -> str | None:
    plain, stems, figures = _features(headline)
    other_plain, other_stems, other_figures = _features(other)
    if plain and plain == other_plain:
        return "the same"
    if figures != other_figures or min(len(stems), len(other_stems)) < _FEWEST:
        return None
    common = len(stems & other_stems)
    return "nearly the same" if common >= _NEAR * len(stems | other_stems) else None


@lru_cache(maxsize=4096)
def _features(headline: str) -> tuple[str, frozenset[str], frozenset[str]]:
    text = fold(headline)
    plain = " ".join(re.findall(r"\w+", text.casefold()))
    return plain, content_stems(text), frozenset(re.findall(r"\d+", text))
