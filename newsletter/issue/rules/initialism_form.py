"""NL312 initialism-form: Initials are written with periods in one place and without in another.

    wrong: US officials … U.S. Forces Japan
    right: US officials … US Forces Japan

For any letters, as long as both forms stand in the issue: US and U.S., UN and
U.N., DC and D.C. Some styles leave the periods out in headlines only; that is no
more than an info.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, Use, odd_forms, passages

CODE = "NL312"
SEVERITY = Severity.WARNING

_DOTTED = re.compile(r"(?<![\w.])(?:[A-Z]\.){2,6}(?!\w)")
_PLAIN = re.compile(r"(?<![^\W_])(?<!\w[.&])[A-Z]{2,6}(?![^\W_])(?!\.[A-Z])")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Collect both forms by their letters, apart for headlines and bullets."""
    uses: dict[tuple[str, bool], list[Use]] = defaultdict(list)
    for passage in passages(document):
        if not passage.text.isupper():
            for use in _uses(passage):
                uses[use.text.replace(".", ""), passage.is_headline].append(use)
    for name in sorted({name for name, _ in uses}):
        in_headlines, in_bullets = uses.get((name, True), []), uses.get((name, False), [])
        pairs = [*odd_forms(in_headlines), *odd_forms(in_bullets)]
        severity = None
        if not pairs:
            pairs, severity = [*odd_forms([*in_bullets, *in_headlines])], Severity.INFO
        for odd, usual in pairs:
            message = f"“{odd.text}” {odd.form} beside “{usual.text}” {usual.form}"
            yield Finding(odd.span, message, f"write “{usual.text}” throughout", severity=severity)


def _uses(passage: Passage) -> list[Use]:
    found = [
        Use("with periods" if "." in match[0] else "without periods", passage, *match.span())
        for pattern in (_DOTTED, _PLAIN)
        for match in pattern.finditer(passage.text)
    ]
    return sorted(found, key=lambda use: use.start)
