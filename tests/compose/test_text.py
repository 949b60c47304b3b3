"""The plain-text mail: 72 columns, the same words and links as the HTML."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from composed import TEMPLATES, a_view, with_item
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.compose.email import compose_email
from newsletter.compose.slots import REQUIRED
from newsletter.compose.text import compose_text
from newsletter.compose.wrap import COLUMNS, wrap
from newsletter.diagnostics import width
from newsletter.errors import ContentError, TemplateError
from newsletter.issue.prose import Prose, Run


@pytest.fixture(scope="module")
def text() -> str:
    return compose_text(a_view(), TEMPLATES)


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def test_no_line_is_wider_than_72_columns(text: str) -> None:
    assert max(width(line) for line in text.split("\n")) <= COLUMNS


def test_headlines_then_bullets_then_footer(text: str) -> None:
    view, flat = a_view(), unwrapped(text)
    contents, _, rest = flat.partition("1. " + view.items[0].headline.text + " Eight")
    for item in view.items:
        assert item.headline.text in contents
        if item.position > 1:
            assert item.headline.text + " " + item.bullet.text in rest
    for part in (view.about, view.reason, view.publisher_name, view.publisher_address):
        assert unwrapped(part) in rest
    assert "You may unsubscribe at any time" in rest


def test_text_has_every_link_of_the_html(text: str) -> None:
    page = lxml_html.document_fromstring(compose_email(a_view(), TEMPLATES).html)
    links = {a.get("href") for a in page.iter("a") if a.get("href")}
    web = {link.removeprefix("mailto:") for link in links if not link.startswith("#")}
    assert len(web) >= 10
    assert {link for link in web if link not in text} == set()


def test_text_has_every_word_of_the_html(text: str) -> None:
    page = lxml_html.document_fromstring(compose_email(a_view(), TEMPLATES).html)
    for element in page.cssselect("h2.headline, p.bullet, p.about"):
        wanted = unwrapped(element.text_content())
        assert wanted in re.sub(r" <https://[^>]*>", "", unwrapped(text))


def test_long_link_is_never_broken() -> None:
    address = "https://example.org/" + "a" * 90
    items = with_item(bullet="x")
    bullet = Prose.of([Run("See "), Run("the long report", href=address), Run(" for more.")])
    items = (type(items[0])(headline=items[0].headline, bullet=bullet), *items[1:])
    assert f"\n   <{address}> for" not in compose_text(a_view(items=items), TEMPLATES)
    assert f"<{address}>\n" in compose_text(a_view(items=items), TEMPLATES)


def test_issue_without_hero_note_and_sources_leaves_no_gap(text: str) -> None:
    items = tuple(type(i)(headline=i.headline, bullet=i.bullet) for i in with_item())
    bare = compose_text(a_view(hero=None, items=items), TEMPLATES)
    for composed in (text, bare):
        assert "\n\n\n" not in composed
        assert composed.endswith("\n")
        assert not composed.startswith("\n")
        assert all(line == line.rstrip() for line in composed.split("\n"))
    assert "Picture:" not in bare
    assert "Sources:" not in bare


def test_nothing_is_escaped_for_html() -> None:
    bullet = "R&D <fast> “now” 5 > 4"
    assert bullet in compose_text(a_view(items=with_item(bullet=bullet)), TEMPLATES)


def test_template_without_unsubscribe_link_is_refused(tmp_path: Path) -> None:
    templates = Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))
    path = templates / "text" / "issue.txt.j2"
    path.write_text(path.read_text().replace("{{ slots.unsubscribe_url }}", ""))
    with pytest.raises(TemplateError, match=r"does not print slots\.unsubscribe_url"):
        compose_text(a_view(), templates)


def test_issue_that_types_a_slot_is_refused() -> None:
    with pytest.raises(ContentError):
        compose_text(a_view(items=with_item(bullet="https://slot.invalid/email")), TEMPLATES)


def test_slots_stand_on_lines_of_their_own(text: str) -> None:
    lines = text.split("\n")
    assert [slot for slot in REQUIRED if slot.marker not in lines] == []


# ── wrapping ────────────────────────────────────────────────────────────────


def test_wide_characters_count_two_columns() -> None:
    lines = wrap("日本語" * 30).split("\n")
    assert [width(line) for line in lines[:2]] == [72, 72]


def test_closing_signs_do_not_begin_a_line_and_opening_ones_do_not_end_one() -> None:
    for shift in range(4):
        for line in wrap("a" * shift + "「日本」、" * 40).split("\n"):
            assert line[0] not in "」、"
            assert line[-1] != "「"


def test_curly_quotes_and_dashes_do_not_break_western_words() -> None:
    assert wrap("“don’t” — “2+2”…", columns=10).split("\n") == ["“don’t” —", "“2+2”…"]


def test_hanging_indent_is_kept() -> None:
    assert wrap("one two three", 3, "1. ", columns=9) == "1. one\n   two\n   three"


def test_empty_text_gives_its_first_line_only() -> None:
    assert wrap("", 3, "* ") == "*"


@given(
    st.text(alphabet=st.sampled_from("ab é日本「」、。“”’…ー\u0301 \n\t"), max_size=200),
    st.integers(0, 8),
)
def test_wrapping_keeps_every_character_in_order(text: str, indent: int) -> None:
    lines = wrap(text, indent).split("\n")
    assert "".join("".join(line.split()) for line in lines) == "".join(text.split())
    if not re.search(r"[^ \n\t日本]{60}", text):
        assert all(width(line) <= COLUMNS for line in lines)
