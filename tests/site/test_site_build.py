"""The static site: whole or not at all, the same each time, every link valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from archives import a_page_view, a_workspace, publications, put
from html_pages import broken_links, html_pages, tree

from newsletter.errors import StorageError
from newsletter.site.build import MARKER, NOT_FOUND, build, file_of
from newsletter.site.site import Site, site_of

NUMBERS = ("2.2", "2.1", "1.25")


@pytest.fixture
def workspace(tmp_path):
    return a_workspace(tmp_path / "digest")


@pytest.fixture
def site(workspace) -> Site:
    return static(workspace, *NUMBERS)


def static(workspace, *numbers: str) -> Site:
    return site_of(workspace, publications(workspace, numbers), is_static=True)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_page_is_a_file_that_any_web_server_finds(site, tmp_path):
    to = tmp_path / "public"
    count = build(site, to)
    files = content(to)
    assert set(files) == {*(file_of(path) for path in site.pages), NOT_FOUND, MARKER}
    assert count == len(files) - 1
    assert files["index.html"] == site.pages["/"].read()
    assert files["vol-2-02/index.html"] == site.pages["/vol-2-02/"].read()
    assert {"feed.atom", "feed.json", "sitemap.xml", "robots.txt", "favicon.svg"} < set(files)
    assert "privacy/index.html" in files
    assert "archive/vol-2/index.html" in files


def test_no_mail_and_no_manifest_is_among_the_files(site, tmp_path):
    build(site, tmp_path / "public")
    files = content(tmp_path / "public")
    assert not [name for name in files if name.endswith((".eml", ".txt", "manifest.json"))
                and name != "robots.txt"]  # fmt: skip
    assert not [name for name, data in files.items() if b"slot.invalid" in data]


def test_two_builds_are_the_same_to_the_last_byte(workspace, tmp_path):
    build(static(workspace, *NUMBERS), tmp_path / "one")
    build(static(workspace, *NUMBERS), tmp_path / "other")
    assert content(tmp_path / "one") == content(tmp_path / "other")


@pytest.mark.parametrize("url", ["https://digest.example.org", "https://example.org/digest"])
def test_every_link_of_the_built_site_leads_to_a_file(tmp_path, url):
    workspace = a_workspace(tmp_path / "digest", site={"url": url})
    site = static(workspace, *NUMBERS)
    build(site, tmp_path / "public")
    pages = {path: (tmp_path / "public" / file_of(path)).read_bytes() for path in html_pages(site)}
    pages["/404.html"] = (tmp_path / "public" / NOT_FOUND).read_bytes()
    assert broken_links(site, pages) == []


def test_search_needs_a_server_and_is_left_out(site):
    assert not tree(site.pages["/archive/"].read()).forms


def test_site_without_editions_says_that_the_first_is_to_come(workspace, tmp_path):
    build(static(workspace), tmp_path / "public")
    assert b"first issue is to come" in (tmp_path / "public" / "index.html").read_bytes()


def test_what_was_built_is_replaced_as_a_whole(workspace, tmp_path):
    to = tmp_path / "public"
    build(static(workspace, *NUMBERS), to)
    build(static(workspace, "2.2"), to)
    assert not (to / "vol-1-25").exists()
    assert (to / "vol-2-02" / "index.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digest", "public"]


@pytest.mark.parametrize(
    ("file", "what"),
    [("notes.txt", "not a site built here"), (MARKER, "not a site built here")],
)
def test_foreign_folder_is_refused_with_a_hint(site, tmp_path, file, what):
    to = tmp_path / "public"
    to.mkdir()
    (to / file).write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match=what) as caught:
        build(site, to)
    assert "another folder" in str(caught.value.hint)
    assert (to / file).read_text(encoding="utf-8") == "mine"


def test_file_that_somebody_put_into_the_site_is_not_deleted(site, tmp_path):
    to = tmp_path / "public"
    build(site, to)
    (to / "archive" / "CNAME").write_text("mine", encoding="utf-8")
    with pytest.raises(StorageError, match="also holds archive/CNAME"):
        build(site, to)
    assert (to / "archive" / "CNAME").exists()


def test_file_in_place_of_the_folder_and_the_folder_one_is_in_are_refused(
    site, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="is a file"):
        build(site, tmp_path / "file")
    monkeypatch.chdir(tmp_path / "digest")
    with pytest.raises(StorageError, match="the folder that you are in"):
        build(site, tmp_path)


def test_edition_that_is_altered_while_it_is_built_leaves_the_old_site_whole(workspace, tmp_path):
    to = tmp_path / "public"
    build(static(workspace, "2.1"), to)
    before = content(to)
    site = static(workspace, "2.2", "2.1")
    site.pages["/vol-2-02/issue.pdf"].body.write_bytes(b"other")
    with pytest.raises(StorageError, match="is not what was frozen"):
        build(site, to)
    assert content(to) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digest", "public"]


def test_progress_is_told_page_by_page(workspace, tmp_path):
    one = put(workspace, a_page_view("2.1"))
    site = site_of(workspace, [one], is_static=True)
    seen: list[int] = []
    build(site, tmp_path / "public", on_progress=seen.append)
    assert seen == list(range(1, len(site.pages) + 1))
