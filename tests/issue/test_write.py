"""What `to_markdown` writes is read back as the same issue, and is pleasant to edit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it.common.normalize_url import normalizeLink

from newsletter.issue.check import build
from newsletter.issue.document import Document
from newsletter.issue.escape import heading, inline
from newsletter.issue.model import Hero, Issue, Item
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import parse
from newsletter.issue.prose import Prose, Run
from newsletter.issue.source import Source
from newsletter.issue.write import skeleton, to_markdown


def document(text: str) -> Document:
    return parse(Source(Path("issue.md"), text))


# ── any issue ───────────────────────────────────────────────────────────────

_AWKWARD = [
    "&amp;", "&", "&#35;", "*", "**", "_", "__", "[", "]", "](", "(x)", "\\", "`", "```", "~~~",
    "!", "1.", "1)", "#", "##", " #", "- ", "---", "+ ", "> ", "=", ":", "<", "<b>", "<!-- a -->",
    "<https://x.test>", "https://x.test", "Sources", "  ", " ", "\t", "\u00a0", "\u200b", "“", "”",
    "’", "日本", "é", "2½", "R&D", "AT&T;", "a", "word", "snake_case",
]  # fmt: skip
_TEXTS = st.lists(
    st.sampled_from(_AWKWARD) | st.characters(exclude_categories=["Cs", "Cc"]), max_size=7
).map("".join)
_ADDRESSES = [
    "https://example.org/",
    "https://example.org/a_(b)?c=1&copy;=2",
    "https://example.org/x*y_z",
    "https://例え.test/日",
    "mailto:a@example.org",
]
_HREFS = st.none() | st.sampled_from([normalizeLink(address) for address in _ADDRESSES])
_RUNS = st.builds(Run, text=_TEXTS, strong=st.booleans(), emphasis=st.booleans(), href=_HREFS)
_BARE = st.sampled_from(
    [
        Run("https://example.org/", href="https://example.org/"),
        Run("https://example.org/", href="https://example.org/", strong=True),
        Run("a@example.org", href="mailto:a@example.org"),
        Run("https://example.org/日", href="https://example.org/%E6%97%A5", emphasis=True),
    ]
)


def _stripped(runs: list[Run]) -> Prose:
    """Prose never begins or ends with a blank: the parser takes it off."""
    while runs and not runs[0].text.lstrip(" "):
        runs = runs[1:]
    while runs and not runs[-1].text.rstrip(" "):
        runs = runs[:-1]
    if runs:
        runs = [replace(runs[0], text=runs[0].text.lstrip(" ")), *runs[1:]]
        runs = [*runs[:-1], replace(runs[-1], text=runs[-1].text.rstrip(" "))]
    return Prose.of(runs)


_PROSE = st.lists(_RUNS | _BARE, min_size=1, max_size=4).map(_stripped).filter(bool)
_BULLETS = _PROSE.filter(lambda prose: not re.match(r"(?i)sources?\s*:", prose.text))
_AFTER_LABEL = _PROSE.filter(lambda prose: prose.text.lstrip() == prose.text)
_LINES = _TEXTS.map(str.strip).filter(bool)
_ISSUES = st.builds(
    Issue,
    number=st.builds(IssueNumber, st.integers(1, 999), st.integers(1, 999)),
    date=st.dates(),
    items=st.lists(
        st.builds(Item, headline=_PROSE, bullet=_BULLETS, sources=st.none() | _AFTER_LABEL),
        max_size=2,
    ).map(tuple),
    hero=st.none()
    | st.builds(
        Hero,
        file=st.sampled_from(["hero.jpg", "a b.png", "x(1).jpg", "50%25.jpg", "x).jpg"]),
        alt=_TEXTS.map(str.strip),
        credit=_AFTER_LABEL,
    ),
    subject=st.none() | _LINES,
    preheader=st.none() | _LINES,
    note=st.none() | _LINES,
)


@settings(max_examples=250, deadline=None)
@given(_ISSUES)
def test_any_issue_reads_back_equal(issue: Issue) -> None:
    back = document(to_markdown(issue))
    assert back.faults == ()
    assert back.blocks == ()
    assert [item.blocks for item in back.items] == [()] * len(issue.items)
    assert build(back) == issue


# ── looks ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "R&D at AT&T grew 5% [sic] (see the_long_name) by 2 * 3 — “about” ½; a < b, #1!",
        "-5% is no list, #1 no heading, 2.5 no number",
    ],
)
def test_plain_text_is_written_as_it_is(text: str) -> None:
    assert inline(Prose.plain(text), begins_block=True) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1. first", "1\\. first"),
        ("# goal", "\\# goal"),
        ("- dash", "\\- dash"),
        ("> quote", "\\> quote"),
        ("*star*", "\\*star\\*"),
        ("&amp; <b>", "&amp;amp; &lt;b>"),
        ("[x](y)", "[x\\](y)"),
        ("\u00a0text", "&#160;text"),
    ],
)
def test_what_would_be_markup_is_escaped(text: str, written: str) -> None:
    assert inline(Prose.plain(text), begins_block=True) == written


def test_marks_links_and_bare_addresses_are_written_the_usual_way() -> None:
    address = "https://example.org/"
    runs = [Run("a "), Run("b", strong=True), Run(" "), Run("c", emphasis=True), Run(" ")]
    runs += [Run("d", href=address), Run(" "), Run(address, href=address)]
    assert inline(Prose.of(runs)) == f"a **b** _c_ [d]({address}) <{address}>"


def test_number_sign_at_the_end_of_a_headline_is_kept() -> None:
    assert heading(Prose.plain("Winner in C#")) == "Winner in C#"
    assert heading(Prose.plain("Room #")) == "Room \\#"


def test_front_matter_is_quoted_only_where_yaml_needs_it() -> None:
    issue = Issue(
        number=IssueNumber(2, 20),
        date=date(2023, 10, 31),
        items=(),
        subject="Two fleets, one harbor",
        preheader="Ferries: who pays? # and why",
        note="2.20",
    )
    lines = to_markdown(issue).split("\n")
    assert lines[1:6] == [
        "issue: 2.20",
        "date: 2023-10-31",
        "subject: Two fleets, one harbor",
        'preheader: "Ferries: who pays? # and why"',
        'note: "2.20"',
    ]


def test_remark_cannot_end_its_comment_early() -> None:
    issue = Issue(number=IssueNumber(1, 1), date=date(2022, 1, 4), items=())
    back = document(to_markdown(issue, remark="a --> ## not a headline"))
    assert back.items == ()
    assert back.blocks == ()


# ── the empty form ──────────────────────────────────────────────────────────


def test_skeleton_has_five_headings_and_nothing_to_print() -> None:
    form = document(skeleton(IssueNumber(2, 5), date(2023, 3, 14)))
    assert form.faults == ()
    assert form.value("issue") == "2.5"
    assert form.value("date") == "2023-03-14"
    assert [bool(item.headline) for item in form.items] == [False] * 5
    assert [item.paragraphs for item in form.items] == [()] * 5
    assert form.picture is None
    assert form.blocks == ()


def test_skeleton_filled_in_over_its_remarks_reads_as_written() -> None:
    form = skeleton(IssueNumber(2, 5), date(2023, 3, 14))
    form = re.sub(r"<!-- headline (\d) -->", r"Headline \1", form)
    form = re.sub(r"<!-- text (\d) -->", r"Text \1", form)
    items = build(document(form)).items
    assert [(item.headline.text, item.bullet.text) for item in items] == [
        (f"Headline {number}", f"Text {number}") for number in range(1, 6)
    ]
