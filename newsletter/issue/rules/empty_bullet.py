"""NL111 empty-bullet: An item has no paragraph.

Below the headline stands one paragraph of plain text: the bullet.

Wrong:

    ## Two capitals open a hotline

    ## Fishery talks end without result

    The talks ended on Oct 20 …
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened

CODE = "NL111"
SEVERITY = Severity.ERROR

INSTEAD = ("list", "quotation", "code block", "raw HTML")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the headline; silent where a list or the like stands in the paragraph's place."""
    for position, item in enumerate(document.items, start=1):
        if item.bullet or any(block.kind in INSTEAD for block in item.blocks):
            continue
        name = f"“{shortened(item.headline.text)}”" if item.headline else f"item {position}"
        message = f"{name} has no paragraph"
        yield Finding(item.headline_span, message, "write one paragraph below the headline")
