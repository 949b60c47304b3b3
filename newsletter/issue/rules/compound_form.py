"""NL307 compound-form: A compound is written in two ways.

    wrong: vice-ministerial meeting … a vice ministerial
    wrong: drug makers … a drugmaker
    wrong: cyber-security … cybersecurity
    right: one of them, throughout

Hyphens that grammar asks for are left alone: “a high-level visit” and “at a high
level” are both right, and so are “long-delayed” and “was long delayed”.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import FUNCTION_WORDS, Word, words
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, Use, odd_forms, passages

CODE = "NL307"
SEVERITY = Severity.WARNING

# A compound with one of these is the same word with a hyphen as with a space.
_PREFIXES = frozenset(
    "vice under counter cyber multi non anti semi ex mid bi tri inter sub co micro mini "
    "mega".split()
)
_HEADS = frozenset(
    "maker makers general elect designate secretary secretaries goer goers holder holders "
    "builder builders".split()
)
# Verb and particle: “to set up” and “a set-up” (or “setup”) are two things.
_PARTICLES = frozenset(
    "up down out over off on in back by through away about around to together ahead for "
    "long time".split()  # “a year long”, “a long time”
)
# “any one” and “anyone” are two things.
_SPLIT_RIGHTLY = frozenset(
    "any every some may all with in on out over no can to here there where how what when "
    "who after before then more never none other them him her it my your our one now al "
    "be for up down a an half full mean time day while work".split()
)
_SPLIT_OFF = ("re", "un")  # “re-sign” is not “resign”
_SHORTEST_PART = 3


@dataclass(frozen=True, slots=True)
class _Pair:
    first: Word
    second: Word
    hyphen: bool


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Group every pair of neighboring words, and every single word, by their letters."""
    groups: dict[str, list[Use]] = defaultdict(list)
    joined: set[str] = set()
    texts = list(passages(document))
    pairs = [(passage, pair) for passage in texts for pair in _pairs(passage)]
    for passage, pair in pairs:
        first, second = pair.first.lower, pair.second.lower
        use_form = "with a hyphen" if pair.hyphen else "in two words"
        key = first + _singular(second)
        groups[key].append(Use(use_form, passage, pair.first.start, pair.second.end))
        if not pair.hyphen and not _same_open(first, second):
            joined.add(key)
    for passage in texts:
        for word in words(passage.text):
            key = _singular(word.lower)
            if key in groups and len(key) >= 2 * _SHORTEST_PART and word.text[1:].islower():
                groups[key].append(Use("in one word", passage, word.start, word.end))
    settled = {
        form for preferred, variants in context.vocabulary.forms.items()
        for form in (preferred.lower(), *(variant.lower() for variant in variants))
    }  # fmt: skip
    for key, uses in groups.items():
        if not any(use.text.lower() in settled for use in uses):  # else preferred-form has it
            yield from _findings(uses, open_may_differ=key in joined)


def _findings(uses: list[Use], *, open_may_differ: bool) -> Iterator[Finding]:
    if len(uses) < 2:
        return
    uses = sorted(uses, key=lambda use: (not use.passage.is_headline, use.passage.item, use.start))
    if open_may_differ and any(use.form == "with a hyphen" for use in uses):
        uses = [use for use in uses if use.form != "in two words"]
    for odd, usual in odd_forms(uses):
        message = f"“{odd.text}” {odd.form} beside “{usual.text}” {usual.form}"
        yield Finding(odd.span, message, "write it in one way throughout the issue")


def _pairs(passage: Passage) -> Iterator[_Pair]:
    text = passage.text
    found = words(text)
    for at, (first, second) in enumerate(pairwise(found)):
        gap = text[first.end : second.start]
        if gap not in ("-", "‑", " ", "\N{NO-BREAK SPACE}"):
            continue
        if not (first.text.isalpha() and second.text.isalpha()) or first.text.isupper():
            continue
        hyphen = gap in ("-", "‑")
        if hyphen and (first.lower in _SPLIT_OFF or _in_a_chain(text, found, at)):
            continue
        if not hyphen and not _may_be_compound(first, second):
            continue
        yield _Pair(first, second, hyphen)


def _in_a_chain(text: str, found: tuple[Word, ...], at: int) -> bool:
    """“face-to-face”, “US-Japan-Korea”: more than two parts."""
    before = text[found[at].start - 1 : found[at].start]
    after = text[found[at + 1].end : found[at + 1].end + 1]
    return before in ("-", "‑") or after in ("-", "‑")


def _may_be_compound(first: Word, second: Word) -> bool:
    if second.lower in _PARTICLES or first.lower in FUNCTION_WORDS - _PREFIXES:
        return False
    if first.lower in _PREFIXES:
        return second.lower not in FUNCTION_WORDS and len(second.text) > 1
    return (
        first.lower not in _SPLIT_RIGHTLY
        and len(first.text) >= _SHORTEST_PART
        and len(second.text) >= _SHORTEST_PART
    )


def _same_open(first: str, second: str) -> bool:
    return (first in _PREFIXES and second not in FUNCTION_WORDS) or second in _HEADS


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
