"""Acronyms of a text: where they are used and where they are expanded.

“Liberal Democratic Party (LDP)”, “LDP (Liberal Democratic Party)” and “the Liberal
Democratic Party, or LDP,” expand one. Types of aircraft and missiles (MQ-9,
PAC-3), party and state tags (D-NY), Roman numerals and texts wholly in capitals
are no acronyms here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# Known wherever English is read; a newsletter adds its own under [acronyms] in terms.toml.
EVERYBODY_KNOWS = frozenset(
    "US USA UN UK EU DC AI TV CEO GDP NATO WWI WWII AM PM OK NGO FY HQ ID".split()
)


class Acronym(NamedTuple):
    """*name* is without the plural s; *expanded* where the text says here what it stands for."""

    name: str
    start: int
    end: int
    expanded: bool


_ACRONYM = re.compile(
    r"(?<![^\W_])(?<![^\W_][.&])(?P<name>[A-Z]{2,12})(?P<plural>s)?(?![^\W_]|\.[A-Z0-9]|&[A-Z])"
)
_TYPE_FOLLOWS = re.compile(
    r"[-‑–]?\d|\s\d[\d-]*[A-Z]?\b(?=\s(?:missile|aircraft|fighter|jet|drone))"
)
_ROMAN = re.compile(r"[IVX]{2,}[A-C]?|X{0,3}(?:IX|IV|V?I{0,3})")
_OPENS = re.compile(r"[\w.][”\"’']?[\s\N{NO-BREAK SPACE}]\([“\"]?$")
_CLOSES = re.compile(r"(?:[-‑][A-Z0-9]{1,3})?[”\"]?\s?[);,]")  # “(SLCM-N)”
_EXPANSION_FOLLOWS = re.compile(r"\s\((?:the\s)?[A-Za-z][\w’'&,-]+\s[^()]{3,90}\)")
_OR_BEFORE = re.compile(r"\w,?\s(?:or|known as|abbreviated(?: as)?|called)\s(?:the\s)?[“\"]?$")
_OR_FOLLOWS = re.compile(r",?\s(?:or|short for|which stands for)\s(?:the\s)?[A-Z][\w-]+\s[A-Za-z]")
_TAG_BEFORE = re.compile(r"(?:\b[RDI][-–‑]|,\s)$")
_CAPITALS_BEFORE = re.compile(r"(?<![^\W_])[A-Z]{4,}\s$")
_CAPITALS_FOLLOW = re.compile(r"\s[A-Z]{4,}(?![^\W_])")
_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM "
    "NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC GU PR".split()
)
_LONGEST_BEFORE = 40


@lru_cache(maxsize=64)
def acronyms(text: str) -> tuple[Acronym, ...]:
    """Every acronym of *text*, in order; none where the whole text is in capitals."""
    if text.isupper():
        return ()
    return tuple(
        Acronym(match["name"], match.start(), match.end(), _is_expanded(text, match))
        for match in _ACRONYM.finditer(text)
        if not _is_something_else(text, match)
    )


def _is_something_else(text: str, match: re.Match[str]) -> bool:
    name = match["name"]
    before = text[max(0, match.start() - 4) : match.start()]
    return bool(
        _TYPE_FOLLOWS.match(text, match.end())
        or _is_one_of_several(text, match)
        or _ROMAN.fullmatch(name)
        or (name in _STATES and _TAG_BEFORE.search(before))
    )


def _is_one_of_several(text: str, match: re.Match[str]) -> bool:
    """“KEEN SWORD”: a name in capitals, not two acronyms."""
    before = text[max(0, match.start() - 14) : match.start()]
    return len(match["name"]) >= 4 and bool(
        _CAPITALS_BEFORE.search(before) or _CAPITALS_FOLLOW.match(text, match.end())
    )


def _is_expanded(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _LONGEST_BEFORE) : match.start()]
    start, end = match.start(), match.end()
    if _OPENS.search(before) and _CLOSES.match(text, end):
        return not _ACRONYM.fullmatch(before.rstrip('(“" \N{NO-BREAK SPACE}').rpartition(" ")[2])
    if _OR_BEFORE.search(before):
        words = before.split()
        return len(words) >= 3 and text[end : end + 1] in ",.;:) ”"
    follows = _EXPANSION_FOLLOWS.match(text, end)
    if follows is not None:
        return _initials_agree(match["name"], follows[0])
    return start > 0 and _OR_FOLLOWS.match(text, end) is not None


def _initials_agree(name: str, expansion: str) -> bool:
    """The letters of *name* occur in order in the letters of *expansion*."""
    letters = iter(re.sub(r"^[\W_]*(?:the\s)?", "", expansion).lower())
    return all(letter.lower() in letters for letter in name)
