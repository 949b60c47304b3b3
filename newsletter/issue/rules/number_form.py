"""NL101 number-form: The issue number is not volume.number.

The number is text, not a decimal: volume 2, number 20. Neither part has leading
zeros, and nothing else stands beside it.

Wrong:

    issue: Vol 2.05

Right:

    issue: 2.5
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened

CODE = "NL101"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the value; where its two numbers can be made out, say how to write them."""
    value = document.value("issue")
    if value is None:
        return
    try:
        IssueNumber.parse(value.strip())
    except ValueError:
        message = f"“{shortened(value)}” is not an issue number"
        yield Finding(document.front["issue"].value_span, message, _hint(value))


def _hint(value: str) -> str:
    numbers = re.findall(r"[0-9]+", value)
    if len(numbers) == 2 and all(len(number) < 6 and 1 <= int(number) <= 999 for number in numbers):
        return f"write issue: {int(numbers[0])}.{int(numbers[1])}"
    if len(numbers) == 1:
        return "write volume and number with a point between: issue: 2.20"
    return "write volume and number, each from 1 to 999: issue: 2.20"
