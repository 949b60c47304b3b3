"""NL309 unit-space: A figure and its unit stand together without a space.

    wrong: a range of 2,500km
    right: a range of 2,500 km

(The SI Brochure, section 5.4.3.) Money (5bn), times (5pm), chip sizes (2nm) and
names (5G, 4K) are left alone. `newsletter check --fix` puts the space in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Edit, Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import passages

CODE = "NL309"
SEVERITY = Severity.WARNING

_JOINED = re.compile(
    r"(?<![\w.,-])(?<!\d)(\d[\d,.]{0,15})"
    r"(km²|km|kg|cm|mm|mph|kph|knots|kWh|MWh|GWh|TWh|kW|MW|GW|TW|GHz|MHz|kHz|ha|mi|miles|ft|lbs?|hp"
    r"|tons?|tonnes|million|billion|trillion|percent|yen|dollars)(?![^\W_])"
)


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding for every place."""
    for passage in passages(document):
        for match in _JOINED.finditer(passage.text):
            span = passage.prose.span(match.start(), match.end())
            wanted = f"{match[1]} {match[2]}"
            edits: tuple[Edit, ...] = ()
            if document.source.text[span.start : span.end] == match[0]:
                at = span.start + len(match[1])
                edits = (Edit(at, at, " "),)
            yield Finding(span, f"“{match[0]}” without a space", f"write “{wanted}”", edits)
