"""NL107 date-plausible: The date is hardly the day of publication.

Warns of a date more than 60 days ahead, and of one in the distant past. Where
newsletter.toml says `first_year` (the year of volume 1, where a volume is a
year), the year of the date must be that of the volume: another year is an error,
next door to New Year's Day a warning.

With `first_year = 2022`, wrong:

    issue: 2.20
    date: 2024-10-31
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, date, timedelta

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_date, issue_number

CODE = "NL107"
SEVERITY = Severity.WARNING

AHEAD = timedelta(days=60)
NEW_YEAR = timedelta(days=31)  # how far a volume may run over into the next year
OLDEST = 1970


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the date; say what was expected."""
    published = issue_date(document)
    if published is None:
        return
    span = document.front["date"].value_span
    ahead = (published - context.today).days
    if ahead > AHEAD.days:
        yield Finding(span, f"{published} lies {ahead:,} days ahead", "is the year right?")
    elif published.year < OLDEST:
        yield Finding(span, f"{published} lies in the distant past", "is the year right?")
    number = issue_number(document)
    if number is None or context.first_year is None:
        return
    expected = context.first_year + number.volume - 1
    if published.year == expected:
        return
    message = f"volume {number.volume} is the year {expected}, not {published.year}"
    hint = "correct the date or the number; newsletter new --volume starts a new volume"
    near = _distance(published, expected) <= NEW_YEAR.days
    yield Finding(span, message, hint, severity=Severity.WARNING if near else Severity.ERROR)


def _distance(day: date, year: int) -> int:
    """Days from *day* to the nearest one of *year*."""
    if not MINYEAR <= year <= MAXYEAR:
        return NEW_YEAR.days + 1
    return max((date(year, 1, 1) - day).days, (day - date(year, 12, 31)).days, 0)
