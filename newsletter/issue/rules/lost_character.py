"""NL142 lost-character: A character was lost in an earlier conversion.

U+FFFD, shown as �, stands where some program could not read a letter. It would
be printed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import by_line, characters, times

CODE = "NL142"
SEVERITY = Severity.ERROR

_LOST = re.compile("\N{REPLACEMENT CHARACTER}")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first one in a line; NUL is shown as this character too (NL140)."""
    source = document.source.text
    found = (
        (span, character)
        for span, character in characters(document, _LOST)
        if source[span.start : span.end] != "\0"
    )
    for span, _, count in by_line(document, found):
        message = f"U+FFFD stands for a character that was lost{times(count)}"
        yield Finding(span, message, "look the word up and type it anew")
