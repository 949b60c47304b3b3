"""The picture of the trend: the same numbers, the same bytes; and words for who cannot see it."""

from __future__ import annotations

import io
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from newsletter.errors import TemplateError, UsageError
from newsletter.stats.picture import draw, ticks
from tests.stats.issues import a_trend, an_issue

TEMPLATES = Path(__file__).parents[2] / "templates"
SVG = "{http://www.w3.org/2000/svg}"


def drawn(issues, form, templates=TEMPLATES, title="A & <B> Digest"):
    return draw(issues, templates, title=title, form=form)


@pytest.mark.parametrize("length", [1, 2, 5, 60, 200])
def test_same_numbers_give_the_same_bytes(length):
    for form in ("svg", "png"):
        assert drawn(a_trend(length), form) == drawn(a_trend(length), form)


def test_png_is_light_and_as_large_for_one_issue_as_for_many():
    one, many = (Image.open(io.BytesIO(drawn(a_trend(n), "png"))) for n in (1, 60))
    assert one.size == many.size == (1500, 1106)
    assert one.getpixel((5, 5))[:3] == (255, 255, 255)


def test_svg_says_in_words_what_it_shows():
    root = etree.fromstring(drawn(a_trend(3), "svg"))
    assert root.tag == f"{SVG}svg"
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    title, description = root[0], root[1]
    assert (title.tag, title.text) == (f"{SVG}title", "A & <B> Digest: the list, issue by issue")
    assert description.get("id") == "desc"
    assert description.text.startswith("3 issues, Vol 1.1 to 1.3, 2024-01-02 to 2024-01-30. List")


def test_what_nobody_reports_is_not_drawn_as_0():
    root = etree.fromstring(drawn([an_issue()], "svg"))
    assert "Delivered: not reported" in root[1].text
    assert "Joined" not in root[1].text


def test_issue_that_has_reached_nobody_is_left_out():
    waiting = an_issue("2.21", first_delivery_at=None)
    assert drawn([an_issue(), waiting], "png") == drawn([an_issue()], "png")
    with pytest.raises(UsageError, match="nothing to draw"):
        drawn([waiting], "png")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("#let x = json(bytes(sys.inputs.trend))\n#x.nothing", r"trend\.typ:2: .*nothing"),
        ('#import "@preview/cetz:0.3.0"', r"trend\.typ:1: .*fetched from the network"),
        ('#read("/etc/hostname")', r"trend\.typ:1: "),
        ("#pagebreak()\nb", "more than one page"),
    ],
)
def test_broken_template_is_named_with_its_line(tmp_path, source, message):
    (tmp_path / "stats").mkdir()
    (tmp_path / "stats" / "trend.typ").write_text(source, encoding="utf-8")
    with pytest.raises(TemplateError, match=message):
        drawn(a_trend(2), "png", tmp_path)


def test_missing_template_is_named(tmp_path):
    shutil.copytree(TEMPLATES / "print", tmp_path / "print")
    with pytest.raises(TemplateError, match=r"trend\.typ is missing"):
        drawn(a_trend(2), "svg", tmp_path)


def test_labels_do_not_touch():
    """Read from the template's own constants: 640 pt wide, letters of 9 pt, half as wide."""
    from newsletter.stats.picture import _data

    for length in (1, 2, 5, 20, 60, 500):
        for volume in (1, 999):
            issues = [an_issue(f"{volume}.{1 + place}") for place in range(length)]
            labels = _data(issues, "A")["labels"]
            places = [place for place, label in enumerate(labels) if label]
            assert places[-1] == length - 1
            widest = max(len(label) for label in labels if label) * 4.6
            gaps = [b - a for a, b in pairwise(places)]
            assert all(gap * 640 / length > widest for gap in gaps)


@given(st.integers(min_value=0, max_value=10**9))
def test_ticks_begin_at_0_reach_the_most_and_are_few_and_even(most):
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most
    assert 2 <= len(found) <= 6
    assert len({b - a for a, b in pairwise(found)}) == 1
    assert re.fullmatch(r"[125]0*|[34]", str(found[1]))
