"""NL301 name-spelling: A name differs slightly from one in the list of people.

Compares capitalized words with the names in people.txt: a word one letter away
from a listed name, or with two neighboring letters exchanged, is probably that
name misspelt. A different person with a similar name is left alone where the
given name says so.

    wrong: Prime Minister Kishdia
    right: Prime Minister Kishida

If the name is right, add it to people.txt; if it is an ordinary word, add it to
`known` under [names] in terms.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import (
    FUNCTION_WORDS,
    SENTENCE_OPENERS,
    Word,
    fold,
    one_edit_apart,
    sentence_starts,
    without_possessive,
    words,
)
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, passages
from newsletter.issue.vocabulary import Vocabulary

CODE = "NL301"
SEVERITY = Severity.WARNING

_SHORTEST = 5  # letters of a name that stands alone
_SHORTEST_AT_START = 6  # any word has a capital there
_SHORTEST_BESIDE = 4  # beside the rest of the person's name

_INNER_CAPITAL = re.compile(r"(?:Mac|Mc|De|La|Le|Van)[A-Z][a-z]+$")  # McConnell

_TITLES = frozenset(
    "president vice prime minister premier chancellor king queen emperor senator sen "
    "representative rep congressman congresswoman governor gov mayor ambassador amb envoy "
    "secretary undersecretary deputy assistant general gen admiral adm colonel col captain "
    "commander director chairman chair speaker leader mr mrs ms dr professor prof sir chief "
    "cabinet foreign defense finance trade economy justice state treasury commerce energy "
    "interior former acting judge spokesman spokeswoman spokesperson ceo us japan japanese "
    "american korean chinese russian philippine australian british european south north democrat "
    "republican and with by of the for".split()
)

# Capitalized words of the news that are one letter from somebody's name.
_NOT_NAMES = frozenset(
    "asian games peace prince price crown power powers tower greek green march marine marines "
    "april brown black white young house china japan korea india iran iraq israel taiwan tokyo "
    "kyoto osaka kobe naha nago seoul paris spain greece german germany french france states "
    "state street senate party pacific island islands forces force command corps bank times post "
    "world group council center centre cross court royal north south eastern western union nation "
    "nations homeland general treaty summit korean asia forum trade class cable grand marsh major "
    "minor mason miller martin carter harris walker cooper turner parker porter foster potter "
    "hunter fisher archer baker taylor tyler wells hills woods stone steel ocean river water "
    "ships share stars guard grant wright warner wagner weaver blue bush burma yemen syria sudan "
    "texas maine idaho moscow munich madrid manila hawaii guam nansei kadena yokota misawa "
    "iwakuni sasebo yokosuka futenma henoko okinawa kyushu shikoku honshu monday tuesday friday "
    "sunday james john jones johns marks brand chance prime first".split()
)
_NO_NAMES_BEFORE = _TITLES | FUNCTION_WORDS | SENTENCE_OPENERS
_ENDINGS = ("s", "n", "i", "es", "an", "ian", "ism", "ist")  # plural, adjective: Korea, Korean


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding per misspelt form: its first place."""
    vocabulary = context.vocabulary
    if not vocabulary.people:
        return
    ordinary = _ordinary(document)
    others = _other_people(document, vocabulary)
    reported: set[str] = set()
    for passage in passages(document):
        found = words(passage.text)
        starts = sentence_starts(passage.text)
        for index, word in enumerate(found):
            spelled = without_possessive(fold(word.text))
            if spelled in reported or not _may_be_name(word, spelled, vocabulary):
                continue
            near = _meant(passage, found, index, spelled, vocabulary)
            if near is None:
                continue
            part, beside = near
            if not beside and (
                len(spelled) < (_SHORTEST_AT_START if word.start in starts else _SHORTEST)
                or spelled.lower() in ordinary
                or spelled in others
            ):
                continue
            reported.add(spelled)
            yield _finding(passage, word, spelled, part, vocabulary)


def _finding(
    passage: Passage, word: Word, spelled: str, part: str, vocabulary: Vocabulary
) -> Finding:
    people = sorted(vocabulary.name_parts[part])
    whose = people[0] if len(people) == 1 else f"{people[0]} or others"
    return Finding(
        passage.prose.span(word.start, word.start + len(spelled)),
        f"“{spelled}” is not in the list of people; did you mean “{part}” ({whose})?",
        "if it is right, add the full name to people.txt",
    )


def _may_be_name(word: Word, spelled: str, vocabulary: Vocabulary) -> bool:
    return (
        word.capitalized
        and (spelled[1:].islower() or _INNER_CAPITAL.match(spelled) is not None)
        and len(spelled) >= _SHORTEST_BESIDE
        and spelled not in vocabulary.names
        and not any(
            spelled.endswith(ending) and spelled.removesuffix(ending) in vocabulary.name_parts
            for ending in _ENDINGS
        )
    )


def _meant(
    passage: Passage, found: tuple[Word, ...], index: int, spelled: str, vocabulary: Vocabulary
) -> tuple[str, bool] | None:
    """The listed name that is meant, and whether the rest of it stands beside."""
    alone: str | None = None
    before, after = _beside(passage, found, index)
    listed = spelled in vocabulary.name_parts
    if listed and (
        (before is None and after is None) or _rest(spelled, vocabulary) & {before, after}
    ):
        return None  # right, unless it stands beside the rest of another name
    for part in vocabulary.parts_near(spelled):
        if not _likely(part, spelled):
            continue
        if _stands_beside(_rest(part, vocabulary), before, after):
            return part, True
        if alone is None and min(len(part), len(spelled)) >= _SHORTEST:
            alone = part
    if alone is None or not _is_family_name(alone, vocabulary):
        return None
    if listed and not _is_given_name_behind_a_title(spelled, before, after, vocabulary):
        return None
    if _is_a_thing(found, index):
        return None
    free = before is None or before.lower() in _NO_NAMES_BEFORE
    return (alone, False) if free and (after is None or after.lower() in _FOLLOWERS) else None


def _is_given_name_behind_a_title(
    spelled: str, before: str | None, after: str | None, vocabulary: Vocabulary
) -> bool:
    """“Ambassador Emmanuel said”, where the list has an Emmanuel Macron and a Rahm Emanuel."""
    return (
        not _is_family_name(spelled, vocabulary)
        and before is not None
        and before.lower() in _TITLES
        and after is None
    )


def _stands_beside(rest: set[str], before: str | None, after: str | None) -> bool:
    """The rest of the name is there, or what is nearly it: “Volodomyr Zelensky”."""
    return any(
        part == name or (len(part) >= _SHORTEST_AT_START and one_edit_apart(part, name))
        for name in (before, after)
        if name is not None
        for part in rest
    )


_FOLLOWERS = _TITLES | frozenset(
    "administration government cabinet team doctrine plan visit summit faction".split()
)


def _is_a_thing(found: tuple[Word, ...], index: int) -> bool:
    """“the Izumo”, but not “the Kishida cabinet”."""
    if index == 0 or found[index - 1].lower not in ("the", "a", "an"):
        return False
    return index + 1 == len(found) or found[index + 1].lower not in _FOLLOWERS


def _rest(part: str, vocabulary: Vocabulary) -> set[str]:
    """What else the people called *part* are called."""
    people = vocabulary.name_parts[part]
    names = {name for person in people for name in fold(person).split()}
    return names - {part}


def _likely(part: str, spelled: str) -> bool:
    """One edit away, with the same first letter unless the first two are exchanged."""
    if part == part.upper() or not one_edit_apart(part.lower(), spelled.lower()):
        return False
    if part.startswith(spelled) or spelled.startswith(part):  # “Kishidas”; “Korea” for “Korean”
        return len(spelled) < len(part) and len(spelled) >= _SHORTEST_AT_START
    return part[0] == spelled[0] or sorted(part[:2].lower()) == sorted(spelled[:2].lower())


def _is_family_name(part: str, vocabulary: Vocabulary) -> bool:
    return any(person.split()[-1] == part for person in vocabulary.name_parts[part])


def _beside(passage: Passage, found: tuple[Word, ...], index: int) -> tuple[str | None, str | None]:
    """The capitalized words right before and after, where only a space or hyphen lies between."""
    text = passage.text
    before = after = None
    if index > 0:
        previous = found[index - 1]
        gap = text[previous.end : found[index].start]
        title = gap == ". " and previous.lower in _TITLES  # “Gov. Tamaki”, not “in Tokyo. Tamaki”
        if previous.capitalized and (gap in (" ", "\N{NO-BREAK SPACE}") or title):
            before = fold(previous.text)
            if fold(before).endswith("'s"):  # “Russia’s Vladimir”: not a part of the name
                before = None
    if index + 1 < len(found):
        following = found[index + 1]
        if following.capitalized and text[found[index].end : following.start] in (
            " ",
            "\N{NO-BREAK SPACE}",
        ):
            after = without_possessive(fold(following.text))
    return before, after


def _ordinary(document: Document) -> frozenset[str]:
    """Words that the issue also writes with a small letter, and news words that are no names."""
    small = {
        word.lower for passage in passages(document) for word in words(passage.text)
        if word.text.islower()
    }  # fmt: skip
    return _NOT_NAMES.union(small)


def _other_people(document: Document, vocabulary: Vocabulary) -> frozenset[str]:
    """Family names that the issue gives to somebody with another given name."""
    found: set[str] = set()
    for passage in passages(document):
        every = words(passage.text)
        for index in range(1, len(every)):
            before, _ = _beside(passage, every, index)
            if before is None or before.lower() in _NO_NAMES_BEFORE:
                continue
            if every[index].capitalized:
                found.add(without_possessive(fold(every[index].text)))
    return frozenset(found)
