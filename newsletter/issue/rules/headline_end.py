"""NL202 headline-end: A headline ends with a period or another stop.

Headlines here are lines of a list, not sentences. A period, comma, colon or
semicolon at the end is left over from cutting.

    wrong: ## Japan and Australia sign energy pact.
    right: ## Japan and Australia sign energy pact

A question mark is fine, and so is the last period of “U.S.” or “Inc.”.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import headlines

CODE = "NL202"
SEVERITY = Severity.WARNING

_NAMES = {".": "a period", ",": "a comma", ";": "a semicolon", ":": "a colon"}
_END = re.compile(r"(?<![.,;:])([.,;:])[\"'”’)\]]{0,3}$")
_ABBREVIATED = re.compile(r"(?:\b(?:[^\W\d_]\.)*[^\W\d_]|\b(?:Inc|Corp|Co|Ltd|Jr|Sr|Bros|etc))$")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Look at the last character of every headline, behind quotation marks."""
    for passage in headlines(document):
        text = passage.text.rstrip()
        match = _END.search(text, max(0, len(text) - 5))
        if match is None:
            continue
        if match[1] == "." and _ABBREVIATED.search(
            text[max(0, match.start() - 12) : match.start()]
        ):
            continue
        span = passage.prose.span(match.start(1), match.end(1))
        yield Finding(span, f"the headline ends with {_NAMES[match[1]]}", "take it out")
