"""NL116 stray-content: Something stands above the first headline that is printed nowhere.

Between the front matter and the first `##` there is room for the picture and
its credit line, and for comments. A line above the headlines is the key `note`
of the front matter.

Wrong:

    Dear readers, …

    ## Two capitals open a hotline
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding

CODE = "NL116"
SEVERITY = Severity.ERROR

_HINTS = {
    "heading": "headlines of items have two number signs: ## Headline; the title is made for you",
    "text": "for a line above the headlines use “note:” in the front matter",
}
OTHER_RULES = ("raw HTML", "picture", "link without text")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each part; raw HTML and pictures have their own rules."""
    for block in document.blocks:
        if block.kind in OTHER_RULES:
            continue
        kind = {"text": "text", "code": "code", "rule": "a line across"}.get(
            block.kind, f"a {block.kind}"
        )
        message = f"{kind} above the first headline is not printed"
        yield Finding(block.span, message, _HINTS.get(block.kind, "take it out"))
