"""NL403 double-spaces: Two spaces, a tab, or a space of unusual width stand between words.

One plain space separates words and sentences. The PDF and the plain text would
show the gap.

`newsletter check --fix` leaves one space.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import NO_BREAK_SPACES, codepoint, edit, respaced, texts

CODE = "NL403"
SEVERITY = Severity.WARNING


_NAMES = {" ": "more than one space", "\t": "a tab"}


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first of a text; mend them all."""
    for prose in texts(document):
        spaces = respaced(document, prose)
        found = [at for at in spaces if prose.text[at] not in NO_BREAK_SPACES]
        if not found:
            continue
        first = prose.text[found[0]]
        what = (
            "a tab"
            if first == "\t"
            else "more than one space"
            if first == " "
            else codepoint(first)
        )
        more = f", and at {len(found) - 1} more" if len(found) > 1 else ""
        places = f"{more} place{'s' if len(found) > 2 else ''}" if more else ""
        edits = tuple(mend for at in found for mend in edit(document, prose, at, spaces[at]))
        span = prose.span(found[0], found[0] + 1)
        yield Finding(span, f"{what} between words{places}", "leave one plain space", edits)
