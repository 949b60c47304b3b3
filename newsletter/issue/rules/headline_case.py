"""NL204 headline-case: A headline is not in sentence case.

Only the first word, names and acronyms have capitals. Reported when the headline
is clearly in Title Case, wholly in capitals, or begins with a small letter; a
headline that happens to be all names is left alone.

    wrong: ## Leaders Sign New Agreement On Shared Bases
    right: ## Leaders sign new agreement on shared bases
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import FUNCTION_WORDS, Word, sentence_starts, stem, words
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, bullets, headlines

CODE = "NL204"
SEVERITY = Severity.WARNING

_HINT = "capitals only for the first word, names and acronyms"

# Words of news headlines that are hardly ever part of a name, by stem.
_ORDINARY = frozenset(
    stem(word)
    for word in (
        "accept accuse add adopt agree agreement aid aim announce annual appoint approve "
        "arrive ask attend back ban begin big bilateral block bold boost build call calls "
        "chief claim close conduct confirm consider continue convene cooperation cut deal "
        "decide deepen delay deny deploy deployment discuss drill early eases elect end "
        "exercise expand expected export face fall first fresh growth head hint hold host "
        "hotline import increase issue join joint keep latest launch lead leave lift long "
        "major make meet meeting month move name names new next open outline pact pass pay "
        "plan pledge post press push raise ratify reach record reduce reject release report "
        "restart resume return rise say seek sell send set sign slow start step stress "
        "strengthen strong summit support surge take talk test threat tie ties trade "
        "trilateral urge update victory victims visit vow warn weigh welcome win year"
    ).split()
)

# Words that stand small in a bullet and yet in names: “defense ministers”, “Defense Minister”.
_OFFICES = frozenset(
    stem(word)
    for word in (
        "affairs agency appropriations armed chair chairman intelligence relations representative "
        "representatives services speaker alliance ambassador army assembly assistant base board "
        "cabinet chief "
        "command commission committee conference congress council court day defense department "
        "deputy director dialogue embassy finance force forces foreign general government "
        "governor group house initiative international island islands justice marine minister "
        "ministry nation national navy northern office officer operation parliament partnership "
        "party peace policy president prime review secretary security senate senator southern "
        "staff state station street system treaty under united university vice world"
    ).split()
)

_ALSO_IN_NAMES = frozenset(  # “New York”, “Joint Staff”, “Trade Representative”
    stem(word)
    for word in (
        "agreement cooperation exercise first head joint meeting new open pact plan post press "
        "summit trade"
    ).split()
)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Judge each headline by the words that the issue itself writes small elsewhere."""
    small = _written_small(document)
    for passage in headlines(document):
        found = words(passage.text)
        what = _fault(passage, found, small)
        if what is not None:
            yield Finding(passage.prose.whole, what, _HINT)


def _written_small(document: Document) -> frozenset[str]:
    """Stems of the words that stand in a bullet with a small letter."""
    return frozenset(
        stem(word.text)
        for passage in bullets(document)
        for word in words(passage.text)
        if word.text.islower()
    )


def _fault(passage: Passage, found: tuple[Word, ...], small: frozenset[str]) -> str | None:
    letters = [word for word in found if word.text.isalpha()]
    if len(letters) >= 3 and all(word.text.isupper() for word in letters):
        return "the headline is in capitals"
    if letters and letters[0] is found[0] and _begins_small(passage.text, letters[0]):
        return "the headline begins with a small letter"
    starts = sentence_starts(passage.text)
    content = [
        word
        for word in letters[1:]
        if word.lower not in FUNCTION_WORDS
        and word.start not in starts
        and len(word.text) > 1
        and not word.text.isupper()
        and passage.text[word.start - 1] not in "-‑"
    ]
    capitals = [word for word in content if word.capitalized]
    ordinary = [
        word
        for word in capitals
        if stem(word.text) in _ORDINARY or (stem(word.text) in small - _OFFICES)
    ]
    telling = any(stem(word.text) not in _ALSO_IN_NAMES for word in ordinary)
    if 3 <= len(capitals) == len(content) and len(ordinary) >= 2 and telling:
        shown = ", ".join(f"“{word.text}”" for word in ordinary[:3])
        return f"the headline is in title case: {shown}"
    return None


def _begins_small(text: str, first: Word) -> bool:
    return first.text.islower() and text[first.end : first.end + 1] in (" ", "")
