"""The parser: never raises, and knows the place of every character."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.issue.body import read_body
from newsletter.issue.document import Document
from newsletter.issue.parse import MAX_BYTES, parse, parse_bytes
from newsletter.issue.prose import Prose, Run
from newsletter.issue.source import MIXED, Source
from newsletter.issue.texts import texts
from tests.builders import ITEMS, check_text, context_of, with_bullet
from tests.strategies import MARKDOWN, mutated_issues

PATH = Path("vol-3-04/issue.md")
FRONT = "---\nissue: 3.4\ndate: 2024-03-05\n---\n"


def document_of(text: str) -> Document:
    return parse(Source(PATH, text))


def assert_places_are_exact(document: Document) -> None:
    source, previous = document.source.text, -1
    for item in document.items:
        for prose in (item.headline, *(paragraph.prose for paragraph in item.paragraphs)):
            for at, char in enumerate(prose.text):
                span = prose.span(at, at + 1)
                written = source[span.start : span.end]
                assert written == char or _spelled_otherwise(char, written), (char, written)
                assert span.start >= previous
                previous = span.start


def _spelled_otherwise(char: str, written: str) -> bool:
    return (
        written[:1] in ("&", "\\", "`")  # an entity, an escape, code
        or (char == " " and written == "\n")
        or (char == "\ufffd" and written == "\0")
        or written.startswith("https://")  # an autolink, shown decoded
    )


@given(st.binary(max_size=400))
@example(b"\xff\xfe\x00")
def test_no_bytes_make_the_parser_raise(data: bytes):
    parse_bytes(data, PATH)


@given(st.one_of(st.text(), MARKDOWN, MARKDOWN.map(FRONT.__add__), mutated_issues()))
def test_no_text_makes_the_check_raise(text: str):
    checked = check_text(text)
    for found in checked.diagnostics:
        assert found.line >= 1
        assert found.column >= 1
        assert (found.end_line, found.end_column) >= (found.line, found.column)


@given(st.one_of(MARKDOWN, MARKDOWN.map(FRONT.__add__), mutated_issues()))
@example(FRONT + "## #\n\n#\u00a0a a")
@example(FRONT + "## \0")
def test_every_character_of_every_text_stands_where_its_place_says(text: str):
    assert_places_are_exact(document_of(text.replace("\r\n", "\n").replace("\r", "\n")))


@given(mutated_issues())
def test_same_text_gives_the_same_document(text: str):
    assert document_of(text) == document_of(text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("**a***", "a*"),
        ("***a** b*", "a b"),
        ("a &amp; b", "a & b"),
        ("a \\* b", "a * b"),
        ('[a *b*](https://example.org/(c) "d)") e', "a b e"),
        ("[a](<b)c>) a", "a a"),
        ("a <!-- a --> a", "a a"),
        ("a<!-- a\na --> a", "a a"),
        ("a  \na", "a a"),
        ("a\\\na", "a a"),
        ("   a", "a"),
        ("\u00a0a", "a"),
        ("a <a@example.org> a", "a a@example.org a"),
    ],
)
def test_places_are_exact_beside_markup_that_repeats_the_text(written: str, text: str):
    document = document_of(f"{FRONT}\n## # a #\n\n{written}\n")
    assert document.items[0].headline.text == "# a"
    assert document.items[0].bullet.text == text
    assert_places_are_exact(document)


def test_entity_and_escape_are_covered_whole():
    document = document_of(f"{FRONT}\n## a\n\na &amp;\\* b\n")
    prose = document.items[0].bullet
    span = prose.span(2, 4)
    assert document.source.text[span.start : span.end] == "&amp;\\*"


def test_marks_become_runs():
    prose = document_of(f"{FRONT}\n## a\n\nb **c** *d [e](https://example.org)*\n").items[0].bullet
    assert prose.runs == (
        Run("b "),
        Run("c", strong=True),
        Run(" "),
        Run("d ", emphasis=True),
        Run("e", emphasis=True, href="https://example.org"),
    )


@pytest.mark.parametrize(
    ("written", "newline"),
    [("a\nb\n", "\n"), ("a\r\nb\r\n", "\r\n"), ("a\rb\r", "\r"), ("a\r\nb\n", MIXED), ("a", "\n")],
)
def test_line_ends_are_noted_and_made_one(written: str, newline: str):
    source = parse_bytes(written.encode(), PATH).source
    assert source.newline == newline
    assert "\r" not in source.text


def test_comment_is_cut_out_without_a_gap_and_escaped_one_is_text():
    assert document_of(f"{FRONT}\n## a\n\nb <!-- c --> d\n").items[0].bullet.text == "b d"
    assert document_of(f"{FRONT}\n## a\n\n<!-- c --> d\n").items[0].bullet.text == "d"
    escaped = document_of(f"{FRONT}\n## a\n\nb \\<!-- c --\\> d\n")
    assert escaped.items[0].bullet.text == "b <!-- c --> d"


@given(
    st.lists(st.sampled_from(["a", " ", "\n", "<!--", "-->", "\\", "-"]), max_size=30).map("".join)
)
def test_cut_out_comments_keep_lines_and_places(text: str):
    body, _ = read_body(text, 0)
    assert body.text.count("\n") == text.count("\n")
    for at, char in enumerate(body.text):
        assert text[body.source_offset(at)] == char


def test_texts_are_those_that_readers_see_in_the_order_of_the_file():
    text = with_bullet(f"{ITEMS[0][1]}\n\nSources: <https://example.org>").replace(
        "date:", "note: A note\ndate:", 1
    )
    found = [prose.text for prose in texts(document_of(text))]
    assert found[:4] == ["A note", ITEMS[0][0], ITEMS[0][1], "https://example.org"]


ODD = r"[ | [a]( | *a | a**b | ` | < | ![ | <!-- | & | > | - | \ | '\" | <b> | {a: | a  b".split(
    " | "
)


ODD = r"[ | [a]( | *a | a**b | ` | < | ![ | <!-- | & | > | - | \ | '\" | <b> | {a: | a  b".split(
    " | "
)


@pytest.mark.parametrize(
    "filler", [*ODD, "# \n", "a\n", "\0\n", "\u00a0\u200b ", "a\n\n", "## a\nb\n"]
)
def test_largest_file_of_odd_markup_is_checked_in_seconds_not_minutes(filler: str):
    # No assertion on the clock: quadratic behavior here would take minutes.
    body = filler * ((MAX_BYTES - 1_000) // len(filler.encode()))
    assert check_text(FRONT + "\n" + body, context_of()).document.source.text.startswith(FRONT)


def test_prose_without_places_says_zero():
    assert Prose.plain("abc").span(0, 3).start == 0
