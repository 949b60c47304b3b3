"""Slots: the places of an e-mail that differ from reader to reader.

A template writes `{{ slots.unsubscribe_url }}`; the composed edition then holds a
marker that no editor types and no step of the pipeline rewrites. Addresses are
markers in a domain that can never exist (RFC 2606, `.invalid`), so they pass
every check an address passes. Delivery fills exactly the markers counted here.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum


class Slot(StrEnum):
    """What can be filled in per reader."""

    NAME = "name"  # display name, may be empty
    EMAIL = "email"
    WEB_URL = "web_url"  # this edition in the browser
    UNSUBSCRIBE_URL = "unsubscribe_url"
    PREFERENCES_URL = "preferences_url"

    @property
    def marker(self) -> str:
        if self.value.endswith("_url"):
            return f"https://slot.invalid/{self.value}"
        return f"⟦{self.value}⟧"


# Every message must carry these, in HTML and in text.
REQUIRED = frozenset({Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL, Slot.WEB_URL})

MARKER = re.compile(r"https://slot\.invalid/([a-z_]+)|⟦([a-z_]+)⟧")


def markers() -> dict[str, str]:
    """What templates see as `slots`."""
    return {slot.value: slot.marker for slot in Slot}


def count(text: str) -> Counter[Slot]:
    """Count the slots of *text*. Raises ValueError for a marker that names no slot."""
    return Counter(Slot(match[1] or match[2]) for match in MARKER.finditer(text))


def fill(text: str, values: Mapping[Slot, str], *, escape: bool) -> str:
    """Put *values* into *text*; *escape* for HTML. Raises KeyError for a slot without a value."""
    prepare: Callable[[str], str] = html.escape if escape else str
    return MARKER.sub(lambda match: prepare(values[Slot(match[1] or match[2])]), text)
