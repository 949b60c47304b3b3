"""NL105 date-order: The date does not lie between those of the issues before and after.

Issues appear in the order of their numbers. A date that breaks the order is a
slip in the date or in the number, most often last year's date in January.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_date, issue_number

CODE = "NL105"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the date; name the neighbor it clashes with and its date."""
    number, published = issue_number(document), issue_date(document)
    if number is None or published is None:
        return
    dated = [(o.number, o.date) for o in context.neighbours if o.number and o.date]
    before = max((pair for pair in dated if pair[0] < number), default=None)
    after = min((pair for pair in dated if pair[0] > number), default=None)
    span = document.front["date"].value_span
    if before is not None and published <= before[1]:
        message = f"{published} is not after Vol {before[0]}, which is dated {before[1]}"
        yield Finding(span, message, "correct the date here, or that of the earlier issue")
    if after is not None and published >= after[1]:
        message = f"{published} is not before Vol {after[0]}, which is dated {after[1]}"
        yield Finding(span, message, "correct the date here, or that of the later issue")
