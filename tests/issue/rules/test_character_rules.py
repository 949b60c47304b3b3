"""NL4xx: characters and spaces; where they are, and what mending makes of them."""

from __future__ import annotations

import pytest

from newsletter.diagnostics import Severity
from newsletter.issue import fix
from tests.builders import (
    ITEMS,
    check_text,
    findings,
    places,
    valid_issue,
    with_bullet,
    with_front,
    with_headline,
)

BULLET = ITEMS[0][1]
FRONT = ("issue: 3.4", "date: 2024-03-05")


def bullet(old: str, new: str) -> str:
    return with_bullet(BULLET.replace(old, new, 1))


def mended(text: str) -> str:
    checked = check_text(text)
    return fix.apply(checked.document.source, checked.diagnostics)[0]


@pytest.mark.parametrize(
    ("text", "code", "place", "clean"),
    [
        (bullet("six harbor", "si\u200bx har\u00adbor"), "NL401", (8, 16), valid_issue()),
        (bullet("six", "si&#x200B;x"), "NL401", (8, 16), valid_issue()),
        (bullet("six", "\ufeffsix"), "NL401", (8, 14), valid_issue()),
        (bullet("six harbor", "six\u00a0harbor"), "NL402", (8, 17), valid_issue()),
        (bullet("six harbor", "six&nbsp;harbor"), "NL402", (8, 17), valid_issue()),
        (bullet("six harbor", "six\u202f\u2007harbor"), "NL402", (8, 17), valid_issue()),
        (bullet("six harbor", "six \u00a0harbor"), "NL402", (8, 18), valid_issue()),
        (bullet("six harbor", "six  harbor"), "NL403", (8, 18), valid_issue()),
        (bullet("six harbor", "six\tharbor"), "NL403", (8, 17), valid_issue()),
        (bullet("six harbor", "six\u2009harbor"), "NL403", (8, 17), valid_issue()),
        (bullet("six harbor", "six \u200b harbor"), "NL403", (8, 19), valid_issue()),
        (bullet("islands.", "islands. "), "NL404", (8, len(BULLET) + 1), valid_issue()),
        (
            with_headline(ITEMS[0][0].replace(" on ", "\u00a0on ")),
            "NL402",
            (6, 23),
            valid_issue(),
        ),
        (
            with_front(*FRONT, "subject: Six\u00a0harbors"),
            "NL402",
            (4, 13),
            with_front(*FRONT, "subject: Six harbors"),
        ),
        (
            with_front(*FRONT, 'subject: "Six  harbors"'),
            "NL403",
            (4, 15),
            with_front(*FRONT, 'subject: "Six harbors"'),
        ),
    ],
)
def test_stray_space_or_character_is_found_and_mended(
    text: str, code: str, place: tuple[int, int], clean: str
):
    assert places(text, code) == [place]
    assert mended(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        bullet("six", "\U0001f468\u200d\U0001f469\u200d\U0001f467 six"),
        bullet("Yokohama", "[Yokohama](https://example.org/a\u200bb)"),
        bullet("six", "<!-- six\u00a0 or\tseven --> six"),
        bullet(" in turn", "\nin turn"),
        bullet("Yokohama", "横浜\u3000Yokohama"),
    ],
)
def test_what_is_not_printed_or_meant_so_is_left_alone(text: str):
    assert check_text(text).diagnostics == ()


def test_space_that_yaml_would_read_as_syntax_is_reported_but_not_mended():
    text = with_front(*FRONT, "note: Today:\u00a0rain")
    (found,) = findings(text, "NL402")
    assert not found.fixable
    assert mended(text) == text


def test_straight_quotes_throughout_are_one_note():
    text = bullet("warning line", "'warning line'").replace("ship’s", "ship's")
    (found,) = check_text(text).diagnostics
    assert (found.code, found.severity) == ("NL405", Severity.INFO)
    assert found.message.startswith("4 straight quotes")
    assert mended(text) == bullet("warning line", "‘warning line’")


def test_straight_quotes_beside_curly_ones_are_a_warning_for_each_text():
    text = bullet("warning line", '"warning line"')
    found = findings(text, "NL405")
    column = BULLET.index("warning line") + 1
    assert [(d.line, d.column, d.severity) for d in found] == [(8, column, Severity.WARNING)]
    assert mended(text) == bullet("warning line", "“warning line”")


def test_quotation_that_spans_emphasis_is_curled_on_both_sides():
    text = bullet("warning line", '"**warning** line"')
    assert mended(text) == bullet("warning line", "“**warning** line”")


def test_escaped_quotes_are_curled_without_their_backslash():
    text = bullet("warning line", '\\"warning line\\"')
    assert mended(text) == bullet("warning line", "“warning line”")


def test_quote_in_an_address_that_a_link_shows_is_left_alone():
    address = "https://example.org/o'neil"
    text = bullet("six harbor cities", f"six harbor cities (<{address}>, [{address}]({address}))")
    assert check_text(text).diagnostics == ()
    mixed = text.replace("warning line", '"warning line"')
    assert mended(mixed) == text.replace("warning line", "“warning line”")


def test_feet_and_inches_are_no_finding():
    assert (
        check_text(bullet("six harbor cities", "six 5'10\" poles and harbor cities")).diagnostics
        == ()
    )
