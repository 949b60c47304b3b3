"""NL1xx: number, date, items, links and characters; code, line and column of each."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from newsletter.diagnostics import Severity
from tests.builders import (
    ITEMS,
    check_text,
    context_of,
    findings,
    neighbour,
    places,
    valid_issue,
    with_bullet,
    with_front,
    with_headline,
)

DATE = "date: 2024-03-05"
BULLET = ITEMS[0][1]
END = len(BULLET) + 2  # column of what follows the first bullet and a space


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("2", "point between"),
        ("Vol 2.20", "write issue: 2.20"),
        ("2.05", "write issue: 2.5"),
        ("2-20", "write issue: 2.20"),
        ("2.1000", "1 to 999"),
        ("0.1", "1 to 999"),
        ("2.20.1", "volume and number"),
        ("９.９", "volume and number"),
        ("9" * 50, "point between"),
    ],
)
def test_malformed_number_says_how_to_write_it(value: str, hint: str):
    (found,) = findings(with_front(f"issue: {value}", DATE), "NL101")
    assert (found.line, found.column) == (2, 8)
    assert hint in (found.hint or "")


def test_number_2_2_in_folder_vol_2_20_names_both_and_says_they_differ():
    text = with_front("issue: 2.2", DATE)
    (found,) = findings(text, "NL102", context_of(Path("vol-2-20")))
    assert "2.2 " in found.message
    assert "vol-2-20" in found.message
    assert "2.2 and 2.20 are different issues" in (found.hint or "")
    assert "vol-2-02" in (found.hint or "")


def test_number_in_its_own_folder_is_silent():
    text = with_front("issue: 2.20", DATE)
    assert findings(text, "NL102", context_of(Path("vol-2-20"))) == []


def test_number_in_a_folder_that_is_none_says_what_to_call_it():
    (found,) = findings(valid_issue(), "NL102", context_of(Path("draft")))
    assert "vol-3-04" in (found.hint or "")


def test_number_of_another_issue_is_an_error_that_names_its_folder():
    context = context_of(neighbours=[neighbour("3.4", "2024-03-05", folder="copy")])
    (found,) = findings(valid_issue(), "NL103", context)
    assert "copy" in found.message


@pytest.mark.parametrize(
    ("neighbours", "count"),
    [
        ([("3.3", "2024-02-20"), ("3.5", "2024-03-19")], 0),
        ([("3.3", "2024-03-05")], 1),
        ([("3.5", "2024-03-05")], 1),
        ([("3.3", "2024-03-06"), ("3.5", "2024-03-01")], 2),
        # Only the nearest neighbors count: the others have findings of their own.
        ([("3.1", "2024-04-01"), ("3.3", "2024-02-20")], 0),
        ([("3.20", "2024-02-01"), ("3.5", "2024-03-19")], 0),
        ([("3.3", None)], 0),
    ],
)
def test_date_out_of_order_is_an_error_for_each_nearest_neighbor(
    neighbours: list[tuple[str, str | None]], count: int
):
    context = context_of(neighbours=[neighbour(number, day) for number, day in neighbours])
    assert places(valid_issue(), "NL105", context) == [(3, 7)] * count


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("Oct 31, 2023", "write date: 2023-10-31"),
        ("31 October 2023", "write date: 2023-10-31"),
        ("31/10/2023", "write date: 2023-10-31"),
        ("2/3/2024", "year, month and day"),
        ("20240305", "write date: 2024-03-05"),
        ("2024-3-5", "write date: 2024-03-05"),
        ("2024-03-05 09:00", "write date: 2024-03-05"),
        ("2024-W10-2", "year, month and day"),
        ("2024-02-30", "February 2024 has 29 days"),
        ("2024-13-01", "01 to 12"),
        ("0000-01-01", "01 to 12"),
        ("soon", "year, month and day"),
    ],
)
def test_date_that_is_no_day_says_how_to_write_it(value: str, hint: str):
    (found,) = findings(with_front("issue: 3.4", f"date: {value}"), "NL106")
    assert (found.line, found.column) == (3, 7)
    assert hint in (found.hint or "")


@pytest.mark.parametrize(
    ("day", "first_year", "severity"),
    [
        ("2024-04-30", None, None),
        ("2024-05-01", None, Severity.WARNING),
        ("0999-05-01", None, Severity.WARNING),
        ("2024-03-05", 2022, None),
        ("2023-03-05", 2022, Severity.ERROR),
        ("2023-12-20", 2022, Severity.WARNING),
        ("2023-11-20", 2022, Severity.ERROR),
    ],
)
def test_implausible_date_is_found(day: str, first_year: int | None, severity: Severity | None):
    text = with_front("issue: 3.4", f"date: {day}")
    found = findings(text, "NL107", context_of(first_year=first_year))
    assert [d.severity for d in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("count", "place"), [(0, (4, 4)), (1, (6, 1)), (4, (18, 1)), (6, (26, 1)), (7, (26, 1))]
)
def test_other_number_of_items_points_at_the_first_too_many_or_the_last(
    count: int, place: tuple[int, int]
):
    items = [*ITEMS, ("Seal count begins", "Text."), ("Ferry returns", "More.")][:count]
    assert places(valid_issue(items=items), "NL104") == [place]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (with_headline(""), "NL110", (6, 1)),
        (with_bullet(""), "NL111", (6, 1)),
        (with_bullet(f"{BULLET}\n\nMore of it."), "NL112", (10, 1)),
        (with_bullet(f"{BULLET}\n\nSources: a book\n\nMore of it."), "NL112", (12, 1)),
        (with_headline(ITEMS[0][0].upper(), at=1), "NL113", (10, 1)),
        (with_bullet(BULLET, at=1), "NL114", (12, 1)),
        (with_bullet("- one\n- two"), "NL115", (8, 1)),
        (with_bullet("1. one"), "NL115", (8, 1)),
        (with_bullet("    four spaces"), "NL115", (8, 5)),
        (with_bullet("```\ncode\n```"), "NL115", (8, 1)),
        (with_bullet("> quoted"), "NL115", (8, 1)),
        (with_bullet(f"### Deeper\n\n{BULLET}"), "NL115", (8, 1)),
        (with_bullet(f"{BULLET}\n\n---"), "NL115", (10, 1)),
        (with_bullet(f"{BULLET} `code`"), "NL115", (8, END)),
        (valid_issue(above="# Title\n\n"), "NL116", (6, 1)),
        (valid_issue(above="Dear readers,\n\n"), "NL116", (6, 1)),
        (valid_issue(above="- a\n\n"), "NL116", (6, 1)),
        (with_bullet(f"{BULLET} <b>so</b>"), "NL117", (8, END)),
        (with_bullet("<script>\nalert(1)\n</script>"), "NL117", (8, 1)),
        (with_bullet(f"{BULLET} <!-- open"), "NL117", (8, END)),
        (with_bullet("<!-- open"), "NL117", (8, 1)),
        (valid_issue(above="<style>p {}</style>\n\n"), "NL117", (6, 1)),
        (with_bullet(f"{BULLET}\n\nSources:"), "NL118", (10, 1)),
        (with_bullet(f"{BULLET}\n\nSOURCES : a book"), "NL118", (10, 1)),
        (with_bullet(f"{BULLET}\n\n![A boat](boat.jpg)"), "NL125", (10, 1)),
        (with_bullet(f"{BULLET} [](https://example.org)"), "NL131", (8, END)),
        (with_headline("[Harbor cities](https://example.org) agree on a line"), "NL131", (6, 5)),
        (with_bullet(f"{BULLET}\nSources: https://example.org/a."), "NL132", (9, 10)),
        (with_bullet(f"{BULLET} See www.example.org."), "NL132", (8, END + 4)),
        (with_bullet(f"{BULLET} \x1b[1m"), "NL140", (8, END)),
        (with_bullet(f"{BULLET} \0"), "NL140", (8, END)),
        (with_bullet(f"{BULLET} \u202eabc"), "NL141", (8, END)),
        (with_bullet(f"{BULLET} &#x2067;abc"), "NL141", (8, END)),
        (with_bullet(f"{BULLET} \ufffd"), "NL142", (8, END)),
    ],
)
def test_misplaced_part_is_one_finding_at_its_place(text: str, code: str, place: tuple[int, int]):
    assert places(text, code) == [place]


@pytest.mark.parametrize(
    "text",
    [
        with_bullet(f"{BULLET}\n\nSources: <https://example.org/a>, a book"),
        with_bullet(f"{BULLET}\nSource: [the city](https://example.org/a)"),
        with_bullet(BULLET.replace("six", "**six**").replace("June", "*June*")),
        with_bullet(BULLET.replace("Yokohama", "[Yokohama](https://example.org/a_(b)?c=d)")),
        with_bullet(f"<!-- to be checked --> {BULLET}"),
        with_bullet(f"<!-- a\nb --> {BULLET}"),
        with_bullet(BULLET.replace("six", "&#115;ix")),
        with_bullet(BULLET.replace(" in turn", "\nin turn")),
    ],
)
def test_what_an_item_may_hold_is_silent(text: str):
    assert check_text(text).diagnostics == ()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("javascript:alert(1)", "“javascript:” is refused"),
        ("JAVASCRIPT:alert(1)", "is refused"),
        ("data:text/html,x", "“data:” is refused"),
        ("ftp://example.org/x", "is refused"),
        ("http://example.org/x", "not encrypted"),
        ("page.html", "not a whole address"),
        ("/page", "not a whole address"),
        ("//example.org", "not a whole address"),
        ("#top", "not a whole address"),
        ("", "leads nowhere"),
        ("https://…", "names no site"),
        ("https://localhost/x", "names no site"),
        ("https://[::1]/", "names no site"),
        ("https://", "names no site"),
        ("https://me:pass@example.org", "user name"),
        ("https://example.org:99999/", "not a web address"),
        ("mailto:nobody", "no mail address"),
        ("mailto:a@b@example.org", "no mail address"),
    ],
)
def test_link_to_elsewhere_than_https_or_mailto_is_an_error(target: str, words: str):
    (found,) = findings(with_bullet(f"{BULLET} [words]({target})"), "NL130")
    assert (found.line, found.column, found.end_column) == (8, END + 1, END + 6)
    assert words in found.message


@pytest.mark.parametrize(
    "target",
    [
        "https://example.org",
        "https://example.org:8443/a?b=c#d",
        "https://日本.example.org/",
        "<https://example.org/a b>",
        "mailto:desk@example.org",
        "mailto:desk@example.org?subject=hello",
    ],
)
def test_https_and_mailto_links_are_silent(target: str):
    assert findings(with_bullet(f"{BULLET} [words]({target})"), "NL130") == []


def test_closing_tag_of_a_reported_one_is_not_reported_again():
    assert len(findings(with_bullet(f"{BULLET} <b>a</b> </i>"), "NL117")) == 2


def test_error_cannot_be_switched_off_in_the_configuration():
    context = context_of()
    ignoring = msgspec.structs.replace(context.config, ignore=("NL104",))
    changed = type(context)(
        config=ignoring, vocabulary=context.vocabulary, folder=context.folder, today=context.today
    )
    checked = check_text(valid_issue(items=ITEMS[:4]), changed)
    assert [d.code for d in checked.diagnostics] == ["NL104"]
    assert checked.issue is None


def test_waiver_above_a_heading_covers_that_item_and_no_other():
    quoted = ITEMS[1][1].replace("Kobe", "Kobe  bay")
    items = [ITEMS[0], (ITEMS[1][0], quoted), *ITEMS[2:]]
    text = valid_issue(items=items)
    assert places(text, "NL403") == [(12, ITEMS[1][1].index("Kobe") + 6)]
    comment = "<!-- newsletter: allow NL403 a drawn map -->\n"
    waived = text.replace(f"## {ITEMS[1][0]}", f"{comment}## {ITEMS[1][0]}")
    assert check_text(waived).diagnostics == ()
    other = text.replace(f"## {ITEMS[2][0]}", f"{comment}## {ITEMS[2][0]}")
    assert [d.code for d in check_text(other).diagnostics] == ["NL403", "NL010"]
