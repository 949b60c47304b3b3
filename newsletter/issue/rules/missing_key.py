"""NL008 missing-key: The front matter lacks a key that every issue needs.

Number and date stand in the masthead, the address of the web page and the name
of the folder; nothing can stand in for them.

    ---
    issue: 2.20
    date: 2023-10-31
    ---
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.frontmatter import SYNTAX
from newsletter.issue.keys import REQUIRED_KEYS
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL008"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the empty value, or at the front matter; silent where it could not be read."""
    if any(fault.code == SYNTAX for fault in document.faults):
        return
    for key in REQUIRED_KEYS:
        if document.value(key.name) is not None:
            continue
        entry = document.front.get(key.name)
        what = "is missing" if entry is None else "is empty"
        span = Span(0, min(3, len(document.source.text))) if entry is None else entry.key_span
        yield Finding(span, f"“{key.name}” {what}", f"write it as in {key.name}: {key.example}")
