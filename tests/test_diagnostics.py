"""Diagnostics print for people, programs and code hosts, and never leak control characters."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from newsletter.diagnostics import Diagnostic, Severity, as_github, as_json, as_text, width


def diagnostic(**changes: object) -> Diagnostic:
    fields: dict[str, object] = {
        "code": "NL104",
        "name": "item-count",
        "severity": Severity.ERROR,
        "message": "6 items, expected 5",
        "path": "issues/vol-2-20/issue.md",
        "line": 14,
        "column": 4,
        "end_line": 14,
        "end_column": 9,
        "hint": "merge two",
        "source_line": "## Sixth headline",
    }
    return Diagnostic(**{**fields, **changes})  # type: ignore[arg-type]


def test_text_shows_place_source_line_and_a_caret_below_the_words():
    assert as_text([diagnostic()]) == (
        "issues/vol-2-20/issue.md:14:4: error NL104: 6 items, expected 5\n"
        "   14 │ ## Sixth headline\n"
        "      │    ^^^^^\n"
        "  hint: merge two\n"
    )


def test_caret_stands_below_wide_characters():
    line = "安倍晋三 and Abe"
    lines = as_text([diagnostic(source_line=line, column=10, end_column=13)]).split("\n")
    assert lines[2].index("^") - lines[1].index("安") == width("安倍晋三 and ")


def test_long_lines_are_cut_around_the_caret():
    line = "word " * 100 + "TARGET" + " word" * 100
    shown = as_text([diagnostic(source_line=line, column=501, end_column=507)]).split("\n")
    at = shown[2].index("^")
    assert len(shown[1]) < 120
    assert shown[1][at : at + 6] == "TARGET"


def test_escape_sequences_do_not_reach_the_terminal():
    text = as_text([diagnostic(message="\x1b[31mred", source_line="a\x1b]0;title\x07b")])
    assert "\x1b" not in text
    assert "<U+001B>" in text


def test_json_is_an_array_of_objects():
    (found,) = json.loads(as_json([diagnostic()]))
    assert found["code"] == "NL104"
    assert (found["line"], found["column"], found["end_column"]) == (14, 4, 9)
    assert found["severity"] == "error"
    assert found["fixable"] is False


def test_github_escapes_what_would_end_the_command():
    line = as_github([diagnostic(message="50% of\nlines", path="a,b:c.md")])
    assert line.startswith("::error file=a%2Cb%3Ac.md,line=14,col=4,")
    assert line.endswith("::50%25 of%0Alines%0Ahint: merge two\n")


@given(st.text(), st.integers(1, 300), st.integers(1, 300), st.text(max_size=400))
def test_text_never_fails_and_gives_printable_lines(message, column, end_column, source):
    found = diagnostic(
        message=message, column=column, end_column=end_column, source_line=source, hint=message
    )
    for line in as_text([found]).split("\n"):
        assert line.isprintable()
