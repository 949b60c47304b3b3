"""NL209 headline-number: A number in a headline is missing from its bullet.

The headline promises a figure; the reader looks for it below. “10th” and “tenth”,
“3-year” and “three-year”, “$5.5 billion” and “5,500 million” count as the same,
and a rounded headline (“34,000”) matches the exact figure.

    wrong: ## First joint statement in 7 years
           The two governments issued a joint statement on Jan 20 …
    right: The statement, the first since 2015, ends a gap of seven years …

Small numbers in words (“three countries”) are left alone: the bullet may name them.
A year may be “this year” below, “first in 5 years” may be “since 2017”, and “8 in 10”
may be a percentage.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import fold, words
from newsletter.issue.numerals import Number, numbers
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._facts import issue_date
from newsletter.issue.rules._passages import headlines

CODE = "NL209"
SEVERITY = Severity.WARNING

_EQUIVALENTS: dict[str, tuple[float, ...]] = {
    "both": (2,), "twice": (2,), "double": (2,), "doubled": (2,), "doubling": (2,), "pair": (2,),
    "bilateral": (2,), "triple": (3,), "tripled": (3,), "trilateral": (3,), "trio": (3,),
    "thrice": (3,), "quad": (4,), "quadrilateral": (4,), "dozen": (12,), "dozens": (24, 36, 48),
    "decade": (10,), "decades": (20, 30, 40, 50), "century": (100,), "half": (0.5, 50),
    "quarter": (0.25, 25), "year": (1, 12), "inaugural": (1,), "anniversary": (1,),
    "fortnight": (2, 14), "hundreds": (100,), "thousands": (1000,), "weekly": (1, 7),
}  # fmt: skip
_RELATIVE_YEAR = re.compile(r"\b(?:this|next|last|coming|current|previous)\s(?:\w+\s)?year\b", re.I)
_YEARS = re.compile(r"[-‑\s]years?\b", re.I)
_SHARE = re.compile(
    r"\b(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine) (?:in|of|out of|(?:in|of) every) "
    r"(?:\d{1,3}|three|four|five|ten)\b(?![,.]\d)",
    re.I,
)
_PERCENT = re.compile(r"\d\s?%|\bper\s?cent\b", re.I)
_SMALLEST_WORD = 4
_MOST = 20  # numbers of one headline that are looked up


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Look up every number of a headline in its own bullet."""
    day = issue_date(document)
    issued = day.year if day else None
    for passage in headlines(document):
        bullet = document.items[passage.item].bullet.text
        if not bullet.strip():
            continue
        for number in numbers(passage.text)[:_MOST]:
            if not number.in_figures and number.value < _SMALLEST_WORD:
                continue
            if "/" in passage.text[max(0, number.start - 1) : number.end + 1]:
                continue  # “9/11”
            if _is_span_of_years(number, passage.text, bullet, issued):
                continue
            if _is_part_of_share(number, passage.text) and _PERCENT.search(bullet):
                continue
            if not _stands_in(number, bullet):
                span = passage.prose.span(number.start, number.end)
                message = f"“{number.text}” of the headline is missing from its bullet"
                yield Finding(span, message, "say it in the bullet, or drop it from the headline")


def _is_span_of_years(number: Number, headline: str, bullet: str, issued: int | None) -> bool:
    """“24-year low” in 2022, “since 1998” below."""
    if issued is None or not _YEARS.match(headline, number.end):
        return False
    since = [issued - found.value for found in numbers(bullet) if _is_year(found)]
    return any(abs(years - number.value) <= 1 for years in since if years)


def _is_part_of_share(number: Number, headline: str) -> bool:
    """A number of “8 in 10” or “two out of three”."""
    return any(
        match.start() <= number.start and number.end <= match.end()
        for match in _SHARE.finditer(headline)
    )


def _stands_in(wanted: Number, bullet: str) -> bool:
    found = numbers(bullet)
    if math.isnan(wanted.value):
        return wanted.text in bullet or _spelled_sum(wanted.text, found, bullet)
    if any(_same(wanted, number) for number in found if not math.isnan(number.value)):
        return True
    if wanted.text.isdigit() and re.search(rf"(?<!\d){wanted.text}(?!\d)", bullet):
        return True  # “Group of 7” and “G7”
    if _is_year(wanted):  # “2024” may be “next year” below; another year is a contradiction
        relative = _RELATIVE_YEAR.search(bullet) is not None
        return relative or not any(_is_year(number) for number in found)
    known = {value for word in words(bullet) for value in _EQUIVALENTS.get(word.lower, ())}
    return wanted.value in known


def _is_year(number: Number) -> bool:
    return len(number.text) == 4 and number.text.isdigit() and 1900 <= number.value < 2100


def _same(wanted: Number, number: Number) -> bool:
    pairs = [(wanted.value, number.value)]
    if wanted.value == wanted.bare or number.value == number.bare:
        pairs.append((wanted.bare, number.bare))  # “5.5 billion and 2 million”, “$5.5-6 billion”
    return any(first == second or _rounded(first, second) for first, second in pairs)


def _rounded(headline: float, bullet: float) -> bool:
    """34,000 for 34,134; never 7 for 7.4 or 2019 for 2023."""
    if headline < 20 or not math.isfinite(headline) or not math.isfinite(bullet):
        return False
    significant = len(f"{headline:.0f}".rstrip("0"))
    exact = len(f"{headline:.0f}")
    return significant < exact and abs(headline - bullet) <= 0.5 * 10 ** (exact - significant)


def _spelled_sum(text: str, found: Sequence[Number], bullet: str) -> bool:
    """“two-plus-two” for “2+2”."""
    if "plus" not in bullet.lower():
        return False
    parts = [float(part) for part in text.split("+")]
    values = [number.value for number in found]
    near = re.search(r"\w+[-\s]plus[-\s]\w+", fold(bullet), re.I)
    return near is not None and all(part in values for part in parts)
