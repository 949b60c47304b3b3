"""NL010 unused-waiver: A waiver covers nothing.

The comment allows a rule that finds nothing where the waiver applies: in its
item, or in the whole file when it stands above the first headline. A waiver that
outlived its reason would hide the next real finding, so take it out.
Errors cannot be waived.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from newsletter.diagnostics import Severity
from newsletter.issue.document import Waiver
from newsletter.issue.rules import Finding, find_rule

CODE = "NL010"
SEVERITY = Severity.WARNING


def findings(waivers: Sequence[Waiver], used: set[tuple[Waiver, str]]) -> Iterator[Finding]:
    """Yield one finding per allowed code that no finding made use of."""
    for waiver in waivers:
        for code in waiver.codes:
            if (waiver, code) not in used:
                yield Finding(waiver.span, _message(code), "delete the comment, or the code in it")


def _message(code: str) -> str:
    rule = find_rule(code)
    if rule is None:
        return f"there is no rule {code} that this waiver could allow"
    if not rule.waivable:
        return f"{code} is an error; a waiver cannot allow it"
    return f"this waiver for {code} covers nothing"
