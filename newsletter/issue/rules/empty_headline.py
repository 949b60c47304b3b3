"""NL110 empty-headline: A headline is empty.

Every item has a headline: it is printed in the list at the top and leads to its
bullet.

Wrong:

    ##

    The Japanese government announced on Oct 24 that …
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding

CODE = "NL110"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each heading without text."""
    for position, item in enumerate(document.items, start=1):
        if not item.headline:
            message = f"the headline of item {position} is empty"
            yield Finding(item.headline_span, message, "write it behind the “##”")
