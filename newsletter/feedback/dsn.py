"""Delivery status notifications (RFC 3464): who is meant, what happened, in what words.

Reads them as they are really written: any case, folded, blocks without a blank line
between them or with too many, comments, no address type. Refuses to guess: a block
without a recipient or without an action or status says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from newsletter.feedback.severity import status_in

_MAX_RECIPIENTS = 200  # one of our messages has one; an alias may have more
_MAX_VALUE = 4_000  # characters of a field

_FIELD = re.compile(r"[ ]{0,3}([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)")
_WHO = ("original-recipient", "final-recipient")
_WHAT = ("action", "status")
_EXTRA = ("diagnostic-code", "x-actual-recipient", "remote-mta", "last-attempt-date")
_KNOWN = frozenset((*_WHO, *_WHAT, *_EXTRA))
_IS_REPORT = re.compile(r"^[ ]{0,3}(?:final|original)-recipient[ \t]*:", re.I | re.M)

_COMMENT = re.compile(r"\([^()@]*\)")
_TYPE = re.compile(r"^\s*\"?[\w.-]+\"?\s*;\s*")
_ADDRESS = re.compile(
    r"""(?P<quoted>"(?:[^"\\\n]|\\.){1,64}"@[^\s<>;,:()"\[\]]{1,255})
    |(?P<plain>[^\s<>;,:()"\[\]@]{1,255}@(?:\[[^\]\s]{1,64}\]|[^\s<>;,:()"\[\]@]{1,255}))""",
    re.VERBOSE,
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")  # RFC 3461 §4
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")  # RFC 6533 §3


@dataclass(kw_only=True)
class Block:
    """The fields of one recipient, by name in lower case."""

    fields: dict[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str | None:
        """The address that we wrote to, else the one it ended at; None for what is no address."""
        names = (*_WHO, "x-actual-recipient")
        found = (address_in(self.fields.get(name, "")) for name in names)
        return next(filter(None, found), None)

    @property
    def action(self) -> str:
        """Its first word in lower case; "failed" or "delayed" by the status where it is missing."""
        word = re.search(r"[a-z]+", self.fields.get("action", "").lower())
        if word is not None:
            return word[0]
        return {"2": "delivered", "4": "delayed"}.get((self.status or "5")[0], "failed")

    @property
    def status(self) -> str | None:
        return status_in(self.fields.get("status", ""))

    @property
    def diagnostic(self) -> str:
        """The reply of the other server, and what stands beside the status as a comment."""
        diagnostic = _TYPE.sub("", self.fields.get("diagnostic-code", ""), count=1)
        comment = re.sub(r"^\s*\d\.\d+\.\d+\s*", "", self.fields.get("status", ""))
        return f"{diagnostic} {comment}".strip()


def is_report(text: str) -> bool:
    """Does *text* hold fields of recipients?"""
    return _IS_REPORT.search(text) is not None


def blocks_in(text: str) -> list[Block]:
    """Return the recipients of a report, each with what is said about it."""
    blocks = [Block()]
    for name, value in _fields(text):
        if not name:
            if _is_whole(blocks[-1]):
                blocks.append(Block())
        elif name in _KNOWN:
            if _begins_another(blocks[-1], name):
                if len(blocks) > _MAX_RECIPIENTS:
                    break
                blocks.append(Block())
            said = blocks[-1].fields.get(name)
            blocks[-1].fields[name] = value if said is None else f"{said} {value}"[:_MAX_VALUE]
    for block, following in pairwise(blocks):
        # It was no beginning: this one has its Original-Recipient last.
        if following.fields.keys() == {"original-recipient"}:
            block.fields.setdefault(*following.fields.popitem())
    return [block for block in blocks if _is_whole(block)]


def _is_whole(block: Block) -> bool:
    return any(name in block.fields for name in _WHO) and any(
        name in block.fields for name in _WHAT
    )


def _begins_another(block: Block, name: str) -> bool:
    if name in block.fields:
        return name not in _EXTRA
    # Original-Recipient comes first in its block; behind action and status it is the next one’s.
    return name == "original-recipient" and "final-recipient" in block.fields and _is_whole(block)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case with unfolded values; a blank line is an empty name."""
    name, value = "", ""
    for line in text.split("\n"):
        found = _FIELD.match(line)
        if found is not None and not (name and line[0] == " " and found[1].lower() not in _KNOWN):
            if name:
                yield name, value
            name, value = found[1].lower(), found[2].strip()[:_MAX_VALUE]
        elif not line.strip():
            if name:
                yield name, value
            yield "", ""
            name, value = "", ""
        elif line[0] in " \t" and name and len(value) < _MAX_VALUE:
            value = f"{value} {line.strip()}"[:_MAX_VALUE]
        elif name:
            yield name, value
            name, value = "", ""
    if name:
        yield name, value


def address_in(value: str) -> str | None:
    """Return the address in the value of a recipient field, or None."""
    value = _UTF8.sub(_character, _COMMENT.sub(" ", value))
    bare = _TYPE.sub("", value, count=1)
    found = _ADDRESS.search(bare)
    if found is None and "@" not in bare:
        found = _ADDRESS.search(_XTEXT.sub(_octet, bare))
    if found is None:
        return None
    address = found[0].removeprefix("mailto:").strip("'`’").rstrip(".")
    local, _, domain = address.rpartition("@")
    # Only a "+" that stands for itself or "=": jane+42@example.org is no xtext.
    local = local.replace("+2B", "+").replace("+3D", "=")
    return f"{local}@{domain.lower()}" if local and domain else None


def _octet(found: re.Match[str]) -> str:
    return chr(max(int(found[1], 16), 0x20))


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if 0x20 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
