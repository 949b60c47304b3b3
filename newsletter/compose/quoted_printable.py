"""Quoted-printable (RFC 2045 §6.7) in pieces that can be joined around any value.

A value stands on lines of its own between two soft breaks, so that the lines
around it are the same for every reader. No line begins with a dot or with the F
of "From ", so nothing on the way to the reader has to alter the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WIDTH = 76  # of a line, the "=" of a soft break included

SOFT_BREAK = b"=\r\n"
_PLAIN = frozenset(range(33, 127)) - {ord("=")} | {ord(" ")}
_ENCODED = [bytes([byte]) if byte in _PLAIN else b"=%02X" % byte for byte in range(256)]
_GUARDED = {ord("."): b"=2E", ord("F"): b"=46"}  # at the beginning of a line

# What stands as it is on a line of its own; never ends in a space.
_SHORT = re.compile(r"[!-\-/-<>-EG-~](?:[ -<>-~]{0,73}[!-<>-~])?")


def encode_static(text: str, *, before_value: bool) -> bytes:
    """Encode a piece of a body that begins a line; line ends become CRLF.

    *before_value*: a value follows, so the last line ends with a soft break unless it is empty.
    """
    lines = text.encode().split(b"\n")
    encoded = [b"".join(_line(line, soft_end=False)) for line in lines[:-1]]
    last = b"".join(_line(lines[-1], soft_end=before_value))
    return b"".join(line + b"\r\n" for line in encoded) + last


def encode_value(text: str) -> bytes:
    """Encode a value without line breaks: from a line's beginning to a soft break."""
    if _SHORT.fullmatch(text):
        return text.encode("ascii") + SOFT_BREAK
    return b"".join(_line(text.encode(), soft_end=True))


def _line(line: bytes, *, soft_end: bool) -> Iterable[bytes]:
    """The pieces of one line of a body; *soft_end* ends it with a soft break, if there is any."""
    column = 0
    last = len(line) - 1
    for index, byte in enumerate(line):
        piece = _ENCODED[byte]
        ends_line = index == last and not soft_end
        if ends_line and byte == ord(" "):  # servers may strip it
            piece = b"=20"
        if column + len(piece) > (WIDTH if ends_line else WIDTH - 1):
            yield SOFT_BREAK
            column = 0
        if column == 0:
            piece = _GUARDED.get(byte, piece)
        yield piece
        column += len(piece)
    if soft_end and line:
        yield SOFT_BREAK
