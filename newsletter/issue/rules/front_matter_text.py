"""NL013 front-matter-text: A text of the front matter holds a line break or a control character.

Subject, preheader and note are one line each; a line break in a mail header can
smuggle in a header of its own.

Wrong:

    subject: |
      A new ambassador
      and a hotline

Right:

    subject: A new ambassador, and a hotline
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import TEXT_KEYS, codepoint, entry_prose

CODE = "NL013"
SEVERITY = Severity.ERROR

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the value, or at the very character where it is written as it is."""
    for key in TEXT_KEYS:
        entry = document.front.get(key)
        match = _CONTROL.search(entry.value.rstrip("\n")) if entry is not None else None
        if entry is None or match is None:
            continue
        character = match[0]
        what = "a line break" if character == "\n" else codepoint(character)
        span = entry_prose(document.source, entry).span(match.start(), match.end())
        yield Finding(span, f"“{key}” holds {what}", f"write “{key}” as one line of plain text")
