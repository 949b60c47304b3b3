"""Replies of other servers, as they may be kept: one line, short, and without addresses.

A reply outlives an erasure, so whom it was about must not stand in it.
"""

from __future__ import annotations

import re

MAX_LENGTH = 500  # characters
MASK = "…"
_LONGEST = 2_000  # of what is looked at

_CHAR = r"""[^\s<>()\[\],;:"]"""
# Tried where a word begins alone: at each letter of a long one it takes the square of its length.
_WORD = rf"(?<!{_CHAR}){_CHAR}+"
_ADDRESS = re.compile(rf"""(?:"[^"@]*"|{_WORD})@{_CHAR}+""")
_ENCODED = re.compile(rf"{_WORD}(?:=40|%40){_CHAR}+", re.IGNORECASE)


def masked(reply: str, email: str = "") -> str:
    """Take every address out of *reply*, and the part before the @ of *email* where it stands."""
    words = "".join(char if char.isprintable() else " " for char in reply[:_LONGEST]).split()
    if len(reply) > _LONGEST:
        words = words[:-1]  # may be half an address
    text = " ".join(words)
    local = email.rpartition("@")[0]
    is_named = bool(email) and _may_hold(text, local)
    if is_named:
        text = re.sub(re.escape(email), MASK, text, flags=re.IGNORECASE)
    text = _ENCODED.sub(MASK, _ADDRESS.sub(MASK, text))
    if is_named and len(local) > 2 and not local.isdecimal():  # a number may be the reply's code
        text = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    return text if len(text) <= MAX_LENGTH else text[: MAX_LENGTH - 1] + "…"


def _may_hold(text: str, part: str) -> bool:
    """Whether *part* is worth an expression of its own; beyond ASCII letter case is subtle."""
    return not (text.isascii() and part.isascii()) or part.lower() in text.lower()
