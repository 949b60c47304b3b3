"""NL004 line-ends: Lines end as on Windows or on an old Macintosh, or in several ways.

Lines that end in CR LF or CR show up as changed from top to bottom when the
next person saves the file, and hide the real change from whoever approves it.
The house form is LF, as on Linux and macOS.

`newsletter check --fix` rewrites them.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules.byte_order_mark import WHOLE_FILE
from newsletter.issue.source import MIXED, Span

CODE = "NL004"
SEVERITY = Severity.WARNING

_NAMES = {"\r\n": "CR LF (Windows)", "\r": "CR (old Macintosh)", MIXED: "more than one way"}


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the end of the first line."""
    name = _NAMES.get(document.source.newline)
    if name is not None:
        end = document.source.line_span(1).end
        yield Finding(
            Span(end, end),
            f"lines end in {name}, expected LF",
            "set “line endings: LF” in your editor, or run newsletter check --fix",
            WHOLE_FILE,
        )
