"""NL132 bare-address: A web address stands in the text, but is no link.

Markdown makes a link of an address only between angle brackets.

Wrong:

    Sources: https://example.org/statement

Right:

    Sources: <https://example.org/statement>
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened

CODE = "NL132"
SEVERITY = Severity.WARNING

_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\[\]]*[^\s<>\[\].,;:!?)\"”’']", re.IGNORECASE)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the address; front matter and the alt text cannot hold links."""
    for item in document.items:
        sources = [item.sources.prose] if item.sources is not None else []
        for prose in (*(paragraph.prose for paragraph in item.paragraphs), *sources):
            at = 0
            for run in prose.runs:
                for match in _ADDRESS.finditer(run.text) if run.href is None else ():
                    span = prose.span(at + match.start(), at + match.end())
                    address = match[0] if "://" in match[0] else f"https://{match[0]}"
                    hint = f"put it between angle brackets: <{shortened(address)}>"
                    yield Finding(span, "this address is no link", hint)
                at += len(run.text)
