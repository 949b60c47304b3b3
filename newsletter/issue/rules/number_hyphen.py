"""NL310 number-hyphen: A number and its unit stand before a noun without a hyphen.

    wrong: after a 2½ year pause
    right: after a 2½-year pause

Found by the singular: “10 years” needs none, “10 year plan” cannot be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import FUNCTION_WORDS
from newsletter.issue.numerals import numbers
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import passages

CODE = "NL310"
SEVERITY = Severity.WARNING

_UNIT = re.compile(
    r"(?:[-‑]and[-‑]a[-‑]half)?[\s\N{NO-BREAK SPACE}]"
    r"(year|month|week|day|hour|minute|mile|kilometer|meter)"
    r"(?:[\s\N{NO-BREAK SPACE}]([a-z][\w’'-]*)|[-‑](?:old|long)\b)"
)
_MONTH_BEFORE = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?\s$"
)
_FIRST_YEAR = 1000  # “the 2023 season”: a year, not a count


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding for every place."""
    for passage in passages(document):
        text = passage.text
        for number in numbers(text):
            if number.ordinal or number.value <= 1 or number.value >= _FIRST_YEAR:
                continue
            match = _UNIT.match(text, number.end)
            if match is None or (match[2] or "").lower() in FUNCTION_WORDS:
                continue
            if _MONTH_BEFORE.search(text[max(0, number.start - 12) : number.start]):
                continue
            shown = text[number.start : match.end(1)]
            span = passage.prose.span(number.start, match.end(1))
            wanted = f"{text[number.start : match.start(1) - 1]}-{match[1]}"
            yield Finding(span, f"“{shown}” before a noun without a hyphen", f"write “{wanted}”")
