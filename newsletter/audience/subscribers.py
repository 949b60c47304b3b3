"""The subscribers of a store: everything that is done with them, by one door.

Every function takes a connection of `Store.begin()` (or `Store.read()`, for those
that only read) first; who writes takes `now` and `actor` too. Refuses to read
files: that is `newsletter.audience.importer`.
"""

from newsletter.audience.asking import (
    ask,
    confirm,
    confirmation_state,
    may_confirm,
    new_token,
    request,
)
from newsletter.audience.history import record, timeline
from newsletter.audience.joining import add
from newsletter.audience.leaving import (
    erase,
    erase_by_id,
    forget_unconfirmed,
    lift,
    suppress,
    unsubscribe,
)
from newsletter.audience.pausing import issues_left, pause, pause_for, resume, resume_due
from newsletter.audience.profile import change, tag
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
    "ask",
    "change",
    "confirm",
    "confirmation_state",
    "count",
    "eligible",
    "erase",
    "erase_by_id",
    "everyone",
    "find",
    "find_exactly",
    "forget_unconfirmed",
    "get",
    "issues_left",
    "iterate",
    "lift",
    "may_confirm",
    "new_token",
    "other_spellings",
    "pause",
    "pause_for",
    "record",
    "request",
    "resume",
    "resume_due",
    "statistics",
    "suppress",
    "suppression_of",
    "tag",
    "timeline",
    "unsubscribe",
]
