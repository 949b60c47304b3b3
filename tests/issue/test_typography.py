"""Curly quotes from straight ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.typography import curl

QUOTED = st.text(alphabet="\"'“”‘’ ab1.—(\n-ß日", max_size=40)


@pytest.mark.parametrize(
    ("straight", "curly"),
    [
        ('He said "yes".', "He said “yes”."),
        ('"Yes," he said, "of course."', "“Yes,” he said, “of course.”"),
        ("Japan's ministers' meeting", "Japan’s ministers’ meeting"),
        ("\"He said 'no'\"", "“He said ‘no’”"),
        ("\"'No,' he said\"", "“‘No,’ he said”"),
        ('the economic ("2+2") talks', "the economic (“2+2”) talks"),
        ('word—"quoted"—word', "word—“quoted”—word"),
        ('a "free and open"-minded view', "a “free and open”-minded view"),
        ("'tis the '90s, rock 'n' roll", "’tis the ’90s, rock ’n’ roll"),
        ("the 1990s' end", "the 1990s’ end"),
        ("class of '22, from '21 to '23", "class of ’22, from ’21 to ’23"),
        ("the '10 points' of the plan", "the ‘10 points’ of the plan"),
        ('in "fiscal 2024"', "in “fiscal 2024”"),
        ('"...and more"', "“...and more”"),
        ('"U.S.\'s" view', "“U.S.’s” view"),
        ('6\'2" tall, a 12" disc', '6\'2" tall, a 12" disc'),
        ('alone " here', 'alone " here'),
        ("“already” ‘curly’ it’s", "“already” ‘curly’ it’s"),
        ('“half done"', "“half done”"),
        ("", ""),
        ('"', '"'),
    ],
)
def test_each_quote_faces_the_right_way(straight: str, curly: str):
    assert curl(straight) == curly


@given(st.one_of(st.text(), QUOTED))
def test_curling_keeps_the_length_and_twice_changes_nothing(text: str):
    once = curl(text)
    assert len(once) == len(text)
    assert curl(once) == once


@given(st.one_of(st.text(), QUOTED))
def test_nothing_but_straight_quotes_is_changed(text: str):
    changed = [(a, b) for a, b in zip(text, curl(text), strict=True) if a != b]
    assert all(a in "\"'" and b in "“”‘’" for a, b in changed)
