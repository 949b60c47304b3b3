"""NL405 straight-quotes: Straight quotes stand beside curly ones.

Readers see curly quotes in any case: straight ones are converted as the issue is
composed. A mixture in the file says that parts were copied from elsewhere. A file
that uses straight quotes throughout gets one note.

`newsletter check --fix` writes curly ones. Feet and inches stay straight, and so does an
address that a link shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.prose import Prose
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import INVISIBLE, edit, texts
from newsletter.issue.typography import CURLY, STRAIGHT, curl

CODE = "NL405"
SEVERITY = Severity.WARNING

_INVISIBLE = re.compile(f"[{INVISIBLE}]")

_HINT = "newsletter check --fix writes curly ones"


def check(document: Document, context: Context) -> Iterator[Finding]:
    """A warning for each text of a mixed file; one note for a file without curly quotes."""
    found = [(prose, places) for prose in texts(document) if (places := _straight(prose))]
    if not found:
        return
    if any(CURLY.search(prose.text) for prose in texts(document)):
        for prose, places in found:
            what = f"{len(places)} straight quotes" if len(places) > 1 else "straight quote"
            edits = tuple(mend for at, curly in places for mend in edit(document, prose, at, curly))
            span = prose.span(places[0][0], places[0][0] + 1)
            yield Finding(span, f"{what} beside curly ones", _HINT, edits)
        return
    first, places = found[0]
    count = sum(len(places) for _, places in found)
    edits = tuple(
        m for prose, all_ in found for at, c in all_ for m in edit(document, prose, at, c)
    )
    message = f"{count} straight quote{'s' if count > 1 else ''}, printed as curly"
    span = first.span(places[0][0], places[0][0] + 1)
    yield Finding(span, message, _HINT, edits, severity=Severity.INFO)


def _straight(prose: Prose) -> list[tuple[int, str]]:
    """Plain offset of each quote that is to be curled, and what it becomes."""
    if STRAIGHT.search(prose.text) is None:
        return []
    # Invisible characters are mended too, and must not change which way a quote faces.
    seen = [at for at, char in enumerate(prose.text) if _INVISIBLE.match(char) is None]
    curled = curl("".join(prose.text[at] for at in seen))
    return [
        (at, curly)
        for at, curly in zip(seen, curled, strict=True)
        if curly != prose.text[at] and not any(start <= at < end for start, end in prose.addresses)
    ]
