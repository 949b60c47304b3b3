"""Straight quotes to curly ones, for every output and for `check --fix`.

One character for one character, so that places stay. Where it is not clear
which way a quote faces (inches, a quote alone between spaces), it stays straight.
"""

from __future__ import annotations

import re

DOUBLE_OPEN, DOUBLE_CLOSE, SINGLE_OPEN, SINGLE_CLOSE = "“", "”", "‘", "’"
STRAIGHT = re.compile(r"[\"']")
CURLY = re.compile(r"[“”‘’]")

_QUOTES = frozenset("\"'“”‘’")
_OPENS_BEFORE = frozenset("([{<—–-/¿¡")
_CLOSES_AFTER = frozenset(")]}>.,;:!?…—–-/")
# Letters or digits left out at the beginning: 'tis, rock 'n' roll, the '90s.
_ELISION = re.compile(r"(?:tis|twas|twere|til|em|cause|bout|n|\d\ds)(?![^\W_])", re.IGNORECASE)

_SHORT_YEAR = re.compile(r"\d\d(?![^\W_]|[.,]\d|%)")
_CLOSING_SINGLE = re.compile(r"(?<=[^\s(\[\"“‘'—–-])['’](?![^\W_])")
_LONGEST_QUOTATION = 200


def curl(text: str) -> str:
    """Return *text* with curly quotes. The length stays; curling twice changes nothing."""
    if STRAIGHT.search(text) is None:
        return text
    left, right = _neighbours(text)
    out: list[str] = []
    doubles = singles = 0  # quotations that are open
    for at, char in enumerate(text):
        if char == '"':
            char = _double(text, at, left[at], right[at], doubles)
        elif char == "'":
            char = _single(text, at, left[at], right[at], singles)
        doubles = max(0, doubles + (char == DOUBLE_OPEN) - (char == DOUBLE_CLOSE))
        singles = max(0, singles + (char == SINGLE_OPEN) - (char == SINGLE_CLOSE))
        out.append(char)
    return "".join(out)


def _neighbours(text: str) -> tuple[list[str], list[str]]:
    """For each character the nearest one on either side that is no quote; "" at the ends.

    Quotes are looked through, or curling one would change what the next one sees.
    """
    left, right = [""] * len(text), [""] * len(text)
    seen = ""
    for at, char in enumerate(text):
        left[at] = seen
        seen = seen if char in _QUOTES else char
    seen = ""
    for at in range(len(text) - 1, -1, -1):
        right[at] = seen
        seen = seen if text[at] in _QUOTES else text[at]
    return left, right


def _may_open(before: str) -> bool:
    return before == "" or before.isspace() or before in _OPENS_BEFORE


def _may_close(after: str) -> bool:
    return after == "" or after.isspace() or after in _CLOSES_AFTER


def _double(text: str, at: int, before: str, after: str, pending: int) -> str:
    opens, closes = _may_open(before), _may_close(after)
    if closes and not opens:
        is_measure = text[at - 1].isdigit() and not pending
        return '"' if is_measure else DOUBLE_CLOSE
    if opens and not closes:
        return DOUBLE_OPEN
    if pending:
        return DOUBLE_CLOSE
    if opens and after and not after.isspace():
        return DOUBLE_OPEN
    return '"'


def _single(text: str, at: int, before: str, after: str, pending: int) -> str:
    previous, following = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    opens, closes = _may_open(before), _may_close(after)
    if previous.isdigit() and (following.isdigit() or (closes and not pending)):
        return "'"  # feet or minutes
    if opens and (_ELISION.match(text, at + 1) or _is_short_year(text, at)):
        return SINGLE_CLOSE
    if opens and not closes:
        return SINGLE_OPEN
    if not opens:
        return SINGLE_CLOSE
    if pending:
        return SINGLE_CLOSE
    return SINGLE_OPEN if after and not after.isspace() else "'"


def _is_short_year(text: str, at: int) -> bool:
    """“class of '22”; not “the '10 points' of the plan”, where the quotation is closed."""
    year = _SHORT_YEAR.match(text, at + 1)
    if year is None:
        return False
    return _CLOSING_SINGLE.search(text, year.end(), at + _LONGEST_QUOTATION) is None
