"""The subscribers of a store: everything that is done with them, by one door.

Every function takes a connection of `Store.begin()` (or `Store.read()`, for those
that only read) first; who writes takes `now` and `actor` too. Refuses to read
files: that is `newsletter.audience.importer`.
"""

from newsletter.audience.history import record, timeline
from newsletter.audience.joining import add, confirm, request
from newsletter.audience.leaving import erase, lift, pause, resume, suppress, unsubscribe
from newsletter.audience.profile import tag
from newsletter.audience.reading import (
    count,
    eligible,
    everyone,
    find,
    find_exactly,
    get,
    iterate,
    other_spellings,
    statistics,
    suppression_of,
)

__all__ = [
    "add",
    "confirm",
    "count",
    "eligible",
    "erase",
    "everyone",
    "find",
    "find_exactly",
    "get",
    "iterate",
    "lift",
    "other_spellings",
    "pause",
    "record",
    "request",
    "resume",
    "statistics",
    "suppress",
    "suppression_of",
    "tag",
    "timeline",
    "unsubscribe",
]
