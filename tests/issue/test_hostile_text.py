"""Texts made to be slow or to flood: an answer in good time, and one that can be read."""

from __future__ import annotations

import re
import time

import pytest

from newsletter.errors import ConfigError
from newsletter.issue.check import MOST_FINDINGS
from newsletter.issue.parse import MAX_BYTES, MOST_HEADLINES
from newsletter.issue.vocabulary import load_vocabulary
from tests.builders import FRONT, check_text, valid_issue

SECONDS = 5  # on a loaded machine; `make bench` has the figures


def filled(unit: str) -> str:
    """A file of *unit* again and again, as long as an issue file may be."""
    room = MAX_BYTES - len(FRONT) - 10
    return f"{FRONT}\n## a\n\n{(unit * (room // len(unit.encode()) + 1))[: room // 2]}"


WORST = r"""
[ | ![ | *a_ | `a | &amp; | <a> | <!-- | <!-- a --> | \\a | - a\n | > a\n | a\n | a\n\n | a \n
b  c
\u200ba\n | \x01\n | "a | 12 | ABC | A b. | a- | Mt. A | ## a\n\n | ##\n | ### a\n
![a](b)\n\n | <!-- newsletter: allow NL203 x -->\n
"""


@pytest.mark.parametrize("unit", re.split(r" \| |\n", WORST.strip()))
def test_worst_cases_are_answered_in_good_time_and_at_bearable_length(unit):
    start = time.perf_counter()
    checked = check_text(filled(unit.encode().decode("unicode_escape") + " "))
    assert time.perf_counter() - start < SECONDS
    assert checked.diagnostics
    assert checked.issue is None


def test_far_too_many_headlines_are_one_finding_at_the_first_superfluous_one():
    checked = check_text(f"{FRONT}\n" + "## a\n\n" * (MOST_HEADLINES + 1))
    assert [(d.code, d.line) for d in checked.diagnostics] == [("NL104", 6 + 2 * MOST_HEADLINES)]
    assert "101 headlines, expected 5" in checked.diagnostics[0].message


def test_findings_of_one_rule_end_with_a_word_about_the_rest():
    found = [d for d in check_text(filled("<a>x ")).diagnostics if d.code == "NL117"]
    assert len(found) == MOST_FINDINGS
    assert found[-1].message.endswith("; more of this kind are not listed")
    assert "not listed" not in found[-2].message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_one_finding_that_names_them(encoding):
    checked = check_text(valid_issue().encode(encoding))
    assert [d.code for d in checked.diagnostics] == ["NL002"]
    assert (checked.diagnostics[0].hint or "").startswith(f"it looks like {encoding[:6].upper()}")


@pytest.mark.parametrize(
    ("front", "place", "words"),
    [
        ("issue 3.4\ndate: 2024-03-05", (2, 1), "this line has no colon"),
        ("issue:3.4\ndate: 2024-03-05", (2, 1), "a space is missing behind the colon"),
        ("issue: 3.4\n date: 2024-03-05", (3, 1), "begins with a space or a tab"),
        ("\tissue: 3.4\ndate: 2024-03-05", (2, 1), "begins with a space or a tab"),
        ('issue: "3.4\ndate: 2024-03-05', (2, 8), "is never closed"),
        ("issue: [3.4\ndate: 2024-03-05", (2, 8), "is never closed"),
    ],
)
def test_broken_front_matter_points_at_the_mistake_and_not_below_it(front, place, words):
    (found,) = check_text(valid_issue(front=f"---\n{front}\n---\n")).diagnostics
    assert (found.code, (found.line, found.column)) == ("NL005", place)
    assert words in found.message


def test_front_matter_of_a_whole_book_is_refused_before_it_is_read():
    front = "---\nnote: " + "[" * 20_000 + "\n---\n"
    (found,) = check_text(valid_issue(front=front)).diagnostics
    assert "more than 5,000 characters" in found.message


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("people.txt", "1\n" * 50_000, "… and more of the kind"),
        ("people.txt", "Ann Example\n" * 20_000, "more than 200,000 bytes"),
        ("terms.toml", "x = " + "{a=" * 30_000, "is not a list of terms"),
        ("terms.toml", "x = " + "9" * 100_000, "is not a list of terms"),
        ("terms.toml", "[forms]\n" + "\n".join(f"a{n} = 1" for n in range(9_000)), "… and more"),
    ],
)
def test_hostile_word_lists_are_one_readable_message_in_good_time(tmp_path, file, text, words):
    (tmp_path / file).write_text(text, encoding="utf-8")
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=words) as caught:
        load_vocabulary(tmp_path)
    assert time.perf_counter() - start < SECONDS
    assert len(caught.value.message) < 5_000
