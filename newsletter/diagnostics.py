"""A Diagnostic is one finding in an editor's text: place, rule, severity, message, hint.

Prints them for people (the source line and a caret), for programs (JSON) and
for code hosts (GitHub annotations). Refuses to decide what is wrong: that is
`newsletter.issue.rules`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"  # blocks composing and sending
    WARNING = "warning"  # needs a mend or a waiver with a reason
    INFO = "info"  # worth a look; never blocks


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from *start* to *end* (offsets into the source text)."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """Lines and columns count from 1, columns in characters; the end is exclusive."""

    code: str
    name: str
    severity: Severity
    message: str
    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    hint: str | None = None
    source_line: str | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def fixable(self) -> bool:
        return bool(self.edits)


def count(diagnostics: Iterable[Diagnostic], severity: Severity) -> int:
    return sum(1 for diagnostic in diagnostics if diagnostic.severity is severity)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


# ── text ────────────────────────────────────────────────────────────────────

_WINDOW = 96  # columns of a long source line that are shown around the caret


def as_text(diagnostics: Sequence[Diagnostic]) -> str:
    """One block per diagnostic: place, message, source line with a caret, hint."""
    return "".join(_text_block(diagnostic) for diagnostic in diagnostics)


def _text_block(diagnostic: Diagnostic) -> str:
    place = f"{_printable(diagnostic.path)}:{diagnostic.line}:{diagnostic.column}"
    fix = " [fixable]" if diagnostic.fixable else ""
    lines = [
        f"{place}: {diagnostic.severity} {diagnostic.code}{fix}: {_printable(diagnostic.message)}"
    ]
    if diagnostic.source_line is not None and diagnostic.source_line.strip():
        lines += _excerpt(diagnostic)
    if diagnostic.hint:
        lines.append(f"  hint: {_printable(diagnostic.hint)}")
    return "\n".join(lines) + "\n"


def _excerpt(diagnostic: Diagnostic) -> list[str]:
    source = diagnostic.source_line or ""
    start = max(0, min(diagnostic.column - 1, len(source)))
    end = diagnostic.end_column - 1 if diagnostic.end_line == diagnostic.line else len(source)
    end = max(start + 1, min(end, len(source)))
    left = 0
    if len(source) > _WINDOW and start > _WINDOW // 2:
        left = min(start - _WINDOW // 3, len(source) - _WINDOW)
    right = min(len(source), left + _WINDOW)
    before, marked = source[left:start], source[start : min(end, right)]
    shown = ("…" if left else "") + source[left:right] + ("…" if right < len(source) else "")
    indent = width(_printable(before)) + (1 if left else 0)
    caret = "^" * max(1, width(_printable(marked)))
    gutter = f"{diagnostic.line:>5} │ "
    return [gutter + _printable(shown), " " * 5 + " │ " + " " * indent + caret]


def width(text: str) -> int:
    """Terminal cells that *text* takes: wide East Asian characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _printable(text: str) -> str:
    """Make what cannot be seen visible, and keep control sequences out of the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    if char == "\t":
        return " "
    if char == "\N{NO-BREAK SPACE}":
        return "\N{OPEN BOX}"
    return f"<U+{ord(char):04X}>"


# ── machines ────────────────────────────────────────────────────────────────


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON array; keys as the fields of `Diagnostic`, places as in the text form."""
    return json.dumps([_json_object(d) for d in diagnostics], ensure_ascii=False, indent=2) + "\n"


def _json_object(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "path": diagnostic.path,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "end_line": diagnostic.end_line,
        "end_column": diagnostic.end_column,
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "fixable": diagnostic.fixable,
    }


_GITHUB_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands: `::error file=…,line=…,col=…,title=…::message`."""
    return "".join(_github_line(diagnostic) for diagnostic in diagnostics)


def _github_line(diagnostic: Diagnostic) -> str:
    properties = {
        "file": diagnostic.path,
        "line": diagnostic.line,
        "col": diagnostic.column,
        "endLine": diagnostic.end_line,
        "endColumn": diagnostic.end_column,
        "title": f"{diagnostic.code} {diagnostic.name}",
    }
    fields = ",".join(f"{key}={_github_property(str(value))}" for key, value in properties.items())
    message = diagnostic.message + (f"\nhint: {diagnostic.hint}" if diagnostic.hint else "")
    return f"::{_GITHUB_LEVEL[diagnostic.severity]} {fields}::{_github_data(message)}\n"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
