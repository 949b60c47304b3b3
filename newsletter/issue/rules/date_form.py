"""NL106 date-form: The date is not a day of the calendar, written as in 2023-10-31.

Year, month and day with two hyphens, so that nobody has to guess whether 10/11
is in October or in November.

Wrong:

    date: Oct 31, 2023

Right:

    date: 2023-10-31
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_date
from newsletter.issue.texts import shortened

CODE = "NL106"
SEVERITY = Severity.ERROR

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the value; where the day can be made out, say how to write it."""
    value = document.value("date")
    if value is None or issue_date(document) is not None:
        return
    span = document.front["date"].value_span
    if _FORM.fullmatch(value.strip()):
        message = f"{value.strip()} is not in the calendar"
        yield Finding(span, message, _calendar_hint(value.strip()))
    else:
        day = understood(value)
        hint = f"write date: {day}" if day else "write year, month and day: date: 2023-10-31"
        yield Finding(span, f"“{shortened(value)}” is not in the form 2023-10-31", hint)


def _calendar_hint(value: str) -> str:
    year, month = int(value[:4]), int(value[5:7])
    if not 1 <= month <= 12 or year < 1:
        return "months run from 01 to 12: year-month-day, as in 2023-10-31"
    days = monthrange(year, month)[1]
    return f"{date(year, month, 1):%B} {year} has {days} days"


def understood(value: str) -> date | None:
    """The day that *value* means, where only one reading is possible."""
    text = re.sub(r"[T ][0-9]{1,2}:[0-9]{2}.*$", "", value.strip(), flags=re.DOTALL)
    if match := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", text, re.A):
        return _day(match[1], match[2], match[3])
    if match := re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", text, re.A):
        return _day(match[1], match[2], match[3])
    if match := re.fullmatch(r"([A-Za-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})", text):
        return _day(match[3], _month(match[1]), match[2])
    if match := re.fullmatch(r"([0-9]{1,2})\.? ([A-Za-z]{3,9})\.?,? ([0-9]{4})", text):
        return _day(match[3], _month(match[2]), match[1])
    if match := re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text, re.A):
        first, second = _day(match[3], match[1], match[2]), _day(match[3], match[2], match[1])
        return first or second if not (first and second) or first == second else None
    return None


def _month(name: str) -> str:
    months = [date(2000, number, 1).strftime("%B").lower() for number in range(1, 13)]
    fitting = [n for n, month in enumerate(months, start=1) if month.startswith(name.lower()[:4])]
    return str(fitting[0]) if len(fitting) == 1 else "0"


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
