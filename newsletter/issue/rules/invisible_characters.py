"""NL401 invisible-characters: The text holds characters that cannot be seen.

Zero-width spaces, soft hyphens, direction marks and byte-order marks come along
with text copied from web pages. They cut words in two for searches and for
screen readers, and show up as boxes in some mail programs. The joiner inside an
emoji is left alone.

`newsletter check --fix` takes them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import INVISIBLE, codepoint, edit, texts

CODE = "NL401"
SEVERITY = Severity.WARNING

_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the first of a text; mend them all."""
    for prose in texts(document):
        found = [m.start() for m in _INVISIBLE.finditer(prose.text) if not _in_emoji(prose.text, m)]
        if not found:
            continue
        kinds = ", ".join(dict.fromkeys(codepoint(prose.text[at]) for at in found))
        count = f"{len(found)} invisible characters" if len(found) > 1 else "invisible character"
        edits = tuple(mend for at in found for mend in edit(document, prose, at, ""))
        hint = "take it out" if len(found) == 1 else "take them out"
        yield Finding(prose.span(found[0], found[0] + 1), f"{count}: {kinds}", hint, edits)


def _in_emoji(text: str, match: re.Match[str]) -> bool:
    """A zero-width joiner behind a symbol, or the tags of a flag."""
    joins = match[0] == "\N{ZERO WIDTH JOINER}" or "\U000e0020" <= match[0] <= "\U000e007f"
    before = text[: match.start()][-1:]
    return joins and (before >= "\U0001f000" or before == "\N{VARIATION SELECTOR-16}")
