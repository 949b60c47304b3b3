"""Issue, Item, Hero: what every output is made from.

Only a text without errors becomes an Issue (`newsletter.issue.check`), so the
templates never meet a missing part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter.issue.number import IssueNumber
from newsletter.issue.prose import Prose

ITEMS = 5  # headlines, and bullets, of an issue


@dataclass(frozen=True, kw_only=True)
class Hero:
    """The picture above the headlines; *file* is a name inside the issue's folder."""

    file: str
    alt: str
    credit: Prose


@dataclass(frozen=True, kw_only=True)
class Item:
    """A headline and its bullet, with where the facts came from."""

    headline: Prose
    bullet: Prose
    sources: Prose | None = None


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One numbered text; five items in printing order."""

    number: IssueNumber
    date: date
    items: tuple[Item, ...]
    hero: Hero | None = None
    subject: str | None = None
    preheader: str | None = None
    note: str | None = None
