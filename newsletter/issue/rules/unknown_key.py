"""NL007 unknown-key: The front matter holds a key that means nothing.

A misspelt key would be passed over in silence: the subject line that an editor
wrote as `subjct` would never reach a reader. The keys are `issue`, `date`,
`subject`, `preheader` and `note`.

Wrong:

    preheder: Also: fishery talks

Right:

    preheader: "Also: fishery talks"
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.keys import KEY_NAMES
from newsletter.issue.rules import Context, Finding

CODE = "NL007"
SEVERITY = Severity.ERROR


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each unknown key; suggest the one that was probably meant."""
    for entry in document.front.values():
        if entry.key in KEY_NAMES:
            continue
        near = get_close_matches(entry.key.lower(), KEY_NAMES, 1)
        hint = f"did you mean “{near[0]}”?" if near else "the keys are " + ", ".join(KEY_NAMES)
        yield Finding(entry.key_span, f"unknown key “{entry.key}”", hint)
