"""NL306 adjective-form: The same office is named after its place in two ways.

    wrong: Okinawa Governor Tamaki … Okinawan Governor Denny Tamaki
    right: Okinawa Governor Tamaki … Okinawa Governor Denny Tamaki

Only before words for offices, bodies and troops, where the place and its
adjective mean the same; “China policy” and “Chinese policy” do not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import words
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Use, odd_forms, passages

CODE = "NL306"
SEVERITY = Severity.WARNING

_PLACES = {
    "okinawan": "okinawa", "japanese": "japan", "korean": "korea", "chinese": "china",
    "russian": "russia", "australian": "australia", "indian": "india", "taiwanese": "taiwan",
    "ukrainian": "ukraine", "american": "america", "european": "europe", "german": "germany",
    "hawaiian": "hawaii", "philippine": "philippines", "indonesian": "indonesia",
    "vietnamese": "vietnam", "canadian": "canada", "italian": "italy", "mongolian": "mongolia",
    "malaysian": "malaysia", "singaporean": "singapore", "iranian": "iran", "israeli": "israel",
}  # fmt: skip
_OFFICES = frozenset(
    "governor governors government governments minister ministers ministry official officials "
    "president premier mayor lawmakers parliament cabinet prefecture military army navy troops "
    "forces soldiers authorities police".split()
)
_PLAIN = frozenset(_PLACES.values())
_OF_BEFORE = re.compile(r"\b(?:of|Forces)\s$")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Collect place and adjective by the word that follows them."""
    uses: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for passage in passages(document):
        text = passage.text
        found = words(text)
        for word, following in pairwise(found):
            form, office = word.lower, following.lower
            if office not in _OFFICES or not text[word.end : following.start].isspace():
                continue
            if text[word.start - 1 : word.start] in ("-", "‑", "–", "/"):
                continue  # “US-Japan defense ministers” is another thing than “Japanese”
            if _OF_BEFORE.search(text, max(0, word.start - 8), word.start):
                continue  # “Bank of Japan officials”, “US Forces Japan officials”
            place = _PLACES.get(form, form)
            if place in _PLAIN:
                use = Use(form, passage, word.start, following.end)
                uses[place, office.rstrip("s")].append(use)
    for same in uses.values():
        for odd, usual in odd_forms(same):
            message = f"“{odd.text}” beside “{usual.text}”"
            yield Finding(odd.span, message, "write it in one way throughout the issue")
