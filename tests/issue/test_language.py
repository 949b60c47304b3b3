"""Sentences, words, stems, numbers and acronyms of news prose."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.acronyms import acronyms
from newsletter.issue.language import (
    one_edit_apart,
    sentences,
    stem,
    without_possessive,
    word_count,
    words,
)
from newsletter.issue.numerals import numbers


@pytest.mark.parametrize(
    "text",
    [
        "He met Amb. Emanuel.|Then he left.",
        "He met Mr. Abe, Gen. Brown and Sen. Young (R-Ind.) on Sept. 3.|They spoke.",
        "It is in the U.S. Navy yard.",
        "It is in the U.S.|He left it.",
        "They live in Washington, D.C.|The city is old.",
        "J. Thomas Schieffer came.|K. Sato did not.",
        "Plant No. 1 is closed.|He said no.|Then he left.",
        "He said, “It is over.”|They left.",
        "It rose by 2.5 percent.|It fell by .5 percent.",
        "Will it rise?|Yes!|It will …|And it did.",
        "The U.S. and Japan met.",
        "It was built by Example Inc. of Ohio.|Later it closed.",
        "It began in Sept.|Then it ended.",
        "At 5 p.m. Friday it rained.",
        "One line\nand another.|Next.",
        "",
        "No end",
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str) -> None:
    plain = text.replace("|", " ")
    wanted = [part for part in text.split("|") if part]
    assert [plain[start:end] for start, end in sentences(plain)] == wanted


@given(st.text())
def test_sentences_cover_the_text_in_order_but_for_the_spaces_between(text: str) -> None:
    spans = sentences(text)
    at = 0
    for start, end in spans:
        assert start >= at
        assert text[at:start].isspace() or text[at:start] == ""
        assert start < end
        at = end
    assert text[at:].strip() == ""


@given(st.text())
def test_words_point_at_their_own_characters(text: str) -> None:
    for word in words(text):
        assert text[word.start : word.end] == word.text
        assert word.text[0].isalnum()


@given(st.text(), st.text(max_size=20))
def test_nothing_here_raises_on_any_text(text: str, word: str) -> None:
    stem(word)
    without_possessive(word)
    word_count(text)
    assert all(text[n.start : n.end] == n.text for n in numbers(text))
    assert all(text[a.start : a.end].startswith(a.name) for a in acronyms(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("one", 1), ("a – b", 2), ("$5.5 billion, or more", 4), ("US-Japan talks", 2)],
)
def test_words_are_counted_as_an_editor_counts(text: str, count: int) -> None:
    assert word_count(text) == count


@pytest.mark.parametrize(
    ("first", "second"),
    [("announces", "announced"), ("Ministers’", "minister"), ("Korean", "Koreans"),
     ("policies", "policy"), ("launch", "launches"), ("Kishida’s", "Kishida")],
)  # fmt: skip
def test_forms_of_a_word_share_their_stem(first: str, second: str) -> None:
    assert stem(first) == stem(second)


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("valdimir", "vladimir", True),
        ("kishda", "kishida", True),
        ("kishidda", "kishida", True),
        ("kishada", "kishida", True),
        ("kishida", "kishida", False),
        ("kihsdia", "kishida", False),
        ("abcd", "badc", False),
        ("", "a", True),
        ("ab", "ba", True),
        ("", "", False),
    ],
)
def test_one_edit_apart(first: str, second: str, near: bool) -> None:
    assert one_edit_apart(first, second) is near
    assert one_edit_apart(second, first) is near


def _distance(first: str, second: str) -> int:
    """Optimal string alignment, by the book."""
    rows = [[i + j if not i * j else 0 for j in range(len(second) + 1)]
            for i in range(len(first) + 1)]  # fmt: skip
    for i in range(1, len(first) + 1):
        for j in range(1, len(second) + 1):
            same = first[i - 1] == second[j - 1]
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and first[i - 1] == second[j - 2] and first[i - 2] == second[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i][j] = best
    return rows[-1][-1]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_edit_apart_agrees_with_the_distance(first: str, second: str) -> None:
    assert one_edit_apart(first, second) == (_distance(first, second) == 1)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ten 10 10th tenth", [10, 10, 10, 10]),
        ("twenty-one, twenty one, 21st, twenty-first", [21, 21, 21, 21]),
        ("$5.5 billion and 5,500 million", [5.5e9, 5.5e9]),
        ("2½ years, ½ a year", [2.5, 0.5]),
        ("34,134 of 1,234,567.8", [34134, 1234567.8]),
        ("an F-35B, a B-52, an MQ-9, 5G, G7 and 2nm", []),
        ("March 6-7, 2023", [6, 7, 2023]),
        ("57% and 30 percent", [57, 30]),
        ("two hundred thousand", [2e5]),
        ("2,500km away", [2500]),
        ("1" * 500, [float("1" * 40)]),
        ("a 3-year, three-year plan", [3, 3]),
    ],
)
def test_numbers_have_their_values(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers(text)] == pytest.approx(values)


def test_two_plus_two_is_a_name_without_a_value() -> None:
    (number,) = numbers("the “2+2” talks")
    assert number.text == "2+2"
    assert math.isnan(number.value)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("Liberal Democratic Party (LDP)", True),
        ("LDP (Liberal Democratic Party)", True),
        ("the Liberal Democratic Party, or LDP, won", True),
        ("unmanned aerial vehicles (UAVs)", True),
        ("the treaty (“NPT”) holds", True),
        ("the LDP (in power since 2012) won", False),
        ("Tanaka (LDP and others) won", False),
        ("the LDP won", False),
        ("Sony or NTT won", False),
    ],
)
def test_acronym_is_expanded_where_the_text_explains_it(text: str, expanded: bool) -> None:
    (acronym,) = acronyms(text)
    assert acronym.expanded is expanded
