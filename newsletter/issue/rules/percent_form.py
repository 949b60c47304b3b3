"""NL311 percent-form: Percentages are written in more than one form.

    wrong: 57% of the votes … a turnout of 68 percent
    right: 57% of the votes … a turnout of 68%

“Percentage” and “percentage points” do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Use, odd_forms, passages

CODE = "NL311"
SEVERITY = Severity.WARNING

_PERCENT = re.compile(r"(?<=\d)\s?%|(?<=[\w½¼¾])[\s-](?:percent|per cent|pct)\b", re.I)
_LONGEST = 12


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Compare the signs and the words behind figures."""
    uses: list[Use] = []
    for passage in passages(document):
        for match in _PERCENT.finditer(passage.text):
            start = _figure_start(passage.text, match.start())
            form = " ".join(match[0].replace("-", " ").lower().split())
            uses.append(Use(form, passage, start, match.end()))
    for odd, usual in odd_forms(uses):
        message = f"“{odd.text}” beside “{usual.text}”"
        yield Finding(odd.span, message, f"write all percentages as in “{usual.text}”")


def _figure_start(text: str, end: int) -> int:
    low = max(0, end - _LONGEST)
    return low + text[low:end].rfind(" ") + 1
