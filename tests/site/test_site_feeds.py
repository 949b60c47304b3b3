"""Feeds, sitemap and robots.txt, read by the programs that read such things."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.robotparser import RobotFileParser

import feedparser
import pytest
from archives import NOW, a_page_view, a_site, a_workspace, put
from lxml import etree

from newsletter.site.feeds import ENTRIES
from newsletter.site.site import Site, site_of

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
HOME = "https://digest.example.org/"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return a_site(tmp_path_factory.mktemp("feeds") / "digest", "2.2", "2.1", "1.24")


def atom(site: Site) -> feedparser.FeedParserDict:
    feed = feedparser.parse(site.pages["/feed.atom"].read())
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def json_feed(site: Site) -> dict:
    return json.loads(site.pages["/feed.json"].read())


def test_atom_is_read_by_a_feed_reader(site):
    feed = atom(site)
    assert feed.version == "atom10"
    assert (feed.feed.title, feed.feed.id) == ("Pacific Alliance Digest", HOME)
    assert [entry.link for entry in feed.entries] == [
        f"{HOME}{name}/" for name in ("vol-2-02", "vol-2-01", "vol-1-24")
    ]
    entry, edition = feed.entries[0], site.editions[0]
    assert (entry.title, entry.summary) == (edition.subject, edition.preheader)
    assert entry.id == entry.link
    for headline in edition.headlines:
        assert f'<a href="{entry.link}#{headline.anchor}">' in entry.content[0].value
    (pdf,) = entry.enclosures
    assert (pdf.href, pdf.type) == (f"{entry.link}issue.pdf", "application/pdf")
    assert int(pdf.length) == edition.pdf_bytes


def test_atom_has_what_rfc_4287_asks_for(site):
    root = etree.fromstring(site.pages["/feed.atom"].read())
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):  # §4.1.1, §4.1.2: exactly one of each
            assert len(element.findall(ATOM + name)) == 1
        times = [element.findtext(ATOM + name) for name in ("updated", "published")]
        for text in filter(None, times):
            assert datetime.fromisoformat(text).tzinfo is UTC
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "Harbor Street Institute"
    relations = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert relations == {"self": f"{HOME}feed.atom", "alternate": HOME}
    ids = [element.text for element in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids)
    newest = max(entry.findtext(f"{ATOM}updated") for entry in root.iter(f"{ATOM}entry"))
    assert root.findtext(f"{ATOM}updated") == newest


def test_entry_is_dated_by_its_issue_and_updated_when_it_was_published(tmp_path):
    workspace = a_workspace(tmp_path / "digest")
    site = site_of(workspace, [put(workspace, a_page_view("2.1"), published_at=NOW)])
    entry = atom(site).entries[0]
    assert entry.published == f"{site.editions[0].date}T00:00:00Z"
    assert entry.updated == "2026-03-02T09:53:00Z"
    item = json_feed(site)["items"][0]
    assert (item["date_published"], item["date_modified"]) == (entry.published, entry.updated)


def test_json_feed_has_the_form_of_version_1_1(site):
    feed = json_feed(site)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["home_page_url"], feed["feed_url"]) == (HOME, f"{HOME}feed.json")
    author = {"name": "Harbor Street Institute", "url": "https://www.example.org"}
    assert feed["authors"] == [author]
    assert len(feed["items"]) == 3
    for item, edition in zip(feed["items"], site.editions, strict=True):
        assert item["id"] == item["url"] == HOME + edition.path
        assert item["content_html"].startswith("<p>")
        assert item["image"] == f"{item['url']}hero.jpg"
        assert item["attachments"] == [
            {
                "url": f"{item['url']}issue.pdf",
                "mime_type": "application/pdf",
                "size_in_bytes": edition.pdf_bytes,
            }
        ]
        assert all(isinstance(value, str | list) for value in item.values())


def test_feeds_hold_the_newest_editions_only(tmp_path):
    site = a_site(tmp_path / "digest", *[f"1.{number}" for number in range(ENTRIES + 5, 0, -1)])
    assert len(atom(site).entries) == len(json_feed(site)["items"]) == ENTRIES
    assert atom(site).entries[0].link.endswith(f"/vol-1-{ENTRIES + 5}/")


def test_feeds_without_editions_are_valid_and_know_no_clock(tmp_path):
    one, other = a_site(tmp_path / "a"), a_site(tmp_path / "b")
    assert atom(one).feed.updated == "2022-01-01T00:00:00Z"
    assert json_feed(one)["items"] == []
    for path in ("/feed.atom", "/feed.json", "/sitemap.xml"):
        assert one.pages[path].read() == other.pages[path].read()


@pytest.mark.parametrize(
    "nasty", ["]]></feed><b>&amp;", "a\x00b\x0bc\ufffe", "“\u2028”", "<![CDATA["]
)
def test_hostile_texts_cannot_break_a_feed(tmp_path, nasty):
    workspace = a_workspace(tmp_path / "digest", newsletter={"title": nasty})
    view = replace(a_page_view("2.1"), subject=nasty, preheader=nasty)
    site = site_of(workspace, [put(workspace, view)])
    root = etree.fromstring(site.pages["/feed.atom"].read())
    assert len(root.findall(f"{ATOM}entry")) == 1
    assert json_feed(site)["items"][0]["title"] == nasty
    content = json_feed(site)["items"][0]["content_html"]
    assert "<b>" not in content
    assert "<![" not in content


def test_sitemap_lists_what_may_be_found_and_when_it_changed(site):
    root = etree.fromstring(site.pages["/sitemap.xml"].read())
    assert root.tag == f"{MAP}urlset"
    places = {url.findtext(f"{MAP}loc"): url.findtext(f"{MAP}lastmod") for url in root}
    html = {path for path, page in site.pages.items() if path.endswith("/")}
    assert set(places) == {HOME + path.removeprefix("/") for path in html}
    for edition in site.editions:
        at = edition.published_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert places[HOME + edition.path] == at
    assert places[HOME] == max(filter(None, places.values()))


@pytest.mark.parametrize("url", ["https://digest.example.org", "https://example.org/digest"])
def test_robots_stay_away_from_what_belongs_to_one_reader(tmp_path, url):
    site = a_site(tmp_path / "digest", "2.1", site={"url": url})
    robots = RobotFileParser()
    robots.parse(site.pages["/robots.txt"].read().decode().splitlines())
    for path in ("unsubscribe/x", "preferences/x", "confirm/x", "api/v1/x"):
        assert not robots.can_fetch("any", f"{url}/{path}")
    for path in ("", "archive/", "vol-2-01/", "vol-2-01/issue.pdf", "subscribe/"):
        assert robots.can_fetch("any", f"{url}/{path}")
    assert robots.site_maps() == [f"{url}/sitemap.xml"]
