"""NL208 repeated-words: The same words stand twice in a row.

Left behind by cutting and pasting: a word, or a phrase of up to five words, is
followed at once by itself.

    wrong: She then met with met with the mayor.
    right: She then met with the mayor.

“Had had” and “that that” can be right and are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import Word, words
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import passages

CODE = "NL208"
SEVERITY = Severity.WARNING

_LONGEST = 5
_RIGHT_TWICE = frozenset(
    "had that very many so no bye ha hear knock there now pago bora walla baden sing".split()
)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Find the longest repetition at each place; the span covers the second one."""
    for passage in passages(document):
        found = words(passage.text)
        keys = [word.lower for word in found]
        index = 0
        while index < len(found):
            length = _repeated(passage.text, found, keys, index)
            if length == 0:
                index += 1
                continue
            first, last = found[index + length], found[index + 2 * length - 1]
            shown = passage.text[first.start : last.end]
            span = passage.prose.span(first.start, last.end)
            yield Finding(span, f"“{shown}” stands twice in a row", "take one out")
            index += length


def _repeated(text: str, found: tuple[Word, ...], keys: list[str], at: int) -> int:
    for length in range(min(_LONGEST, (len(found) - at) // 2), 0, -1):
        phrase = keys[at : at + length]
        if phrase != keys[at + length : at + 2 * length]:
            continue
        if length == 1 and (phrase[0] in _RIGHT_TWICE or not phrase[0].isalpha()):
            continue
        if _in_one_breath(text, found[at : at + 2 * length]):
            return length
    return 0


def _in_one_breath(text: str, found: tuple[Word, ...]) -> bool:
    """Only spaces and hyphens between the words: “step by step, by hand” is no repetition."""
    gaps = [text[left.end : right.start] for left, right in pairwise(found)]
    middle = gaps[len(found) // 2 - 1]
    around = text[found[0].start - 1 : found[0].start] + text[found[-1].end : found[-1].end + 1]
    if "-" in around or "‑" in around:  # “US-Japan Japan-US”
        return False
    return middle.isspace() and all(gap.isspace() or gap in ("-", "‑") for gap in gaps)
