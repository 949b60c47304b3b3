"""NL120 picture-file: The picture is missing, or does not lie in the issue's folder.

Everything that belongs to an issue lies in its folder, so that what was approved
is what is sent. A picture from the web, from another folder or behind a link
that leads out of the folder is refused.

Wrong:

    ![Two flags](../shared/flags.jpg)

Right:

    ![Two flags](hero.jpg)
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.picture import Trouble, place
from newsletter.issue.rules import Context, Finding

CODE = "NL120"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the name of the file."""
    if document.picture is None:
        return
    found = place(context.folder, document.picture.file)
    if isinstance(found, Trouble):
        yield Finding(document.picture.file_span, found.message, found.hint)
