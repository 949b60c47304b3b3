"""The words of notices: their kinds, and what became of one. Holds data."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    CONFIRM = "confirm"  # somebody asked for the newsletter with this address: is it them?
    WELCOME = "welcome"  # they confirmed
    KNOWN = "known"  # somebody asked, and the address is on the list already


class Outcome(StrEnum):
    """How a notice has ended."""

    ACCEPTED = "accepted"  # the transport took it, or may have, twice
    FAILED = "failed"  # refused for good, or too often
    VOID = "void"  # there was no reason any more to send it
