"""The texts of a document that readers see, each as Prose with its places.

What the rules of the characters walk over: link destinations, comments and
front-matter keys are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.diagnostics import Edit
from newsletter.issue.document import Document, Entry
from newsletter.issue.prose import Anchor, Prose, Run
from newsletter.issue.source import Source, Span

TEXT_KEYS = ("subject", "preheader", "note")

NO_BREAK_SPACES = "\u00a0\u202f\u2007"
SPACES = " \t\u2000-\u200a\u205f" + NO_BREAK_SPACES
# Zero-width, direction marks, soft hyphen, byte-order mark inside, tags: nothing to see.
INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff\U000e0000-\U000e007f"
_SPACE_RUN = re.compile(f"[{SPACES}{INVISIBLE}]+")


def texts(document: Document) -> Iterator[Prose]:
    """Yield every text that is printed, in the order of the file."""
    for key in TEXT_KEYS:
        if key in document.front:
            yield entry_prose(document.source, document.front[key])
    if document.picture is not None:
        yield alt_prose(document)
        if document.picture.credit is not None:
            yield document.picture.credit
    for item in document.items:
        yield item.headline
        yield from (paragraph.prose for paragraph in item.paragraphs)
        if item.sources is not None:
            yield item.sources.prose


def entry_prose(source: Source, entry: Entry) -> Prose:
    """The value of a front-matter entry; places inside are exact unless YAML escapes it."""
    span = entry.value_span
    written = source.text[span.start : span.end]
    inner = written[1:-1] if written[:1] in "\"'" else written
    start = span.start + (written[:1] in "\"'" and written != "")
    return _prose(entry.value, start, span, verbatim=inner == entry.value)


def alt_prose(document: Document) -> Prose:
    """The alt text of the hero; places inside are exact unless it holds Markdown."""
    picture = document.picture
    if picture is None:
        return Prose()
    start = picture.span.start + 2
    return _prose(
        picture.alt,
        start,
        picture.span,
        verbatim=document.source.text.startswith(picture.alt, start),
    )


def _prose(text: str, start: int, span: Span, *, verbatim: bool) -> Prose:
    anchor = Anchor(0, start) if verbatim else Anchor(0, span.start, False, span.end - span.start)
    return Prose.of([Run(text)], [anchor])


def edit(document: Document, prose: Prose, at: int, replacement: str) -> tuple[Edit, ...]:
    """Replace the plain character at *at*; nothing where that is not safe to do by itself."""
    span = prose.span(at, at + 1)
    written = document.source.text[span.start : span.end]
    if written != prose.text[at] and not re.fullmatch(r"&#?\w+;|\\[!-~]", written):
        return ()
    in_front = span.start < document.front_span.end
    if in_front and not replacement.strip():
        # “note: a:<no-break space>b” would become “a: b”, which YAML does not read as text.
        around = document.source.text[span.start - 1 : span.start + 2]
        if ":" in around or "#" in around:
            return ()
    return (Edit(span.start, span.end, replacement),)


def respaced(document: Document, prose: Prose) -> dict[int, str]:
    """What each space of *prose* should be instead, where it should be anything else.

    One plain space stays of several, none at the ends, the line break where there is one.
    """
    found: dict[int, str] = {}
    text, source = prose.text, document.source.text
    for match in _SPACE_RUN.finditer(text):
        if match[0] == " " and 0 < match.start() < len(text) - 1:
            continue  # as it should be
        spaces = [at for at in range(*match.span()) if re.match(f"[{SPACES}]", text[at])]
        breaks = [at for at in spaces if source[slice(*_bounds(prose, at))] == "\n"]
        edge = match.start() == 0 or match.end() == len(text)
        kept = breaks[:1] or ([] if edge else spaces[:1])
        for at in spaces:
            wanted = " " if at in kept else ""
            if text[at] != wanted and at not in breaks:
                found[at] = wanted
    return found


def _bounds(prose: Prose, at: int) -> tuple[int, int]:
    span = prose.span(at, at + 1)
    return span.start, span.end


def characters(document: Document, wanted: re.Pattern[str]) -> Iterator[tuple[Span, str]]:
    """Find characters anywhere in the file, also where they are written as an entity."""
    source = document.source.text
    yield from ((Span(match.start(), match.end()), match[0]) for match in wanted.finditer(source))
    for prose in texts(document):
        for match in wanted.finditer(prose.text):
            span = prose.span(match.start(), match.end())
            if wanted.search(source, span.start, span.end) is None:
                yield span, match[0]


def by_line(
    document: Document, found: Iterator[tuple[Span, str]]
) -> Iterator[tuple[Span, str, int]]:
    """Join the same character in one line: its first place, the character, how often."""
    groups: dict[tuple[int, str], tuple[Span, int]] = {}
    for span, character in found:
        key = document.source.place(span.start)[0], character
        first, count = groups.get(key, (span, 0))
        groups[key] = first, count + 1
    yield from ((span, key[1], count) for key, (span, count) in groups.items())


def codepoint(character: str) -> str:
    """Name a character that cannot be seen: “U+200B (zero width space)”."""
    import unicodedata

    name = unicodedata.name(character, "").lower() or _CONTROL_NAMES.get(character, "")
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")


_CONTROL_NAMES = {
    "\0": "null",
    "\a": "bell",
    "\b": "backspace",
    "\v": "vertical tab",
    "\f": "form feed",
    "\x1a": "end of file in DOS",
    "\x1b": "escape",
    "\x7f": "delete",
    "\x85": "next line",
}


def times(count: int) -> str:
    """Say how often, where it is more than once: “, 3 times”."""
    return f", {count} times" if count > 1 else ""


def shortened(text: str, limit: int = 60) -> str:
    """*text* on one line for a message, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
