"""NL124 picture-credit: The picture has no credit line, or one without its label.

The line below the picture says whose it is; agencies demand it. It is printed
with the label “Image Source:”. Another label is a warning.

Wrong:

    ![Two ministers shake hands](hero.jpg)
    Kyodo News

Right:

    ![Two ministers shake hands](hero.jpg)
    Image Source: Kyodo News
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span

CODE = "NL124"
SEVERITY = Severity.ERROR

LABEL = "Image Source:"
_HINT = f"write the line below the picture as in {LABEL} Kyodo News"


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the picture, at the credit, or at its label."""
    picture = document.picture
    if picture is None:
        return
    if picture.credit is None or picture.credit_span is None:
        yield Finding(picture.span, "the picture has no credit line", _HINT)
    elif not picture.credit:
        yield Finding(picture.credit_span, "the credit line names nobody", _HINT)
    elif not picture.credit_label:
        message = f"the credit line has no label, expected “{LABEL}”"
        yield Finding(picture.credit_span, message, _HINT)
    elif " ".join(picture.credit_label.split()).lower() != LABEL.lower():
        span = Span(
            picture.credit_span.start, picture.credit_span.start + len(picture.credit_label)
        )
        message = f"the label is “{picture.credit_label}”, expected “{LABEL}”"
        yield Finding(span, message, f"write “{LABEL}”", severity=Severity.WARNING)
