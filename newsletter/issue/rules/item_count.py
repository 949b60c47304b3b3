"""NL104 item-count: An issue does not have exactly five items.

Five headlines, each with its bullet, is the form that readers know: five `##`
headings in the file, no more and no fewer.

    ## Court orders Okinawa to approve changes to Henoko base

    A branch of the Fukuoka High Court ordered Okinawa Governor Denny Tamaki …
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.model import ITEMS
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL104"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first item too many, or at the last one when some are missing."""
    count = len(document.items)
    if count == ITEMS:
        return
    message = f"{count} item{'' if count == 1 else 's'}, expected {ITEMS}"
    if count > ITEMS:
        hint = f"merge two, or move one to Vol {_next(document)}"
        yield Finding(document.items[ITEMS].headline_span, message, hint)
    else:
        missing = ITEMS - count
        hint = f"add {missing} more: a line “## Headline”, an empty line, one paragraph"
        span = (
            document.items[-1].headline_span
            if count
            else Span(document.front_span.end, document.front_span.end)
        )
        yield Finding(span, message, hint)


def _next(document: Document) -> str:
    try:
        return str(IssueNumber.parse(document.value("issue") or "").following())
    except ValueError:
        return "the next one"
