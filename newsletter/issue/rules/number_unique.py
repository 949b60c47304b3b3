"""NL103 number-unique: Another issue of this newsletter has the same number.

Two issues cannot have one web address and one line in the archive.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_number

CODE = "NL103"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the number; name the folder of the other issue."""
    number = issue_number(document)
    if number is None:
        return
    for other in context.neighbours:
        if other.number == number:
            message = f"Vol {number} is also the number of the issue in {other.folder}"
            span = document.front["issue"].value_span
            yield Finding(span, message, "number one of the two anew, and rename its folder")
