"""NL003 byte-order-mark: The file begins with a byte-order mark.

Some Windows programs put three invisible bytes (EF BB BF) in front of a UTF-8
file. Other tools then do not see the `---` of the front matter at its top.

`newsletter check --fix` takes them out.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Edit, Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL003"
SEVERITY = Severity.WARNING

WHOLE_FILE = (Edit(0, 0, ""),)  # mended as the file is written: it is no part of the text


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the beginning of the file."""
    if document.source.bom:
        yield Finding(
            Span(0, 0),
            "the file begins with a byte-order mark (U+FEFF)",
            "save the file as UTF-8 without “BOM”, or run newsletter check --fix",
            WHOLE_FILE,
        )
