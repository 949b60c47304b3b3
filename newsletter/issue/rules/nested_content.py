"""NL115 nested-content: An item holds something that is not plain text.

Headline and bullet are text with emphasis, strong emphasis and links. A list, a
quotation, code, a heading of another level or a line across has no place in the
printed form, nor in many mail programs.

Wrong:

    ## Three capitals agree on next steps

    - a hotline
    - an air exercise

Right:

    ## Three capitals agree on next steps

    The three capitals agreed on a hotline and on an air exercise …
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened

CODE = "NL115"
SEVERITY = Severity.ERROR

_HINTS = {
    "list": "write it as one paragraph of sentences",
    "quotation": "quote inside the paragraph, in quotation marks",
    "code block": "take out the four spaces or the ``` at the beginning of the line",
    "code": "take the backticks out",
    "heading": "each item begins with two number signs: ## Headline",
    "rule": "take the line out; the layout separates the items",
}


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each such part; raw HTML and pictures have their own rules."""
    for position, item in enumerate(document.items, start=1):
        name = f"“{shortened(item.headline.text)}”" if item.headline else f"item {position}"
        for block in item.blocks:
            if block.kind in _HINTS:
                kind = {"code": "code", "rule": "a line across"}.get(block.kind, f"a {block.kind}")
                message = f"{name} holds {kind}, expected one paragraph of text"
                yield Finding(block.span, message, _HINTS[block.kind])
