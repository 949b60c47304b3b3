"""NL113 duplicate-headline: Two items of the issue have the same headline.

Usually a headline was copied to be overwritten, and was not.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import same_words

CODE = "NL113"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the second one; name the line of the first."""
    first: dict[str, int] = {}
    for item in document.items:
        words = same_words(item.headline.text)
        if words in first:
            message = f"this headline stands also in line {first[words]}"
            yield Finding(item.headline_span, message, "give each item its own headline")
        elif words:
            first[words] = document.source.place(item.headline_span.start)[0]
