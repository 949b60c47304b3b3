"""NL141 bidirectional-control: The file holds a character that turns the direction of the text.

Such characters (U+202A to U+202E, U+2066 to U+2069) make a text read otherwise
than it is stored: an address that shows as one site and leads to another.
English and Japanese do not need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import by_line, characters, codepoint, times

CODE = "NL141"
SEVERITY = Severity.ERROR

_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first of each kind in a line."""
    for span, character, count in by_line(document, characters(document, _DIRECTION)):
        message = f"{codepoint(character)} turns the direction of the text{times(count)}"
        yield Finding(
            span, message, "delete it, and read the line again: was it put there on purpose?"
        )
