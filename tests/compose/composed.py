"""An issue of our own to compose in tests, built from the model, not parsed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from newsletter.compose.view import PictureSize, View, view_of
from newsletter.config import Config, load
from newsletter.issue.model import Hero, Issue, Item
from newsletter.issue.number import IssueNumber
from newsletter.issue.prose import Prose, Run

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"

WORDS = {
    "Harbor cities on both coasts agree on a common rule for ship fuel": (
        "Eight harbor cities signed a plan on October 12 that sets one rule for cleaner ship fuel."
        " Yokohama and Oakland go first and test it for two years. Ship owners asked for longer"
        " notice; the cities answered with lower fees for early adopters."
    ),
    "Coast guards hold a rescue drill east of Guam": (
        "Four cutters and two aircraft searched for a missing freighter in a drill on October 15."
        " The crews shared one radio plan, which took 40 minutes less than last year’s two. The"
        " next drill adds a hospital ship."
    ),
    "Chip makers plan a joint school for engineers in Kumamoto": (
        "Two chip makers and a university will open a school for 300 engineers in April 2024."
        " Half of the places are for students from the United States. Lessons are in English, the"
        " first year is free."
    ),
    "Lawmakers renew the exchange program for legislative staff": (
        "Both parliaments renewed a program that lets staff work a year in the other capital."
        " Twelve people go each way. The new text adds a place for budget experts."
    ),
    "Farm trade talks end with a small deal on beef and apples": (
        "Negotiators closed the autumn round with lower tariffs on beef and simpler checks on"
        " apples. The change takes effect on January 1, and a review follows after three years."
    ),
}

SOURCES = Prose.of(
    [
        Run("Harbor authority", href="https://harbor.example.com/news/fuel-rule.html"),
        Run(", "),
        Run("https://example.org/a?b=1&c=2", href="https://example.org/a?b=1&c=2"),
    ]
)


def an_issue(**changes: object) -> Issue:
    """Five sound items and a hero; *changes* replace fields."""
    items = tuple(
        Item(
            headline=Prose.plain(headline),
            bullet=Prose.plain(bullet),
            sources=SOURCES if position == 0 else None,
        )
        for position, (headline, bullet) in enumerate(WORDS.items())
    )
    linked = Prose.of(
        [Run("The plan is "), Run("public", href="https://example.com/plan"), Run(". "),
         Run("Read", strong=True), Run(" it "), Run("slowly", emphasis=True), Run(".")]
    )  # fmt: skip
    issue = Issue(
        number=IssueNumber(2, 20),
        date=date(2023, 10, 31),
        items=(
            replace(items[0], bullet=Prose.of([*items[0].bullet.runs, Run(" "), *linked.runs])),
            *items[1:],
        ),
        hero=Hero(
            file="hero.jpg", alt="Two ships leave a harbor at dawn", credit=Prose.plain("A. Person")
        ),
    )
    return replace(issue, **changes)  # type: ignore[arg-type]


def a_config() -> Config:
    return load(ROOT / "newsletter.toml")


def a_view(**changes: object) -> View:
    """The view of `an_issue`; *changes* replace fields of the issue."""
    return view_of(
        an_issue(**changes), a_config(), PictureSize(file="hero.jpg", width=1104, height=621)
    )


def with_item(headline: str = "", bullet: str = "") -> tuple[Item, ...]:
    """The usual items, the first with another headline or bullet."""
    first, *others = an_issue().items
    if headline:
        first = replace(first, headline=Prose.plain(headline))
    if bullet:
        first = replace(first, bullet=Prose.plain(bullet))
    return (first, *others)
