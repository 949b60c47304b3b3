"""NL112 one-paragraph: An item has more than one paragraph.

One headline, one paragraph: what does not fit is another item, or too long. An
empty line begins a new paragraph.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened

CODE = "NL112"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the second paragraph."""
    for item in document.items:
        if len(item.paragraphs) > 1:
            name = f"“{shortened(item.headline.text)}”" if item.headline else "this item"
            message = f"{name} has {len(item.paragraphs)} paragraphs, expected 1"
            hint = "join them by taking the empty line out, or shorten the text"
            yield Finding(item.paragraphs[1].span, message, hint)
