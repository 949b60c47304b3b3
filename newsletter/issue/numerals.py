"""Numbers in English prose, in figures and in words, with their values.

“10th” and “tenth”, “2,500” and “2500”, “$5.5 billion” and “5,500 million” come
out alike. Names such as F-35, G7 and 5G are not numbers and are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from newsletter.issue.language import Word, words

SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen fifteen sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
        "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth "
        "nineteenth".split(),
        start=1,
    )
}
_ORDINALS |= {word.removesuffix("y") + "ieth": value for word, value in TENS.items()}
_MAGNITUDES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
    "mn": 1e6, "bn": 1e9, "tn": 1e12,
}  # fmt: skip
_FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 0.125}

_FIGURES = re.compile(
    r"(?<![^\W\d_])(?<![^\W\d_][-‑])(?<!\d)(?<!\d[.,])"
    r"(?:(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?+(?!\d)|\d++(?:\.\d++)?+)(?P<part>[½¼¾⅓⅔⅛])?"
    r"|(?P<fraction>[½¼¾⅓⅔⅛]))"
    r"(?P<plus>(?:\+\d{1,3}){1,3})?"
    r"(?P<ordinal>(?:st|nd|rd|th)(?![^\W_]))?"
)
_AFTER = re.compile(r"[-‑\s]?(hundred|thousand|million|billion|trillion|mn|bn|tn)\b", re.I)
_NAME_GOES_ON = re.compile(r"(?!(?:km|m|kg|mph|s|bn|mn|tn|pm|am)\b)[^\W\d_]")


class Number(NamedTuple):
    """*value* counts the magnitude word, *bare* does not: 5.5e9 and 5.5 for “5.5 billion”."""

    text: str
    start: int
    end: int
    value: float
    bare: float
    in_figures: bool
    ordinal: bool


@lru_cache(maxsize=64)
def numbers(text: str) -> tuple[Number, ...]:
    """Every number of *text*, in order. A “2+2” has no value but its text (value is NaN)."""
    found = [*_in_figures(text), *_in_words(text)]
    return tuple(sorted(found, key=lambda number: number.start))


def _in_figures(text: str) -> Iterator[Number]:
    for match in _FIGURES.finditer(text):
        end = match.end()
        if _NAME_GOES_ON.match(text, end):
            continue
        if match["plus"]:
            yield Number(match[0], match.start(), end, float("nan"), float("nan"), True, False)
            continue
        digits = (match["digits"] or "0").replace(",", "")
        bare = float(digits[:40]) + _FRACTIONS.get(match["part"] or match["fraction"] or "", 0.0)
        value = bare
        magnitude = _AFTER.match(text, end)
        if magnitude:
            value *= _MAGNITUDES[magnitude[1].lower()]
            end = magnitude.end()
        shown = text[match.start() : end]
        yield Number(shown, match.start(), end, value, bare, True, bool(match["ordinal"]))


def _in_words(text: str) -> Iterator[Number]:
    found = words(text)
    index = 0
    while index < len(found):
        first = found[index]
        value = _word_value(first)
        if value is None:
            index += 1
            continue
        last = first
        index += 1
        following = found[index] if index < len(found) else None
        if first.lower in TENS and following and _joined(text, last, following):
            unit = _word_value(following)
            if unit is not None and 0 < unit < 10:
                value += unit
                last = following
                index += 1
        ordinal = last.lower in _ORDINALS
        bare = value
        while index < len(found) and _joined(text, last, found[index]):
            magnitude = _MAGNITUDES.get(found[index].lower)
            if magnitude is None:
                break
            value *= magnitude
            last = found[index]
            index += 1
        shown = text[first.start : last.end]
        yield Number(shown, first.start, last.end, value, bare, False, ordinal)


def _word_value(word: Word) -> float | None:
    lower = word.lower
    for table in (SMALL, TENS, _ORDINALS):
        if lower in table:
            return float(table[lower])
    return None


def _joined(text: str, first: Word, second: Word) -> bool:
    return text[first.end : second.start] in ("-", "‑", " ", "\N{NO-BREAK SPACE}")
