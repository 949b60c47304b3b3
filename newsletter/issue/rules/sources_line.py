"""NL118 sources-line: The line of sources is empty, or its label is odd.

An item may end with a line that begins with “Sources:” and names where the facts
came from, as links or as text. The label is printed as it stands here: with a
capital letter and a colon behind it.

    Sources: <https://example.org/statement>, Ministry of Foreign Affairs
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL118"
SEVERITY = Severity.ERROR

LABELS = ("Sources:", "Source:")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the line; an odd label is a warning."""
    for item in document.items:
        if item.sources is None:
            continue
        span = item.sources.span
        if not item.sources.prose:
            message = "the line of sources names none"
            yield Finding(span, message, "add a link, as in Sources: <https://example.org/page>")
        elif item.sources_label not in LABELS:
            message = f"the label is “{item.sources_label}”, expected “Sources:”"
            label = Span(span.start, span.start + len(item.sources_label))
            yield Finding(label, message, "write “Sources:”", severity=Severity.WARNING)
