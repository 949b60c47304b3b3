"""NL302 acronym-unexpanded: An acronym is used and never explained.

Readers from one field do not know the letters of another. Write the name out
once, in a bullet, with the letters in parentheses; headlines may use them bare,
and need no more than the full name in their bullet.

    wrong: Officials of METI met …
    right: Officials of the Ministry of Economy, Trade and Industry (METI) met …

What every reader knows stands in terms.toml, `known` under [acronyms]; so do names
that are written in capitals but are no acronyms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from newsletter.diagnostics import Severity
from newsletter.issue.acronyms import EVERYBODY_KNOWS, Acronym, acronyms
from newsletter.issue.document import Document
from newsletter.issue.language import words
from newsletter.issue.model import ITEMS
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, bullets, headlines

CODE = "NL302"
SEVERITY = Severity.WARNING

_FAR = 5000  # characters of a bullet that are searched for the full name


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding per acronym, at its first use in a bullet, else in a headline."""
    parts = context.vocabulary.name_parts
    known = EVERYBODY_KNOWS | context.vocabulary.acronyms | {part.upper() for part in parts}
    in_bullets = [(p, acronym) for p in bullets(document) for acronym in acronyms(p.text)]
    in_headlines = [(p, acronym) for p in headlines(document) for acronym in acronyms(p.text)]
    expanded = {a.name for _, a in (*in_bullets, *in_headlines) if a.expanded}
    seen: set[str] = set()
    for passage, acronym in (*in_bullets, *in_headlines):
        name = acronym.name
        if (
            name in seen
            or name in known
            or acronym.expanded
            or _are_initials(passage.text, acronym, context)
            or (passage.is_headline and _stands_below(document, passage, name))
        ):
            seen.add(name)
            continue
        seen.add(name)
        if name not in expanded:
            yield _never(document, passage, acronym)
        elif not passage.is_headline:
            span = passage.prose.span(acronym.start, acronym.end)
            yield Finding(
                span, f"{name} is explained only later", "write it out here, where it is first used"
            )


def _are_initials(text: str, acronym: Acronym, context: Context) -> bool:
    """“CQ Brown”: two letters before the name of a listed person."""
    following = words(text[acronym.end : acronym.end + 40])[:1]
    return (
        len(acronym.name) == 2
        and text[acronym.end : acronym.end + 1].isspace()
        and bool(following)
        and following[0].text in context.vocabulary.name_parts
    )


def _never(document: Document, passage: Passage, acronym: Acronym) -> Finding:
    name = acronym.name
    message = f"{name} is never explained"
    phrase = _written_out(document, name)
    if phrase is not None:
        hint = f"“{phrase}” stands in the text: write “{phrase} ({name})” where it comes first"
    else:
        hint = f"write “Full Name ({name})” once; or add {name} to [acronyms] in terms.toml"
    return Finding(passage.prose.span(acronym.start, acronym.end), message, hint)


def _written_out(document: Document, name: str) -> str | None:
    """A phrase of capitalized words with these initials: “Republic of Korea” for ROK."""
    pattern = _initials_of(name)
    for passage in islice(bullets(document), 2 * ITEMS):
        match = pattern.search(passage.text, 0, _FAR) if pattern is not None else None
        if match is not None:
            return match[0]
    return None


def _stands_below(document: Document, headline: Passage, name: str) -> bool:
    """The bullet of this headline has the full name, in whatever letters."""
    pattern = _initials_of(name, re.IGNORECASE)
    bullet = document.items[headline.item].bullet.text
    return len(name) > 2 and pattern is not None and pattern.search(bullet, 0, _FAR) is not None


@lru_cache(maxsize=256)
def _initials_of(name: str, flags: int = 0) -> re.Pattern[str] | None:
    if len(name) > 8 or not name.isascii() or not name.isalpha():
        return None
    link = r"(?:[\s-]|,\s|\s(?:and|the|for|of|on)\s(?=[A-Z]))"
    # “of” and the like may count as a letter (ROK) or be passed over (METI).
    parts = [rf"{link}(?:{letter}\w+|{letter.lower()}\w{{0,2}})" for letter in name[1:]]
    start = rf"{name[0]}[a-z]\w*"
    if name[:2] in ("UN", "US") and len(parts) > 1:  # “UN General Assembly” for UNGA
        start, parts = rf"(?:{start}{parts[0]}|{name[:2]})", parts[1:]
    return re.compile(r"\b" + start + "".join(parts) + r"\b", flags)
