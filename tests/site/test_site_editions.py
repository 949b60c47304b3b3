"""Frozen editions are read as they were frozen, or not shown at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from archives import PDF, a_page_view, a_workspace, an_edition, put

from newsletter.compose import manifest
from newsletter.compose.edition import write
from newsletter.errors import StorageError
from newsletter.issue.prose import Prose
from newsletter.site.editions import Publication, SiteEdition, read_edition, read_editions
from newsletter.site.frozen_page import read_page


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "digest")


def folder_of(workspace, one: Publication):
    return workspace.root / ".newsletter" / "editions" / one.edition_hash


def read(workspace, one: Publication) -> SiteEdition:
    return read_edition(folder_of(workspace, one), one)


def test_edition_says_what_was_frozen(workspace):
    view = a_page_view("2.20")
    one = put(workspace, view)
    edition = read(workspace, one)
    assert (edition.label, edition.date, edition.path) == ("Vol 2.20", view.date, "vol-2-20/")
    assert edition.title == "Pacific Alliance Digest Vol 2.20"
    assert (edition.subject, edition.preheader) == (view.subject, view.preheader)
    assert [(h.text, h.anchor) for h in edition.headlines] == [
        (item.headline.text, item.anchor) for item in view.items
    ]
    assert edition.hero is not None
    assert (edition.hero.file, edition.hero.alt) == ("hero.jpg", view.hero.alt)
    assert (edition.hero.width, edition.hero.height) == (1104, 621)
    assert edition.published_at == one.published_at
    assert edition.pdf_bytes == len(PDF + b"2.20")


def test_only_pdf_and_pictures_are_public_beside_the_page(workspace):
    edition = read(workspace, put(workspace, a_page_view("2.20")))
    assert sorted(edition.files) == ["hero.jpg", "issue.pdf"]


def test_text_holds_the_words_of_the_bullets_and_no_furniture(workspace):
    text = read(workspace, put(workspace, a_page_view("2.20"))).text
    assert "Yokohama and Oakland go first and test it for two years." in text
    assert text.count("Farm trade talks end with a small deal") == 1  # not in the contents too
    assert "five stories, every two weeks" not in text
    assert "  " not in text


def test_blocks_without_space_between_their_tags_are_apart_in_the_text():
    page = b"<main><h2>One</h2><p>tw<em>o</em><br>three</p></main>"
    assert read_page(page).text == "One two three"


def test_page_without_data_block_and_picture_still_stands():
    said = read_page(b"<html><body><main><p>Words</p></main></body></html>")
    assert (said.headlines, said.hero, said.text) == ((), None, "Words")


@pytest.mark.parametrize(
    "data",
    ["", "not JSON", "[]", "{}", '{"hasPart": 3}', '{"hasPart": [3]}', '{"hasPart": [{}]}',
     '{"hasPart": ' * 3000],
)  # fmt: skip
def test_data_block_of_another_form_gives_no_headlines(data):
    page = f'<main>Words</main><script type="application/ld+json">{data}</script>'.encode()
    assert read_page(page).headlines == ()


def test_anchor_that_is_none_is_left_out():
    parts = [{"headline": "A", "url": "https://example.org/#a b"}, {"headline": "B"}]
    data = json.dumps({"hasPart": parts})
    page = f'<main></main><script type="application/ld+json">{data}</script>'.encode()
    assert [one.anchor for one in read_page(page).headlines] == ["", ""]


def test_picture_that_is_no_file_of_the_edition_is_not_shown(workspace):
    view = a_page_view("2.20")
    other = replace(view.hero, url="https://elsewhere.test/other.jpg")
    edition = read(workspace, put(workspace, replace(view, hero=other)))
    assert edition.hero is None
    assert "hero.jpg" in edition.files


def test_headline_with_markup_stays_text(workspace):
    view = a_page_view("2.20")
    nasty = "</script><b>AT&T</b> “quoted”"
    item = replace(view.items[0], headline=Prose.plain(nasty))
    edition = read(workspace, put(workspace, replace(view, items=(item, *view.items[1:]))))
    assert edition.headlines[0].text == nasty


# ── altered ─────────────────────────────────────────────────────────────────


def test_altered_editions_are_left_out_and_the_rest_goes_on(workspace):
    ones = [put(workspace, a_page_view(f"2.{number}")) for number in range(6, 0, -1)]
    folders = [folder_of(workspace, one) for one in ones]
    (folders[0] / "web.html").write_bytes(b"<main>other</main>")
    (folders[1] / "issue.pdf").unlink()
    (folders[2] / "manifest.json").write_bytes((folders[2] / "manifest.json").read_bytes() + b"\n")
    (folders[3] / "hero.jpg").unlink()
    (folders[3] / "hero.jpg").symlink_to("/etc/hostname")
    folders[4].rename(folders[4].with_name("gone"))
    editions, problems = read_editions(workspace, ones)
    assert [str(edition.number) for edition in editions] == ["2.1"]
    assert len(problems) == 5
    for one, problem, what in zip(
        ones,
        problems,
        ["altered: web.html", "altered: issue.pdf", "altered: manifest.json",
         "altered: hero.jpg", "it is missing"],
        strict=False,
    ):  # fmt: skip
        assert problem.startswith(f"Vol {one.number} is left out of the archive: ")
        assert what in problem


def test_edition_of_another_issue_is_refused(workspace):
    one = put(workspace, a_page_view("2.20"))
    with pytest.raises(StorageError, match=r"it is Vol 2\.20"):
        read_edition(folder_of(workspace, one), replace(one, number="2.21"))


def test_manifest_of_another_form_is_refused(workspace):
    edition = an_edition(a_page_view("2.20"))
    content = json.loads(edition.files[manifest.NAME])
    del content["date"]
    data = json.dumps(content).encode()
    folder = workspace.root / "odd"
    write(replace(edition, files={**edition.files, manifest.NAME: data}), folder)
    one = put(workspace, a_page_view("2.20"))
    with pytest.raises(StorageError, match="its manifest is of another form"):
        read_edition(folder, replace(one, edition_hash=manifest.digest(data)))


def test_known_editions_are_not_read_again(workspace):
    ones = [put(workspace, a_page_view(number)) for number in ("2.2", "2.1")]
    before, _ = read_editions(workspace, ones)
    (folder_of(workspace, ones[0]) / "web.html").write_bytes(b"other")
    after, problems = read_editions(workspace, ones, known=before)
    assert after[0] is before[0]
    assert not problems
