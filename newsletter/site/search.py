"""Find words in the editions: all of them, in any letter case, with or without accents.

The texts are few and short, so each is looked through. A query is cut to what a person
would type: nobody can make it expensive.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from newsletter.site.editions import SiteEdition

MAX_CHARACTERS = 200  # of a query
MAX_WORDS = 12
MAX_HITS = 50
_AROUND = 90  # characters of an excerpt before what was found, and twice that behind it

# The marks that make another sound of a kana; without them は and ば would be one.
_KANA_MARKS = frozenset("\u3099\u309a")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """An edition with all words; the excerpt is *before* + *found* + *after*."""

    edition: SiteEdition
    before: str
    found: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Searchable:
    """An edition's words, folded once."""

    edition: SiteEdition
    folded: str


def searchable(edition: SiteEdition) -> Searchable:
    return Searchable(edition=edition, folded=fold(_words_of(edition)))


def search(texts: Iterable[Searchable], query: str) -> list[Hit]:
    """Return the editions in which every word of *query* stands, at most 50, in their order."""
    words = list(dict.fromkeys(fold(query[:MAX_CHARACTERS]).split()))[:MAX_WORDS]
    hits: list[Hit] = []
    if not words:
        return hits
    for text in texts:
        if all(word in text.folded for word in words):
            hits.append(_hit(text.edition, words))
            if len(hits) == MAX_HITS:
                break
    return hits


def fold(text: str) -> str:
    """*text* as it is compared."""
    return text.casefold() if text.isascii() else "".join(map(_folded, text))


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    parts = unicodedata.normalize("NFKD", char)
    kept = (part for part in parts if not unicodedata.combining(part) or part in _KANA_MARKS)
    return "".join(kept).casefold()


def _words_of(edition: SiteEdition) -> str:
    return f"{edition.label} {edition.subject} {edition.text}"


def _hit(edition: SiteEdition, words: list[str]) -> Hit:
    """The place of the longest word that the text itself holds, cut at whole words."""
    text = edition.text
    folded = fold(text)
    places = [(folded.find(word), word) for word in sorted(words, key=len, reverse=True)]
    at, word = next((place for place in places if place[0] >= 0), (0, ""))
    start = _original(text, at)
    end = _original(text, at + len(word))
    before = text[max(0, start - _AROUND) : start]
    after = text[end : end + 2 * _AROUND]
    if start > _AROUND:
        before = "… " + (before.partition(" ")[2] or before)
    if end + 2 * _AROUND < len(text):
        after = (after.rpartition(" ")[0] or after) + " …"
    return Hit(edition=edition, before=before, found=text[start:end], after=after)


def _original(text: str, folded_position: int) -> int:
    """Where in *text* the character stands that begins at this place of the folded text."""
    if text.isascii():
        return folded_position
    length = 0
    for position, char in enumerate(text):
        if length >= folded_position:
            return position
        length += len(_folded(char))
    return len(text)
