"""NL125 one-picture: A picture stands where there is no room for one.

An issue has one picture at most, above the first headline. Items are text.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding

CODE = "NL125"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each picture beside the first one."""
    for block in document.blocks:
        if block.kind == "picture":
            message = "a second picture; an issue has one at most"
            yield Finding(block.span, message, "keep the better one")
    for item in document.items:
        for block in item.blocks:
            if block.kind == "picture":
                message = "a picture inside an item is not printed"
                hint = "take it out; the one picture stands above the first headline"
                yield Finding(block.span, message, hint)
