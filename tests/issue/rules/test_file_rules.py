"""NL0xx: the file and its front matter; a bad text gives the code at the very place."""

from __future__ import annotations

import pytest

from newsletter.diagnostics import Severity
from newsletter.issue.keys import KEY_NAMES, front_matter_schema
from tests.builders import (
    ITEMS,
    check_text,
    findings,
    places,
    valid_issue,
    with_bullet,
    with_front,
)

NUMBER, DATE = "issue: 3.4", "date: 2024-03-05"


def test_valid_issue_gives_no_finding_at_all():
    checked = check_text(valid_issue())
    assert checked.diagnostics == ()
    assert checked.issue is not None
    assert [item.headline.text for item in checked.issue.items] == [h for h, _ in ITEMS]


def test_file_above_the_limit_is_one_error_and_nothing_else():
    checked = check_text(b"x" * 20_000_000)
    assert [(d.code, d.line, d.column) for d in checked.diagnostics] == [("NL001", 1, 1)]
    assert checked.issue is None


@pytest.mark.parametrize(
    ("encoding", "hint"),
    [("cp1252", "Windows-1252"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16")],
)
def test_other_encoding_points_at_the_first_bad_byte(encoding: str, hint: str):
    text = valid_issue().replace("Kobe", "Kôbe")
    (found,) = check_text(text.encode(encoding)).diagnostics
    assert found.code == "NL002"
    assert hint in (found.hint or "")
    if encoding == "cp1252":
        line = text[: text.index("ô")].count("\n") + 1
        assert (found.line, found.column) == (line, text.split("\n")[line - 1].index("ô") + 1)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_bad_byte_is_placed_right_whatever_the_line_ends(newline: str):
    text = valid_issue().replace("Kobe", "K\u00e4be")
    (found,) = check_text(text.replace("\n", newline).encode("cp1252", "replace")).diagnostics
    line = text[: text.index("\u00e4")].count("\n") + 1
    assert (found.line, found.column) == (line, text.split("\n")[line - 1].index("\u00e4") + 1)


def test_byte_order_mark_is_a_fixable_warning():
    (found,) = check_text(b"\xef\xbb\xbf" + valid_issue().encode()).diagnostics
    assert (found.code, found.severity, found.fixable) == ("NL003", Severity.WARNING, True)


@pytest.mark.parametrize(
    ("newline", "name"), [("\r\n", "CR LF"), ("\r", "CR (old"), ("\n\r\n", "more than one way")]
)
def test_other_line_ends_are_a_fixable_warning(newline: str, name: str):
    (found,) = check_text(valid_issue().replace("\n", newline).encode()).diagnostics
    assert (found.code, found.severity, found.fixable) == ("NL004", Severity.WARNING, True)
    assert name in found.message


@pytest.mark.parametrize(
    ("front", "place", "words"),
    [
        (f"---\n{NUMBER}\n{DATE}\nsubject: a: b\n---\n", (4, 11), "colon"),
        (f"---\n{NUMBER}\n{DATE}\nsubject: @home\n---\n", (4, 10), "cannot begin with “@”"),
        (f"---\n{NUMBER}\n\t{DATE}\n---\n", (3, 1), "a tab"),
        (f'---\n{NUMBER}\n{DATE}\nnote: "a\n---\n', (4, 7), "never closed"),
        (f"---\n{NUMBER}\n{DATE}\nnote: \x07\n---\n", (4, 7), "U+0007"),
        (f"---\nissue: [3, 4]\n{DATE}\n---\n", (2, 8), "a list or a table"),
        ("---\n- 3.4\n---\n", (2, 1), "key: value"),
        ("", (1, 1), "does not begin with front matter"),
        (f"---\n{NUMBER}\n", (1, 1), "never closed"),
    ],
)
def test_broken_front_matter_says_what_and_where(front: str, place: tuple[int, int], words: str):
    (found,) = findings(valid_issue(front=front), "NL005")
    assert (found.line, found.column) == place
    assert words in found.message


def test_deep_front_matter_does_not_exhaust_the_stack():
    assert places(valid_issue(front="---\n" + "[" * 4_900 + "\n---\n"), "NL005") == [(2, 1)]


def test_second_line_of_the_same_key_is_an_error_that_quotes_the_first():
    (found,) = findings(with_front(NUMBER, "issue: 3.5", DATE), "NL006")
    assert (found.line, found.column) == (3, 1)
    assert "3.4" in found.message


@pytest.mark.parametrize(
    ("line", "hint"),
    [("subjct: x", "subject"), ("Preheader: x", "preheader"), ("zzz: 1", ", ".join(KEY_NAMES))],
)
def test_unknown_key_suggests_the_near_one(line: str, hint: str):
    (found,) = findings(with_front(NUMBER, DATE, line), "NL007")
    assert (found.line, found.column) == (4, 1)
    assert hint in (found.hint or "")


def test_missing_and_empty_keys_are_both_named():
    found = findings(with_front("date:"), "NL008")
    assert [d.message for d in found] == ["“issue” is missing", "“date” is empty"]
    assert [(d.line, d.column) for d in found] == [(1, 1), (2, 1)]


def test_missing_keys_are_not_reported_where_the_front_matter_cannot_be_read():
    assert findings(with_front("subject: a: b"), "NL008") == []


@pytest.mark.parametrize("text", ["", " \n\n", "\n"])
def test_empty_file_is_one_error(text: str):
    assert [d.code for d in check_text(text).diagnostics] == ["NL011"]


@pytest.mark.parametrize(
    ("comment", "code"),
    [
        ("<!-- newsletter: allow NL203 -->", "NL009"),
        ("<!-- newsletter: allow all of it -->", "NL009"),
        ("<!-- newsletter: allow NL203 it is a quotation -->", "NL010"),
        ("<!-- newsletter: allow NL104 four are enough -->", "NL010"),
        ("<!-- newsletter: allow NL099 who knows -->", "NL010"),
    ],
)
def test_waiver_without_form_or_use_is_reported_where_it_stands(comment: str, code: str):
    found = check_text(with_bullet(f"{comment}\n{ITEMS[0][1]}")).diagnostics
    assert [(d.code, d.line, d.column) for d in found] == [(code, 8, 1)]


def test_remark_of_an_editor_is_neither_printed_nor_reported():
    words = ITEMS[0][1].split(" ")
    text = with_bullet(" ".join([*words[:5], "<!-- ask the\n\nmayor -->", *words[5:]]))
    plain = with_bullet(" ".join([*words[:5], "<!-- ask -->", *words[5:]]))
    assert check_text(plain).diagnostics == ()
    checked = check_text(plain)
    assert checked.issue is not None
    assert checked.issue.items[0].bullet.text == ITEMS[0][1]
    assert len(check_text(text).document.items[0].paragraphs) == 2  # an empty line is one


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ('subject: "one\\ntwo"', (4, 10)),
        ("subject: |\n  one\n  two", (4, 10)),
        ('note: "bell\\u0007"', (4, 7)),
    ],
)
def test_line_break_or_control_character_in_a_header_text_is_an_error(
    line: str, place: tuple[int, int]
):
    assert places(with_front(NUMBER, DATE, line), "NL013") == [place]


def test_long_subject_points_behind_the_last_character_shown():
    assert places(with_front(NUMBER, DATE, "subject: " + "x" * 151), "NL014") == [(4, 160)]
    assert places(with_front(NUMBER, DATE, "subject: " + "x" * 150), "NL014") == []


@pytest.mark.parametrize(("count", "column"), [(39, 12), (40, None), (130, None), (131, 142)])
def test_preheader_outside_of_what_inboxes_show_is_a_warning(count: int, column: int | None):
    expected = [] if column is None else [(4, column)]
    assert places(with_front(NUMBER, DATE, "preheader: " + "x" * count), "NL015") == expected


def test_schema_lists_every_key_and_demands_the_required_ones():
    schema = front_matter_schema()
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert tuple(properties) == KEY_NAMES
    assert schema["required"] == ["issue", "date"]
    assert schema["additionalProperties"] is False
