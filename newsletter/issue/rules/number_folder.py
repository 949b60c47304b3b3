"""NL102 number-folder: The issue number does not match the folder.

The folder gives the web address, the number gives the masthead; they must say
the same. 2.2 and 2.20 are different issues: vol-2-02 and vol-2-20.

Wrong, in the folder `vol-2-20`:

    issue: 2.2
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.number import IssueNumber
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_number

CODE = "NL102"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the number; name both, and both ways out."""
    number = issue_number(document)
    if number is None:
        return
    name = context.folder.name or context.folder.resolve().name
    if name == number.folder:
        return
    span = document.front["issue"].value_span
    try:
        expected = IssueNumber.from_folder(name)
    except ValueError:
        message = f"Vol {number} stands in the folder “{name}”"
        yield Finding(span, message, f"rename the folder to {number.folder}")
        return
    message = f"issue {number} stands in the folder {name}, which is that of issue {expected}"
    hint = f"write issue: {expected}, or rename the folder to {number.folder}"
    if str(number).rstrip("0") == str(expected).rstrip("0"):
        hint = f"{number} and {expected} are different issues: {hint}"
    yield Finding(span, message, hint)
