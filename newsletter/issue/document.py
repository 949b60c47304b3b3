"""Document: an issue file as it was written, right or wrong.

The parser puts everything it finds here, with its place; the rules judge it.
Only a document without errors is turned into an `Issue`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.issue.prose import Prose
from newsletter.issue.source import NOWHERE, Source, Span


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of the front matter; *value* is the text, never a number."""

    key: str
    value: str
    key_span: Span
    value_span: Span


@dataclass(frozen=True, slots=True)
class Picture:
    """`![alt](file)` and the credit line that follows it, if any."""

    file: str
    alt: str
    span: Span
    file_span: Span
    credit: Prose | None = None
    credit_label: str = ""  # "Image Source:" as it was typed
    credit_span: Span | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    prose: Prose
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """Something that has no place where it stands; *kind* names it in plain words."""

    kind: str  # "list", "code block", "quotation", "heading", "rule", "raw HTML", "picture", "text"
    span: Span


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftItem:
    """A `##` heading and what follows it, down to the next one."""

    headline: Prose
    headline_span: Span
    paragraphs: tuple[Paragraph, ...]
    sources: Paragraph | None
    sources_label: str
    blocks: tuple[Block, ...]
    span: Span

    @property
    def bullet(self) -> Prose:
        """The first paragraph; empty prose where there is none."""
        return self.paragraphs[0].prose if self.paragraphs else Prose()


@dataclass(frozen=True, slots=True)
class Waiver:
    """`<!-- newsletter: allow NL203 reason -->`; covers its item, or the file above the first."""

    codes: tuple[str, ...]
    reason: str
    span: Span
    scope: Span


@dataclass(frozen=True, slots=True)
class Fault:
    """What the parser itself stumbled over. After a *fatal* one nothing else can be judged."""

    code: str
    span: Span
    message: str
    hint: str | None = None
    fatal: bool = False


@dataclass(frozen=True, kw_only=True)
class Document:
    source: Source
    front: Mapping[str, Entry] = field(default_factory=dict)
    front_span: Span = NOWHERE
    picture: Picture | None = None
    items: tuple[DraftItem, ...] = ()
    blocks: tuple[Block, ...] = ()  # above the first item, or the second picture
    waivers: tuple[Waiver, ...] = ()
    faults: tuple[Fault, ...] = ()

    @property
    def readable(self) -> bool:
        return not any(fault.fatal for fault in self.faults)

    def value(self, key: str) -> str | None:
        """Text of the front-matter entry *key*, None where it is missing or blank."""
        entry = self.front.get(key)
        return entry.value if entry is not None and entry.value.strip() else None
