"""NL304 date-style: Dates are written in more than one style.

    wrong: on Sept 18 … on September 27       (the month cut in one, not in the other)
    wrong: on Sept 18 … on Oct. 3             (a period after one of them)
    wrong: on March 6 … on 8 March … on March 9th
    right: on Sept 18 … on Sept 27 … in September

Only months with a day count. March to July are not shortened in news style, so
“March 6” stands well beside “Sept 18”.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import Passage, Use, odd_forms, passages

CODE = "NL304"
SEVERITY = Severity.WARNING

_FULL = "January|February|March|April|May|June|July|August|September|October|November|December"
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_NEVER_SHORT = ("March", "April", "May", "June", "July")
_SPACE = r"[\s\N{NO-BREAK SPACE}]"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?!\d|,\d|\.\d|%)(?P<ordinal>st|nd|rd|th)?"
_MONTH = rf"(?P<month>(?P<full>{_FULL})|(?:{_SHORT})(?P<period>\.)?)"
_MONTH_FIRST = re.compile(rf"\b{_MONTH}{_SPACE}{_DAY}\b")
_DAY_FIRST = re.compile(
    rf"(?<![\w.,$¥-]){_DAY}(?:{_SPACE}of)?{_SPACE}{_MONTH}(?!\w)(?!{_SPACE}\d{{1,2}}\b)"
)


class _Date(NamedTuple):
    passage: Passage
    match: re.Match[str]
    order: str

    def use(self, form: str) -> Use:
        return Use(form, self.passage, self.match.start(), self.match.end())


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Compare the order, the length of the month and the ending of the day, each by itself."""
    dates = list(_dates(document))
    for uses, what in (
        ([date.use(date.order) for date in dates], "day and month in two orders"),
        (list(_months(dates)), "months in two forms"),
        ([date.use("th" if date.match["ordinal"] else "") for date in dates], "days in two forms"),
    ):
        for odd, usual in odd_forms(uses):
            message = f"“{odd.text}” beside “{usual.text}”: {what}"
            yield Finding(odd.span, message, f"write all dates as in “{usual.text}”")


def _dates(document: Document) -> Iterator[_Date]:
    for passage in passages(document):
        for order, pattern in (("month first", _MONTH_FIRST), ("day first", _DAY_FIRST)):
            for match in pattern.finditer(passage.text):
                yield _Date(passage, match, order)


def _months(dates: list[_Date]) -> Iterator[Use]:
    for date in dates:
        if date.match["full"] not in _NEVER_SHORT:
            full = "in full" if date.match["full"] else "cut"
            yield date.use(full + ("." if date.match["period"] else ""))
