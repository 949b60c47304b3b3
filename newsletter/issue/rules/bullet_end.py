"""NL207 bullet-end: A bullet does not end with a full sentence.

A bullet without its last period is often a bullet without its last words.

    wrong: The two ministers will meet again in the
    right: The two ministers will meet again in the spring.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import bullets

CODE = "NL207"
SEVERITY = Severity.WARNING

_CLOSING = "\"'”’)]»"
_ENDS = ".!?…"
_REMARK = re.compile(r"\s?(?:\([^()]{1,60}\)|\[[^\[\]]{1,60}\])$")  # “… in Tokyo. (Kyodo)”


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Look at the last character of every bullet, behind quotation marks and brackets."""
    for passage in bullets(document):
        text = passage.text.rstrip()
        before = _REMARK.sub("", text[-120:])
        if any(end.rstrip(_CLOSING)[-1:] in tuple(_ENDS) for end in (text, before)):
            continue
        tail = text[-30:].rpartition(" ")[2] or text[-1:]
        span = passage.prose.span(len(text) - len(tail), len(text))
        yield Finding(span, "the bullet does not end with a period", "end the sentence")
