"""NL015 preheader-length: The preheader is too short or too long.

Inboxes show 40 to 130 characters behind the subject. A shorter preheader is
filled up with whatever the mail begins with; of a longer one the end is lost.
Without the key the other headlines stand there.

    preheader: "Also: a joint air exercise, fishery talks and a visit to Okinawa"
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.keys import PREHEADER_MAX, PREHEADER_MIN
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import entry_prose

CODE = "NL015"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the value, or at the part of it that is not shown."""
    entry = document.front.get("preheader")
    count = len(entry.value) if entry is not None else 0
    if entry is None or not entry.value.strip() or PREHEADER_MIN <= count <= PREHEADER_MAX:
        return
    prose = entry_prose(document.source, entry)
    message = f"the preheader has {count} characters, {PREHEADER_MIN} to {PREHEADER_MAX} are shown"
    if count < PREHEADER_MIN:
        hint = "say more, or take the line out: the other headlines then stand there"
        yield Finding(prose.whole, message, hint)
    else:
        yield Finding(prose.span(PREHEADER_MAX, count), message, "shorten it")
