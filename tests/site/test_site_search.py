"""Search: every word, whatever its letter case and accents; nothing a person types is expensive."""

from __future__ import annotations

import time

import pytest
from archives import a_page_view, a_site, a_workspace, put
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issue.prose import Prose
from newsletter.site.search import MAX_HITS, fold, search, searchable
from newsletter.site.site import Site, site_of


def replaced(view, headline: str, bullet: str):
    from dataclasses import replace

    item = replace(view.items[0], headline=Prose.plain(headline), bullet=Prose.plain(bullet))
    return replace(view, items=(item, *view.items[1:]))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    workspace = a_workspace(tmp_path_factory.mktemp("search") / "digest")
    texts = {
        "2.3": ("Café owners meet in São Paulo", "Prices of coffee rose. " * 40 + "The end."),
        "2.2": ("首相、日米首脳会談に臨む", "岸田首相とバイデン大統領は会談した。"),
        "2.1": ("Straße rules eased", "The ﬁrst reform in years."),
    }
    ones = [put(workspace, replaced(a_page_view(number), *text)) for number, text in texts.items()]
    return site_of(workspace, ones)


def found(site: Site, query: str) -> list[str]:
    return [str(hit.edition.number) for hit in site.search(query)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("CAFE", ["2.3"]),
        ("café", ["2.3"]),
        ("sao   coffee", ["2.3"]),
        ("coffee 日米", []),
        ("日米首脳", ["2.2"]),
        ("バイテン", []),  # another sound
        ("strasse", ["2.1"]),
        ("STRASSE FIRST", ["2.1"]),
        ("Guam", ["2.3", "2.2", "2.1"]),  # in all, the newest first
        ("vol 2.1", ["2.1"]),
        ("", []),
        (" \t\n ", []),
        ("\x00", []),
        ("%_*?[", []),
    ],
)
def test_every_word_must_stand_in_the_edition(site, query, numbers):
    assert found(site, query) == numbers


def test_excerpt_shows_the_word_as_it_is_written_with_some_words_around(site):
    (hit,) = site.search("sao")
    assert hit.found == "São"
    assert hit.before.endswith("Café owners meet in ")
    assert hit.after.startswith(" Paulo")
    assert hit.after.endswith(" …")


def test_query_is_cut_and_stays_cheap(site):
    began = time.perf_counter()
    assert found(site, "guam " + "x" * 1_000_000) == []
    assert found(site, "guam " * 100_000) == ["2.3", "2.2", "2.1"]
    assert time.perf_counter() - began < 1


def test_answer_is_no_longer_than_a_page_bears(tmp_path):
    site = a_site(tmp_path / "digest", *[f"1.{number}" for number in range(60, 0, -1)])
    hits = site.search("guam")
    assert len(hits) == MAX_HITS
    assert "The newest 50 issues that have" in site.render_search("guam", hits)


def test_answer_escapes_what_was_asked_and_what_was_found(site):
    html = site.render_search('"><script>alert(1)</script>', site.search("rules"))
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
    assert "<mark>rules</mark>" in html
    assert '<meta name="robots" content="noindex">' in html


def test_answer_without_hits_says_so(site):
    assert "No issue has “zzz”" in site.render_search("zzz", site.search("zzz"))


@given(st.text(max_size=300))
def test_folding_a_text_is_folding_its_characters(text):
    assert fold(text) == "".join(fold(char) for char in text)
    assert fold(fold(text)) == fold(text) or not text.isascii()


@given(st.text(max_size=400))
def test_no_query_fails_and_an_excerpt_is_a_piece_of_the_text(site, query):
    for hit in search([searchable(edition) for edition in site.editions], query):
        middle = hit.before.removeprefix("… ") + hit.found + hit.after.removesuffix(" …")
        assert middle in hit.edition.text
