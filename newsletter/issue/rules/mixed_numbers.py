"""NL308 mixed-numbers: Numbers of one kind are partly spelled out, partly in figures.

Most styles write small numbers in words and large ones in figures. “4-day” beside
“forty” does the opposite, and “3 days” beside “four days” follows no rule.

    wrong: a 4-day workshop … nearly forty specialists
    right: a four-day workshop … nearly 40 specialists

Looks at numbers of days, countries, people and the like, in bullets; money,
percentages, dates, ages and measures keep their figures. “Three-way” and the like are
never written in figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import words
from newsletter.issue.numerals import SMALL, TENS, Number, numbers
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, Use, bullets

CODE = "NL308"
SEVERITY = Severity.WARNING

_COUNTED = frozenset(
    "day days week weeks month months year years hour hours minute minutes nation nations country "
    "countries member members person people ministers officials leaders companies lawmakers "
    "senators ships vessels aircraft jets missiles bases sites students troops universities states "
    "groups talks rounds".split()
)
_LARGE = 10  # and more is written in figures
_NO_COUNT_BEHIND = re.compile(  # “Type 3 missiles”, “Group of 7”, “one in 6 students”
    r"(?:[\w,]\s[A-Z][a-z]+\s|\b[Gg]roup of\s"
    r"|(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine))\s(?:in|out of)\s)$"
)
_SIGNS = tuple("$¥€£-–+/")
_HINT = "write numbers below ten in words, larger ones in figures"


@dataclass
class _First:
    """The first use of each kind."""

    small_in_figures: Use | None = None
    small_in_words: Use | None = None
    large_in_words: Use | None = None


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding at most: the first small number in figures, with what it stands beside."""
    first = _First()
    for passage in bullets(document):
        starts = {word.start: word.lower for word in words(passage.text)}
        for number in numbers(passage.text):
            if not number.ordinal and number.value == number.bare:  # no magnitude, and not “2+2”
                _note(first, passage, number, counts=_counts(passage.text, number, starts))
    figures, beside = first.small_in_figures, first.large_in_words or first.small_in_words
    if figures is not None and beside is not None:
        message = f"“{figures.text}” in figures beside “{beside.text}” in words"
        yield Finding(figures.span, message, _HINT)


def _note(first: _First, passage: Passage, number: Number, *, counts: bool) -> None:
    small = number.value < _LARGE
    use = Use("", passage, number.start, number.end)
    if number.in_figures:
        if small and counts and number.value.is_integer() and first.small_in_figures is None:
            first.small_in_figures = use
    elif not _begins_sentence(passage.text, number):
        if not small and _is_plain(number.text):
            first.large_in_words = first.large_in_words or use
        elif small and counts and number.value > 1:
            first.small_in_words = first.small_in_words or use


def _counts(text: str, number: Number, starts: dict[int, str]) -> bool:
    """True where the number counts days, countries, people: “4-day”, “4 days”; not “4-year-old”."""
    if text[number.end : number.end + 1] not in (" ", "-", "‑", "\N{NO-BREAK SPACE}"):
        return False
    if text[max(0, number.start - 1) : number.start] in _SIGNS:
        return False
    if _NO_COUNT_BEHIND.search(text, max(0, number.start - 20), number.start):
        return False
    at = number.end + 1
    age = at + len(starts.get(at, ""))
    if text[age + 1 : age + 4] == "old":
        return False
    following = age + 1 if text[age : age + 1] == " " else -1  # “8 other countries”
    return starts.get(at, "") in _COUNTED or starts.get(following, "") in _COUNTED


def _is_plain(text: str) -> bool:
    """“forty”, “twenty-one”; not a name (“Group of Twenty”)."""
    return all(part in SMALL or part in TENS for part in re.split(r"[-‑\s]", text))


def _begins_sentence(text: str, number: Number) -> bool:
    """A number that begins a sentence is always written in words."""
    before = text[max(0, number.start - 3) : number.start].rstrip('“"‘ ')
    return not before or before[-1] in ".!?…”"
