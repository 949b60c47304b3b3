"""The view: what editors typed, in the words of the page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from composed import a_view, an_issue

from newsletter.compose.view import curled
from newsletter.issue.prose import Prose, Run


def test_quotation_across_runs_is_curled_and_keeps_its_marks() -> None:
    prose = Prose.of([Run('He said "'), Run("now", strong=True), Run("\" and wasn't heard.")])
    assert curled(prose) == Prose.of(
        [Run("He said “"), Run("now", strong=True), Run("” and wasn’t heard.")]
    )


def test_words_of_a_link_are_curled() -> None:
    link = Run('the city\'s "plan"', href="https://example.org/city's")
    assert curled(Prose.of([link])).text == "the city’s “plan”"
    assert curled(Prose.of([link])).links == ("https://example.org/city's",)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/o'neil",
        "example.org/o'neil",
        "www.o'neil.example",
        "o'neil@example.org",
    ],
)
def test_address_that_a_link_shows_keeps_every_character(address: str) -> None:
    prose = Prose.of([Run("It's here: "), Run(address, href="https://example.org/x"), Run(' "')])
    assert curled(prose).text.startswith(f"It’s here: {address}")


def test_address_is_left_alone_where_marks_divide_it() -> None:
    href = "https://example.org/o'neil"
    prose = Prose.of(
        [
            Run("https://example.org/", href=href),
            Run("o'neil", strong=True, href=href),
            Run(", Ann's page", href=href),
        ]
    )
    assert curled(prose).text == "https://example.org/o'neil, Ann’s page"


def test_sources_are_curled_but_for_their_addresses() -> None:
    href = "https://example.org/a'b"
    sources = Prose.of([Run('Ann\'s "Gazette", '), Run(href, href=href)])
    first, *others = an_issue().items
    view = a_view(items=(replace(first, sources=sources), *others))
    assert view.items[0].sources is not None
    assert view.items[0].sources.text == f"Ann’s “Gazette”, {href}"
