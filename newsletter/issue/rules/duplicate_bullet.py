"""NL114 duplicate-bullet: Two items of the issue have the same paragraph.

Usually a paragraph was copied to be overwritten, and was not.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import same_words

CODE = "NL114"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the second one; name the line of the first."""
    first: dict[str, int] = {}
    for item in document.items:
        words = same_words(item.bullet.text)
        if words in first:
            message = f"this paragraph stands also in line {first[words]}"
            yield Finding(item.paragraphs[0].span, message, "give each item its own paragraph")
        elif words:
            first[words] = document.source.place(item.paragraphs[0].span.start)[0]
