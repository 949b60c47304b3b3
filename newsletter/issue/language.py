"""Words, sentences and stems of English news prose, for the rules.

Works on plain text and gives offsets into it. Never raises, takes time in
proportion to the text, and refuses to guess parts of speech: what cannot be
told from the letters alone is left to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Word(NamedTuple):
    """Letters and digits with inner apostrophes; a hyphen ends a word."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return fold(self.text).lower()

    @property
    def capitalized(self) -> bool:
        return self.text[0].isupper()


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@lru_cache(maxsize=64)
def words(text: str) -> tuple[Word, ...]:
    return tuple(Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text))


def word_count(text: str) -> int:
    """Count words as an editor does: what stands between spaces and holds a letter or digit."""
    return sum(1 for part in text.split() if any(char.isalnum() for char in part))


def fold(text: str) -> str:
    """Make apostrophes and hyphens plain; the length stays."""
    return text.replace("’", "'").replace("‑", "-").replace("\N{NO-BREAK SPACE}", " ")


def without_possessive(word: str) -> str:
    """*word* without ’s, and without the apostrophe of a plural possessive."""
    folded = fold(word)
    if folded.lower().endswith("'s"):
        return word[:-2]
    return word[:-1] if folded.endswith("'") else word


# ── sentences ───────────────────────────────────────────────────────────────

_BREAK = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+\s++")
_LAST = re.compile(r"[^\s(\[“‘\"'/—–]+$")
_OPENING = "“‘\"'([«—–"

_COUNTED_BY_LETTER = re.compile(  # “Block V.” and “World War I.” end in no initial of a name
    r"\b(?:block|article|phase|type|war|chapter|part|title|section|class|tier|plan|group|pillar)"
    r"\s$",
    re.IGNORECASE,
)
_BEFORE_A_NAME = frozenset(
    "mr mrs ms messrs dr prof amb gen lt col maj brig capt cmdr adm sgt pvt sen sens rep "
    "reps gov govs sec pres hon rev st ste mt ft supt det dep asst atty vs v".split()
)
_BEFORE_A_NUMBER = frozenset(
    "jan feb mar apr jun jul aug sept sep oct nov dec no nos vol art fig p pp sec ch "
    "approx ca c".split()
)
_INSIDE_A_NAME = frozenset(
    "inc corp co cos ltd jr sr bros dept univ assn ala ariz ark calif colo conn del fla "
    "ga ill ind kan ky la mass md mich minn miss mo mont neb nev okla ore pa penn tenn "
    "tex va vt wash wis wyo ph.d a.m p.m".split()
)
# A word that begins a sentence far more often than it goes on with a name after “U.S.”.
SENTENCE_OPENERS = frozenset(
    "a after also although an and as at both but by during each earlier for from he her "
    "his however if in it its later meanwhile more most on one our she since some such "
    "that the their then there these they this those though under until we what when "
    "where which while with yet".split()
)


@lru_cache(maxsize=64)
def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Start and end of every sentence of a paragraph, without the space between them.

    “Amb. Emanuel”, “Sept. 18”, “(R-Ind.)”, “J. Thomas” and “the U.S. Navy” do not end one.
    """
    found: list[tuple[int, int]] = []
    start = len(text) - len(text.lstrip())
    for match in _BREAK.finditer(text):
        if match.end() < len(text) and _ends_sentence(text, match):
            found.append((start, match.start() + len(match[0].rstrip())))
            start = match.end()
    end = len(text.rstrip())
    if start < end:
        found.append((start, end))
    return tuple(found)


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    following = text[match.end() : match.end() + 40].lstrip(_OPENING)
    if following[:1].islower():
        return False
    if not match[0].startswith(".") or match[0].startswith(".."):
        return True
    last = _LAST.search(text, max(0, match.start() - 24), match.start())
    if last is None:
        return True
    word = last[0].lower()
    initial = len(last[0]) == 1 and last[0].isupper()
    if initial and _COUNTED_BY_LETTER.search(text, max(0, last.start() - 16), last.start()):
        return True
    if match[0].rstrip() != ".":  # a quotation mark or bracket closes after it: “… in the U.S.” He
        return word not in _BEFORE_A_NAME
    if word in _BEFORE_A_NAME:
        return False
    if word in _BEFORE_A_NUMBER:
        return not following[:1].isdigit() and (word != "no" or not following[:1].isnumeric())
    state = word.rpartition("-")[2]  # “R-Ind.”
    initials = "." in word and all(len(part) <= 2 for part in word.split("."))
    if initial or initials or word in _INSIDE_A_NAME or state in _INSIDE_A_NAME:
        opener = _WORD.match(following)
        return opener is not None and opener[0].lower() in SENTENCE_OPENERS
    return True


def sentence_starts(text: str) -> frozenset[int]:
    """Offsets of the first word of each sentence, behind any opening quotation mark."""
    return frozenset(_sentence_starts(text))


def _sentence_starts(text: str) -> Iterator[int]:
    for start, end in sentences(text):
        first = _WORD.search(text, start, end)
        if first is not None:
            yield first.start()


# ── likeness ────────────────────────────────────────────────────────────────

FUNCTION_WORDS = frozenset(
    "a about above across after against all along also although among an and another any "
    "are around as at be because been before behind being below between both but by can "
    "could did do does down during each either ever every few for from had has have he "
    "her here him his how however i if in into is it its itself just later less many may "
    "me might more most much must my near neither no nor not now of off on once one only "
    "onto or other our out over own per same set shall she should since so some still "
    "such than that the their them then there these they this those through to too toward "
    "towards under until up upon us very via was we were what when where whether which "
    "while who whom whose why will with within without would yet you your".split()
)

_SUFFIXES = (
    ("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ese", ""),
    ("ians", "ia"), ("ian", "ia"), ("eans", "ea"), ("ean", "ea"), ("ing", ""), ("ied", "y"),
    ("ed", ""), ("es", ""), ("s", ""), ("ly", ""), ("e", ""),
)  # fmt: skip
_STEM_LENGTH = 7


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A rough stem, lower case: “announces”, “announced” → “announc”. For comparing only."""
    lower = without_possessive(fold(word)).lower()
    if len(lower) <= 3 or not lower.isalpha():
        return lower
    for suffix, ending in _SUFFIXES:
        if lower.endswith(suffix) and len(lower) - len(suffix) >= 3 and not lower.endswith("ss"):
            lower = lower[: len(lower) - len(suffix)] + ending
            break
    return lower[:_STEM_LENGTH]


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    return frozenset(
        stem(word.text) for word in words(text) if word.lower not in FUNCTION_WORDS and word.text
    )


def one_edit_apart(first: str, second: str) -> bool:
    """True at a Damerau–Levenshtein distance of exactly 1: one letter more, less or other, or
    two neighbours exchanged."""
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    at = 0
    shorter = min(len(first), len(second))
    while at < shorter and first[at] == second[at]:
        at += 1
    left, right = first[at:], second[at:]
    if len(left) == len(right):
        swapped = left[1::-1] + left[2:] == right and len(left) > 1
        return left[1:] == right[1:] or swapped
    return left[1:] == right if len(left) > len(right) else left == right[1:]
