"""NL117 raw-html: The text holds raw HTML.

An issue becomes mail, plain text, a web page and a PDF; HTML would be right in
one of them at most, and a script or a style in none.

Wrong:

    The treaty was <b>not</b> signed.

Right:

    The treaty was **not** signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.source import Span
from newsletter.issue.texts import shortened, texts

CODE = "NL117"
SEVERITY = Severity.ERROR

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_HINTS = {
    "b": "write it as **strong**",
    "strong": "write it as **strong**",
    "i": "write it as *emphasis*",
    "em": "write it as *emphasis*",
    "a": "write it as [words](https://example.org/page)",
    "br": "take it out: a bullet is one paragraph",
    "p": "take it out: an empty line ends a paragraph",
    "img": "the picture is written as ![What it shows](hero.jpg)",
}
_CLOSE = "close it with “-->”"
_PLAIN = "take it out; a “<” that is meant as such is written &lt;"


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at each tag but for closing ones whose opening one was named."""
    yield from _open_comments(document)
    opened: set[str] = set()
    for block in (*document.blocks, *(b for item in document.items for b in item.blocks)):
        if block.kind != "raw HTML":
            continue
        written = document.source.text[block.span.start : block.span.end].lstrip()
        if written.startswith("<!--"):
            message = "this comment is never closed, so everything behind it is lost"
            yield Finding(_start(block.span, 4), message, _CLOSE)
            continue
        tag = _TAG.match(written)
        name = tag[2].lower() if tag is not None else ""
        if tag is not None and tag[1] and name in opened:
            continue
        opened.add(name)
        shown = f"<{tag[1]}{name}>" if tag is not None else shortened(written, 20)
        yield Finding(
            _start(block.span, len(written.partition("\n")[0])),
            f"raw HTML: {shown}",
            _HINTS.get(name, _PLAIN),
        )


def _open_comments(document: Document) -> Iterator[Finding]:
    """A “<!--” inside a paragraph that is never closed is plain text to Markdown."""
    for prose in texts(document):
        at = prose.text.find("<!--")
        span = prose.span(at, at + 4)
        if at >= 0 and document.source.text.startswith("<!--", span.start):
            yield Finding(span, "this comment is never closed, so it is printed", _CLOSE)


def _start(span: Span, length: int) -> Span:
    return Span(span.start, min(span.end, span.start + length))
