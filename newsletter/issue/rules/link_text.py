"""NL131 link-text: A link has no words, or is a headline's.

A link without words cannot be seen or read aloud. In the mail each headline
leads to its own bullet, so it cannot lead elsewhere: link from the bullet or
from the line of sources.

Wrong:

    ## [Two capitals](https://example.org/page) open a hotline
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding

CODE = "NL131"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the empty link, or at the linked words of the headline."""
    for block in (*document.blocks, *(b for item in document.items for b in item.blocks)):
        if block.kind == "link without text":
            message = "this link has no words, so nobody can see it"
            yield Finding(block.span, message, "write it as [words](https://example.org/page)")
    for item in document.items:
        at = 0
        for run in item.headline.runs:
            if run.href is not None:
                message = "a headline leads to its bullet; it cannot be a link to elsewhere"
                span = item.headline.span(at, at + len(run.text))
                yield Finding(span, message, "move the link into the bullet or the sources")
                break
            at += len(run.text)
