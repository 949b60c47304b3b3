"""NL140 control-characters: The file holds a control character.

NUL, bell, escape and the like come from damaged files and from copied terminal
output. They break mail headers, web pages and PDF files. Line ends and tabs are
not meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import by_line, characters, codepoint, times

CODE = "NL140"
SEVERITY = Severity.ERROR

# Cc but for tab and line feed; the noncharacters, which XML and HTML refuse.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first of each kind in a line."""
    for span, character, count in by_line(document, characters(document, _CONTROL)):
        message = f"control character {codepoint(character)}{times(count)}"
        yield Finding(span, message, "delete it; type the line anew if you cannot see it")
