"""NL210: swapped paragraphs are found, sound ones never doubted."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from clean_news import CLEAN_ISSUES
from hypothesis import given
from hypothesis import strategies as st
from rule_probe import findings, parsed

from newsletter.issue.rules import swapped_bullets

Pairs = list[tuple[str, str]]


def _rearranged(pairs: Pairs, order: tuple[int, ...]) -> Pairs:
    return [(pairs[row][0], pairs[column][1]) for row, column in enumerate(order)]


@pytest.mark.parametrize("pairs", [list(issue) for issue in CLEAN_ISSUES])
def test_any_two_exchanged_bullets_of_real_news_are_found(pairs: Pairs) -> None:
    for first, second in combinations(range(5), 2):
        order = list(range(5))
        order[first], order[second] = second, first
        (finding,) = findings("NL210", _rearranged(pairs, tuple(order)))
        assert f"{first + 1} and {second + 1}" in finding.message


@pytest.mark.parametrize("pairs", [list(issue) for issue in CLEAN_ISSUES])
def test_every_wrong_order_of_real_news_is_doubted(pairs: Pairs) -> None:
    for order in permutations(range(5)):
        found = findings("NL210", _rearranged(pairs, order))
        assert bool(found) == (order != tuple(range(5)))


_topic = st.lists(
    st.text("bcdfghjklmnpqrstvwz", min_size=5, max_size=7), min_size=30, max_size=30, unique=True
)


@given(words=_topic, swap=st.sampled_from(list(combinations(range(5), 2))))
def test_exchanged_bullets_on_distinct_topics_are_found(
    words: list[str], swap: tuple[int, int]
) -> None:
    topics = [words[at : at + 6] for at in range(0, 30, 6)]
    pairs = [
        (" ".join(topic[:4]).capitalize(), " ".join(topic).capitalize() + " in Tokyo.")
        for topic in topics
    ]
    assert findings("NL210", pairs) == []
    order = list(range(5))
    order[swap[0]], order[swap[1]] = swap[1], swap[0]
    assert len(findings("NL210", _rearranged(pairs, tuple(order)))) == 1


def test_items_without_words_in_common_are_not_doubted() -> None:
    pairs = [(f"Headline{n} alone", f"Text{n} of another kind.") for n in range(5)]
    assert findings("NL210", pairs) == []


@pytest.mark.parametrize("count", [0, 1, 2, 8, 30])
def test_other_numbers_of_items_are_compared_or_passed_over(count: int) -> None:
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"] * 4
    pairs = [(f"{words[n]} {words[n]}x", f"{words[n]} {words[n]}x.") for n in range(count)]
    assert list(swapped_bullets.check(parsed(pairs), None)) == []  # type: ignore[arg-type]
