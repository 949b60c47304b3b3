"""Wrap text for a plain-text mail: 72 columns as they look, not characters.

A wide character (East Asian Width W or F) takes two columns, a combining one
none. Breaks at spaces, and between wide characters, which have no spaces.
Refuses to break a link: an address that is too long stands out of the column.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from newsletter.diagnostics import width

COLUMNS = 72  # RFC 3676 §4.2: lines should be 78 or fewer; leaves room for one quotation

# Line breaking (UAX #14, reduced): these never begin or end a line.
_NEVER_FIRST = frozenset(
    "、。，．・：；？！」』）］｝〉》】〕’”…ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々"
)
_NEVER_LAST = frozenset("「『（［｛〈《【〔‘“")


def wrap(text: str, indent: int = 0, first: str | None = None, columns: int = COLUMNS) -> str:
    """Break *text* into lines of at most *columns*; its own line breaks are spaces.

    Every line is indented by *indent* spaces; *first*, where given, stands before the first
    line instead ("* ", "1. ").
    """
    margin = " " * indent
    lines, line = [], margin if first is None else first
    used, empty = width(line), True
    for space, piece in _pieces(text):
        taken = len(space) + width(piece)
        if not empty and used + taken > columns:
            lines.append(line.rstrip())
            line, used = margin + piece, indent + width(piece)
        else:
            gap = "" if empty else space
            line, used = line + gap + piece, used + taken - len(space) + len(gap)
        empty = False
    lines.append(line.rstrip())
    return "\n".join(lines)


def _pieces(text: str) -> list[tuple[str, str]]:
    """Pieces that may not be broken, each with the space that stands before it."""
    pieces = []
    for word in re.findall(r"[^ \t\n\r]+", text):
        space = " "
        for piece in _word_pieces(word):
            pieces.append((space, piece))
            space = ""
    return pieces


def _word_pieces(word: str) -> list[str]:
    if word.isascii() or "://" in word or "@" in word:
        return [word]
    pieces = [word[0]]
    for before, char in pairwise(word):
        may_break = (_wide(before) or _wide(char)) and not unicodedata.combining(char)
        if may_break and char not in _NEVER_FIRST and before not in _NEVER_LAST:
            pieces.append(char)
        else:
            pieces[-1] += char
    return pieces


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"
