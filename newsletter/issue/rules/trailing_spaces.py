"""NL404 trailing-spaces: Lines end in spaces.

They are not printed, but show up as changes when the next person's editor
removes them.

`newsletter check --fix` takes them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Edit, Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL404"
SEVERITY = Severity.INFO

_TRAILING = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding for the file, at the first such line."""
    edits = tuple(
        Edit(match.start(), match.end(), "") for match in _TRAILING.finditer(document.source.text)
    )
    if edits:
        count = (
            f"{len(edits)} lines end in spaces" if len(edits) > 1 else "this line ends in spaces"
        )
        yield Finding(Span(edits[0].start, edits[0].end), count, "take them out", edits)
