"""The archive as it is served: what stands in it, and nothing else."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.store.engine import Store
from newsletter.store.tables import publication
from newsletter.web.archive import NAME
from tests.web.worlds import SITE, World, publish, served, text_of


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path) -> Iterator[World]:
    with served(sqlite_store, tmp_path / "newsletter", "1.3", "2.19", "2.20") as made:
        yield made


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/archive/", "text/html; charset=utf-8"),
        ("/archive/vol-2/", "text/html; charset=utf-8"),
        ("/vol-2-20/", "text/html; charset=utf-8"),
        ("/vol-2-20/issue.pdf", "application/pdf"),
        ("/privacy/", "text/html; charset=utf-8"),
        ("/feed.atom", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
        ("/sitemap.xml", "application/xml; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
def test_each_page_has_its_type_and_may_be_kept_by_caches(site: World, path: str, media_type: str):
    answer = site.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"].startswith("public, max-age=")
    again = site.client.get(path, headers={"if-none-match": f'"other", {answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "/vol-2-20/email.html",
        "/vol-2-20/email.txt",
        "/vol-2-20/message.eml",
        "/vol-2-20/manifest.json",
        "/vol-2-20/web.html",
        "/vol-2-18/",
        "/vol-2-20/../../newsletter.toml",
        "/..%2f..%2fnewsletter.toml",
        "/%2e%2e/%2e%2e/newsletter.toml",
        "/vol-2-20/issue.pdf/",
        "/vol-2-20//issue.pdf",
        "/VOL-2-20/",
        "/%00",
        "/.newsletter/newsletter.db",
        "/index.html",
        "/proof-of-work.js",
    ],
)
def test_what_the_archive_does_not_list_is_not_there(site: World, path: str):
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_an_edition_is_served_as_it_was_frozen_to_the_last_byte(site: World):
    edition = site.context.site.current.editions[0]
    folder = site.context.workspace.root / ".newsletter" / "editions" / edition.edition_hash
    assert site.client.get("/vol-2-20/").content == (folder / "web.html").read_bytes()
    assert site.client.get("/vol-2-20/issue.pdf").content == (folder / "issue.pdf").read_bytes()


def test_a_pdf_that_was_altered_is_not_shown(site: World):
    edition = site.context.site.current.editions[0]
    folder = site.context.workspace.root / ".newsletter" / "editions" / edition.edition_hash
    (folder / "issue.pdf").write_bytes(b"%PDF another")
    answer = site.client.get("/vol-2-20/issue.pdf")
    assert answer.status_code == 503
    assert b"another" not in answer.content


def test_a_path_without_its_slash_is_sent_to_the_page(site: World):
    answer = site.client.get("/vol-2-20")
    assert (answer.status_code, answer.headers["location"]) == (308, "/vol-2-20/")


def test_text_is_zipped_for_who_takes_it_under_a_tag_of_its_own(site: World):
    plain = site.client.get("/vol-2-20/", headers={"accept-encoding": "identity"})
    zipped = site.client.get("/vol-2-20/", headers={"accept-encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content  # the client unzips
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert gzip.compress(plain.content, 9, mtime=0)[:2] == b"\x1f\x8b"
    assert plain.headers["vary"] == zipped.headers["vary"] == "accept-encoding"


def test_head_answers_as_get_without_a_body(site: World):
    head, get = (site.client.request(method, "/vol-2-20/") for method in ("HEAD", "GET"))
    assert head.content == b""
    assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_can_only_be_read(site: World, method: str):
    answer = site.client.request(method, "/vol-2-20/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_every_style_of_a_page_is_allowed_by_its_policy_and_nothing_else_is(site: World):
    for path in ("/", "/archive/", "/vol-2-20/", "/privacy/", "/archive/?q=harbor", "/nothing"):
        answer = site.client.get(path)
        policy = answer.headers["content-security-policy"]
        hashes = re.findall(r"'sha256-[A-Za-z0-9+/=]{44}'", policy)
        assert len(hashes) == answer.text.count("<style>") == 1
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert " style=" not in answer.text


def test_words_are_found_in_the_archive(site: World):
    headline = site.context.site.current.editions[0].headlines[0].text
    word = max(headline.split(), key=len).strip(".,“”’")
    found = site.client.get("/archive/", params={"q": word.upper()})
    assert found.headers["x-robots-tag"] == "noindex"
    assert "Vol 2.20" in text_of(found.text)
    assert "No issue has" in text_of(site.client.get("/archive/?q=xyzzyx").text)


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", '"><img src=x>', "%00", "a" * 5000])
def test_what_is_searched_for_never_becomes_markup(site: World, query: str):
    answer = site.client.get("/archive/", params={"q": query})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


def test_an_edition_that_is_published_appears_and_one_that_is_withdrawn_goes(site: World):
    publish(site.store, site.context.workspace, "2.21")
    assert site.client.get("/vol-2-21/").status_code == 404
    assert site.context.site.refresh()
    assert site.client.get("/vol-2-21/").status_code == 200
    assert "Vol 2.21" in text_of(site.client.get("/").text)
    with site.store.begin() as conn:
        conn.execute(sa.delete(publication).where(publication.c.number == "2.21"))
    assert site.context.site.refresh()
    assert site.client.get("/vol-2-21/").status_code == 404
    assert not site.context.site.refresh()


def test_looks_are_counted_without_robots_heads_and_pictures(site: World):
    def look(path: str, method: str = "GET", **headers: str) -> None:
        site.client.request(method, path, headers=headers)

    look("/vol-2-20/")
    look("/vol-2-20/")
    look("/vol-2-20/issue.pdf")
    look("/vol-2-20/", "HEAD")
    look("/")
    look("/vol-2-19/", **{"user-agent": "ExampleBot/1.0"})
    look("/vol-2-19/", **{"user-agent": ""})
    site.context.views.write(site.store)
    with site.store.read() as conn:
        rows = conn.execute(sa.text("SELECT number, form, count FROM view ORDER BY form")).all()
    assert [tuple(row) for row in rows] == [("2.20", "pdf", 1), ("2.20", "web", 2)]


def test_requests_are_counted_by_route_and_never_by_path(site: World):
    site.client.get("/vol-2-20/")
    site.client.get("/unsubscribe/not-a-token")
    site.client.get("/secret-path")
    text = site.context.metrics.text(site.store, site.context.workspace, site.at).decode()
    assert f'route="{NAME}"' in text
    assert 'route="/unsubscribe/{token}"' in text
    assert "not-a-token" not in text
    assert "secret-path" not in text


@pytest.mark.parametrize("strips", [True, False])
def test_below_a_path_every_link_leads_somewhere(sqlite_store: Store, tmp_path: Path, strips: bool):
    keys = {"url": f"{SITE}/digest"}
    with served(sqlite_store, tmp_path / "newsletter", "2.20", site=keys) as site:
        page = site.client.get("/" if strips else "/digest/").text
        links = set(re.findall(r'(?:href|src|action)="(/[^"#]*)', page))
        assert len(links) > 5
        for link in links - {"/digest/subscribe/"}:
            assert link.startswith("/digest/")
            assert site.client.get(link).status_code == 200, link
        answer = site.client.get("/vol-2-20")
        assert answer.headers["location"] == "/digest/vol-2-20/"
