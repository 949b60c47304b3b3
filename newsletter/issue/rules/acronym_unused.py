"""NL303 acronym-unused: An acronym is introduced and never used.

Letters in parentheses promise that they come back. Where they do not, they only
slow the reader down.

    wrong: The Economic Policy Consultative Committee (EPCC) met on Oct 19.   (no EPCC after it)
    right: The Economic Policy Consultative Committee met on Oct 19.

Acronyms that every reader knows may help to recognize a name; they are left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.acronyms import EVERYBODY_KNOWS, acronyms
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import passages

CODE = "NL303"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding per acronym that stands in the issue only where it is expanded."""
    known = EVERYBODY_KNOWS | context.vocabulary.acronyms
    found = [
        (passage, acronym) for passage in passages(document) for acronym in acronyms(passage.text)
    ]
    uses = Counter(acronym.name for _, acronym in found)
    for passage, acronym in found:
        if not acronym.expanded or uses[acronym.name] > 1 or acronym.name in known:
            continue
        text = passage.text
        if text[acronym.start - 1 : acronym.start] not in ("(", "“", '"'):
            continue  # “LDP (Liberal Democratic Party)”: the letters are the name in use
        if text[acronym.end : acronym.end + 1] not in (")", "”", '"'):
            continue  # “(METI, formerly MITI)”
        yield Finding(
            passage.prose.span(acronym.start, acronym.end),
            f"{acronym.name} is introduced but not used again",
            "take out the parentheses, or use it",
        )
