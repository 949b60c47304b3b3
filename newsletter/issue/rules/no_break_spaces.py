"""NL402 no-break-spaces: The text holds no-break spaces.

U+00A0 and its kin come along with text copied from web pages. Words that they
join are not broken at the line's end, and a search for “Okinawa Governor” does
not find them.

`newsletter check --fix` puts plain spaces in their place.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import NO_BREAK_SPACES, edit, respaced, texts

CODE = "NL402"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first of a text; mend them all."""
    for prose in texts(document):
        spaces = respaced(document, prose)
        found = [at for at in spaces if prose.text[at] in NO_BREAK_SPACES]
        if not found:
            continue
        kinds = ", ".join(dict.fromkeys(f"U+{ord(prose.text[at]):04X}" for at in found))
        count = f"{len(found)} no-break spaces" if len(found) > 1 else "no-break space"
        edits = tuple(mend for at in found for mend in edit(document, prose, at, spaces[at]))
        span = prose.span(found[0], found[0] + 1)
        yield Finding(span, f"{count} ({kinds})", "put plain spaces there", edits)
