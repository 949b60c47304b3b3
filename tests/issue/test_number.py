"""Issue numbers are text: 2.2 and 2.20 are different issues, and 2.20 comes after 2.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.number import IssueNumber

numbers = st.builds(IssueNumber, st.integers(1, 999), st.integers(1, 999))


@given(numbers)
def test_text_and_folder_read_back_to_the_same_number(number):
    assert IssueNumber.parse(str(number)) == number
    assert IssueNumber.from_folder(number.folder) == number


@given(st.lists(numbers.filter(lambda number: number.volume < 10 and number.number < 100)))
def test_folders_sort_as_numbers_do(many):
    assert [n.folder for n in sorted(many)] == sorted(n.folder for n in many)


def test_a_number_is_not_a_decimal():
    assert IssueNumber.parse("2.2") != IssueNumber.parse("2.20")
    assert IssueNumber.parse("2.5") < IssueNumber.parse("2.20") < IssueNumber.parse("3.1")


@pytest.mark.parametrize(
    "text", ["", "2", "2.", ".2", "2.05", "02.5", "2.0", "0.1", "2.20 ", "2,20", "٢.٢", "2.2000"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="is not an issue number"):
        IssueNumber.parse(text)


@pytest.mark.parametrize("name", ["vol-2-5", "vol-2-00", "vol-02-05", "vol-2-005", "vol-2", "x"])
def test_folder_names_have_one_spelling(name):
    with pytest.raises(ValueError, match="is not an issue folder"):
        IssueNumber.from_folder(name)
