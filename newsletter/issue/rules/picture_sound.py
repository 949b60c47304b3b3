"""NL121 picture-sound: The picture is not a whole JPEG, PNG or WebP picture of bearable size.

The file is read to its end, so that half a picture is found here and not by the
readers. At most 20 MB and 36 million pixels; above that nothing is decoded.

Open it in a picture editor and export it as JPEG, some 2,000 pixels wide.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.picture import Trouble, measure, place
from newsletter.issue.rules import Context, Finding

CODE = "NL121"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the name of the file; silent where there is none (NL120)."""
    if document.picture is None:
        return
    path = place(context.folder, document.picture.file)
    if isinstance(path, Trouble):
        return
    found = measure(path, document.picture.file)
    if isinstance(found, Trouble):
        yield Finding(document.picture.file_span, found.message, found.hint)
