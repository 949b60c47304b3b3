"""NL014 subject-length: The subject is too long to be read in any inbox.

Most inboxes show 40 to 70 characters of a subject, none more than 150.

    subject: A new ambassador, and a hotline for three capitals
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.keys import SUBJECT_MAX
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import entry_prose

CODE = "NL014"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at what comes after the last character that may be shown."""
    entry = document.front.get("subject")
    if entry is None or len(entry.value) <= SUBJECT_MAX:
        return
    span = entry_prose(document.source, entry).span(SUBJECT_MAX, len(entry.value))
    message = f"the subject has {len(entry.value)} characters, at most {SUBJECT_MAX} are shown"
    yield Finding(span, message, "say the one thing that makes a reader open the mail")
