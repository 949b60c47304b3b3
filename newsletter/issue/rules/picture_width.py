"""NL122 picture-width: The picture is too narrow for the mail.

The mail shows it 552 pixels wide: a narrower one would be blown up. From 1,104
pixels on it is sharp on the dense screens of telephones as well; below that the
finding is a note.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.picture import (
    IDEAL_WIDTH,
    MIN_WIDTH,
    Trouble,
    measure,
    place,
)
from newsletter.issue.rules import Context, Finding

CODE = "NL122"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the name of the file; silent where it cannot be read (NL120, NL121)."""
    if document.picture is None:
        return
    path = place(context.folder, document.picture.file)
    if isinstance(path, Trouble):
        return
    found = measure(path, document.picture.file)
    if isinstance(found, Trouble) or found.width >= IDEAL_WIDTH:
        return
    file, span = document.picture.file, document.picture.file_span
    if found.width < MIN_WIDTH:
        message = f"“{file}” is {found.width} pixels wide; the mail shows {MIN_WIDTH}"
        yield Finding(span, message, f"find one of {IDEAL_WIDTH:,} pixels or more")
    else:
        message = f"“{file}” is {found.width} pixels wide; {IDEAL_WIDTH:,} are sharp everywhere"
        yield Finding(span, message, severity=Severity.INFO)
