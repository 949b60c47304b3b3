"""Find out which issue a source is, and when it was published.

Takes what the source states before what can be inferred, and refuses to choose
between two numbers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from newsletter.issue.importer import dates
from newsletter.issue.importer.blocks import Note, Page, Place
from newsletter.issue.importer.content import Content
from newsletter.issue.importer.furniture import number_in
from newsletter.issue.number import IssueNumber

NUMBER, DATE_MISSING, DATE_INFERRED = "NL903", "NL904", "NL905"

_SAY_DATE = "say when it was published: --date 2023-10-31"


def number_of(page: Page, found: Content, notes: list[Note]) -> IssueNumber | None:
    """The one number that the source names; None and a note where there is none, or two."""
    if "issue" in page.stated:
        text, place = page.stated["issue"]
        try:
            return IssueNumber.parse(text)
        except ValueError as error:
            notes.append(Note(NUMBER, place, str(error), "mend the line “issue:”"))
            return None
    lines = [(block.text, block.place) for block in found.titles]
    named: dict[IssueNumber, Place] = {}
    for text, place in (*lines, *page.titles):
        number = number_in(text)
        if number is not None:
            named.setdefault(number, place)
    if len(named) == 1:
        return next(iter(named))
    if not named:
        message = "the source does not say which issue it is: there is no “Vol 2.20”"
        hint = "put a title line such as “US-Japan Alliance Digest Vol 2.20” at its top"
        notes.append(Note(NUMBER, Place(), message, hint))
        return None
    listed = " and ".join(f"“Vol {number}” (line {named[number].line})" for number in named)
    message = f"the source names {len(named)} issues: {listed}"
    hint = "keep the one that it is, and take the other out"
    notes.append(Note(NUMBER, list(named.values())[1], message, hint))
    return None


def date_of(
    page: Page,
    found: Content,
    number: IssueNumber | None,
    first_year: int | None,
    notes: list[Note],
) -> date | None:
    if "date" in page.stated:
        text, place = page.stated["date"]
        try:
            return date.fromisoformat(text)
        except ValueError:
            message = f"“{text}” is no date"
            notes.append(Note(DATE_MISSING, place, message, _SAY_DATE))
            return None
    if found.stated is not None:
        return found.stated[0]
    blocks = [block for pair in found.pairs for block in pair]
    mention = dates.latest_mention(blocks, number, first_year)
    if mention is None:
        message = "no date on the page, and none could be inferred"
        if first_year is None:
            message += ": days without a year tell nothing while newsletter.toml has no first_year"
        notes.append(Note(DATE_MISSING, Place(), message, _SAY_DATE))
        return None
    place = mention.block.place
    column = place.column + mention.start if place.excerpt else place.column
    message = (
        f"no date on the page; took {mention.day.isoformat()}, the latest date mentioned "
        f"(“{mention.words}”)"
    )
    hint = "correct it in the issue file, or import again with --date"
    notes.append(Note(DATE_INFERRED, replace(place, column=column), message, hint))
    return mention.day
