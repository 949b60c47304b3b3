"""Builders of issue texts and documents for tests: a valid one, and one part changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from newsletter.config import CheckConfig
from newsletter.diagnostics import Diagnostic
from newsletter.issue.check import Checked, check_document
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import parse_bytes
from newsletter.issue.rules import Context, Neighbour
from newsletter.issue.vocabulary import Vocabulary

TODAY = date(2024, 3, 1)
FOLDER = "vol-3-04"

FRONT = """\
---
issue: 3.4
date: 2024-03-05
---
"""

ITEMS = (
    (
        "Harbor cities agree on a shared typhoon warning line",
        (
            "Officials of six harbor cities in Japan and on the US Pacific coast agreed on "
            "March 1 to share storm observations within minutes. The warning line will be run "
            "from Yokohama and Long Beach in turn, and fishing cooperatives will receive its "
            "reports free of charge. A trial begins in June, before the season in which most "
            "storms cross the main islands."
        ),
    ),
    (
        "Student exchange program returns to its full size",
        (
            "The exchange program for students of engineering will offer as many places as "
            "before the pandemic, its board announced in Kobe. Universities on both sides had "
            "cut the places during the travel restrictions and filled them up step by step. "
            "Applicants from rural prefectures and from community colleges will be preferred, "
            "the board said."
        ),
    ),
    (
        "Joint survey finds coral recovering near Ishigaki",
        (
            "Divers from two research institutes counted young coral at forty places off "
            "Ishigaki and found twice as much as in the survey before. The water was cooler "
            "than usual last summer, which the researchers see as the main cause. They warned "
            "that one hot season could undo the recovery, and asked for funds to repeat the "
            "count every year."
        ),
    ),
    (
        "Trade officials settle dispute over apple inspections",
        (
            "Negotiators settled a dispute over the inspection of apples that had lasted "
            "since the previous autumn. Growers in Aomori and in the state of Washington will "
            "use the same checklist, and inspectors may visit orchards on either side once a "
            "year. Importers expect lower prices, although the quantities remain small for "
            "the time being."
        ),
    ),
    (
        "Museum in Nagasaki receives letters of a ship’s doctor",
        (
            "A family from Oregon handed over the letters of a ship’s doctor to a museum in "
            "Nagasaki. The doctor had treated the crew of a whaler and the people of the "
            "harbor for two winters, and described what they ate, feared and sang. The museum "
            "will show the letters from autumn on and publish a translation for schools in "
            "both countries."
        ),
    ),
)


def valid_issue(
    *,
    front: str = FRONT,
    above: str = "",
    items: Sequence[tuple[str, str]] = ITEMS,
) -> str:
    """An issue file without a finding; *above* stands between front matter and headlines."""
    body = "\n".join(f"## {headline}\n\n{bullet}\n" for headline, bullet in items)
    return f"{front}\n{above}{body}"


def with_bullet(text: str, *, at: int = 0) -> str:
    """A valid issue whose bullet number *at* is *text*."""
    items = list(ITEMS)
    items[at] = (items[at][0], text)
    return valid_issue(items=items)


def with_headline(text: str, *, at: int = 0) -> str:
    """A valid issue whose headline number *at* is *text*."""
    items = list(ITEMS)
    items[at] = (text, items[at][1])
    return valid_issue(items=items)


def with_front(*lines: str) -> str:
    """A valid issue whose front matter has these lines."""
    return valid_issue(front="\n".join(("---", *lines, "---", "")))


def neighbour(number: str, published: str | None, *, folder: str | None = None) -> Neighbour:
    """Another issue of the workspace."""
    parsed = IssueNumber.parse(number)
    name = folder or parsed.folder
    return Neighbour(
        path=Path(name) / "issue.md",
        folder=name,
        folder_number=parsed,
        number=parsed,
        date=date.fromisoformat(published) if published else None,
        headlines=(),
    )


def context_of(
    folder: Path = Path(FOLDER),
    *,
    neighbours: Sequence[Neighbour] = (),
    first_year: int | None = None,
    today: date = TODAY,
) -> Context:
    return Context(
        config=CheckConfig(),
        vocabulary=Vocabulary(),
        folder=folder,
        today=today,
        first_year=first_year,
        find_neighbours=lambda: neighbours,
    )


def check_text(text: str | bytes, context: Context | None = None) -> Checked:
    """Check an issue file with this content."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    context = context or context_of()
    return check_document(parse_bytes(data, context.folder / "issue.md"), context)


def places(text: str | bytes, code: str, context: Context | None = None) -> list[tuple[int, int]]:
    """Line and column of each finding of the rule *code*."""
    return [(d.line, d.column) for d in findings(text, code, context)]


def findings(text: str | bytes, code: str, context: Context | None = None) -> list[Diagnostic]:
    return [d for d in check_text(text, context).diagnostics if d.code == code]


def marked(text: str, mark: str = "⟦") -> tuple[str, list[tuple[int, int]]]:
    """*text* without the marks, and the line and column of each."""
    found: list[tuple[int, int]] = []
    clean = ""
    for char in text:
        if char == mark:
            found.append((clean.count("\n") + 1, len(clean) - clean.rfind("\n")))
        else:
            clean += char
    return clean, found
