"""NL305 abbreviation-form: A word before a name is cut in one place and written out in another.

    wrong: the “Mt. Fuji Dialogue” … the Mount Fuji Dialogue
    wrong: Sen. Young … Senator Young
    right: the Mount Fuji Dialogue, twice

Compares only uses before the same name: “Amb. Emanuel” is fine beside “the
ambassador”.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import without_possessive
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Use, odd_forms, passages

CODE = "NL305"
SEVERITY = Severity.WARNING

_PAIRS = {
    "Mt": "Mount", "Ft": "Fort", "St": "Saint", "Amb": "Ambassador", "Gov": "Governor",
    "Sen": "Senator", "Rep": "Representative", "Gen": "General", "Adm": "Admiral",
    "Lt": "Lieutenant", "Col": "Colonel", "Maj": "Major", "Capt": "Captain", "Prof": "Professor",
    "Pres": "President", "Sec": "Secretary", "Dr": "Doctor",
}  # fmt: skip
_SHORT_OF = {full: short for short, full in _PAIRS.items()}
_WORD = re.compile(
    r"\b(?P<word>" + "|".join((*_PAIRS, *_SHORT_OF)) + r")(?P<dot>\.?)\s(?P<name>[A-Z][\w’'-]+)"
)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Collect the forms before each name: full, short, short with a period."""
    uses: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for passage in passages(document):
        for match in _WORD.finditer(passage.text):
            word = match["word"]
            short = _SHORT_OF.get(word, word)
            form = word if word in _SHORT_OF else word + match["dot"]
            key = (short, without_possessive(match["name"]))
            uses[key].append(Use(form, passage, match.start(), match.end()))
    for same in uses.values():
        for odd, usual in odd_forms(same):
            message = f"“{odd.text}” beside “{usual.text}”"
            yield Finding(odd.span, message, "write it in one way throughout the issue")
