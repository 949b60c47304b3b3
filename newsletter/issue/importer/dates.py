"""Find the publication date of a page: as it is stated, or inferred from the text.

An inferred date is the latest one that the text mentions; who asked is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.issue.importer.blocks import Block
from newsletter.issue.number import IssueNumber

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY = r"([0-3]?[0-9])(?:st|nd|rd|th)?"
_LAST_DAY = rf"(?:{_DAY}\s*(?:[-–—]|to|and|&)\s*)?{_DAY}"
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+{_LAST_DAY}(?![0-9])(?:,?\s+((?:19|20)[0-9]{{2}})\b)?")
_DAY_FIRST = re.compile(rf"\b{_LAST_DAY}\s+{_MONTH}(?:,?\s+((?:19|20)[0-9]{{2}})\b)?")
_ISO = re.compile(r"\b((?:19|20)[0-9]{2})-([01][0-9])-([0-3][0-9])(?![0-9])")
_STATED = re.compile(
    r"(?:(?:last\s+)?(?:published|posted|updated|date|dated|issued)\s*"
    r"(?:(?:in|under)\s.{1,30}?\s)?(?:on\b)?\s*:?\s*)?"
    r"(?:(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?\.?,?\s+)?(.{6,30})",
    re.IGNORECASE,
)


_NUMERIC = re.compile(r"([01]?[0-9])/([0-3]?[0-9])/((?:19|20)[0-9]{2})")
_PARTS = re.compile(r"\s[|•·/–—]\s|\s+by\s+", re.IGNORECASE)
_LONGEST_LINE = 80


@dataclass(frozen=True, slots=True)
class Mention:
    """A day that the text speaks of; *start* is its offset in the block's text."""

    day: date
    block: Block
    start: int
    words: str


def stated_date(text: str) -> date | None:
    """The date of a line that holds nothing else, such as “October 31, 2023”.

    A name or category may stand beside it: “By A. Writer | October 31, 2023”.
    """
    if len(text) > _LONGEST_LINE:
        return None
    found = (_stated(part) for part in (text, *_PARTS.split(text)))
    return next((day for day in found if day is not None), None)


def _stated(text: str) -> date | None:
    stated = _STATED.fullmatch(text.strip())
    if stated is None:
        return None
    inner = stated[1].strip().rstrip(".")
    iso = _ISO.match(inner)
    if iso is not None and re.fullmatch(r"(?:T[0-9:.Z+-]*)?", inner[iso.end() :]):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    numeric = _NUMERIC.fullmatch(inner)
    if numeric is not None and int(numeric[2]) > 12:  # 09/29/2023; 10/11/2023 has two readings
        return _day(int(numeric[3]), int(numeric[1]), int(numeric[2]))
    for pattern, month, day in ((_MONTH_FIRST, 1, 3), (_DAY_FIRST, 3, 2)):
        match = pattern.fullmatch(inner)
        if match is not None and match[4]:
            return _day(int(match[4]), _month(match[month]), int(match[day]))
    return None


def latest_mention(
    blocks: Sequence[Block], number: IssueNumber | None, first_year: int | None
) -> Mention | None:
    """The latest day that *blocks* mention.

    A day without a year lies in the year of the volume, where *first_year* tells it:
    November and December in the first numbers of a volume lie in the year before.
    """
    year = first_year + number.volume - 1 if first_year is not None and number is not None else None
    found = [
        mention
        for block in blocks
        for mention in _mentions(block, year, early=number is not None and number.number <= 4)
        if year is None or abs(mention.day.year - year) <= 1
    ]
    return max(found, key=lambda mention: mention.day, default=None)


def _mentions(block: Block, year: int | None, *, early: bool) -> Iterator[Mention]:
    for pattern, month_at, day_at in ((_MONTH_FIRST, 1, 3), (_DAY_FIRST, 3, 2)):
        for match in pattern.finditer(block.text):
            month = _month(match[month_at])
            if match[4]:
                its_year = int(match[4])
            elif year is None:
                continue
            else:
                its_year = year - 1 if early and month >= 11 else year
            day = _day(its_year, month, int(match[day_at]))
            if day is not None:
                yield Mention(day, block, match.start(), match[0])
    for match in _ISO.finditer(block.text):
        day = _day(int(match[1]), int(match[2]), int(match[3]))
        if day is not None:
            yield Mention(day, block, match.start(), match[0])


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
