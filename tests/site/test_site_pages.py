"""The pages: their paths, what servers say of them, links under any prefix, nothing foreign."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import replace

import pytest
from archives import NOW, PDF, PICTURE, TEMPLATES, a_page_view, a_site, a_workspace, put
from html_pages import broken_links, html_pages, links, tree

from newsletter.compose import manifest
from newsletter.errors import StorageError, TemplateError
from newsletter.issue.prose import Prose
from newsletter.site.pages import page_of, style_hashes
from newsletter.site.site import Site, site_of

NUMBERS = ("2.3", "2.2", "2.1", "1.25", "1.24")
PREFIXED = {"site": {"url": "https://example.org/digest"}}
PREFIXED_PRIVACY = {"publisher": {"privacy_url": "https://example.org/digest/privacy/"}}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return a_site(tmp_path_factory.mktemp("pages") / "digest", *NUMBERS)


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("prefixed") / "digest"
    return a_site(folder, *NUMBERS, **PREFIXED, **PREFIXED_PRIVACY)


def test_every_page_has_its_clean_address(site):
    editions = [f"vol-{number.replace('.', '-')}" for number in ("2.03", "2.02", "2.01")]
    editions += ["vol-1-25", "vol-1-24"]
    assert set(site.pages) == {
        "/", "/archive/", "/archive/vol-2/", "/archive/vol-1/", "/privacy/", "/feed.atom",
        "/feed.json", "/sitemap.xml", "/robots.txt", "/favicon.svg",
        *(f"/{name}/{file}" for name in editions for file in ("", "issue.pdf", "hero.jpg")),
    }  # fmt: skip
    assert all(path == page.path for path, page in site.pages.items())


def test_edition_is_served_as_it_was_frozen_to_the_last_byte(site):
    edition = site.editions[0]
    frozen = (edition.folder / "web.html").read_bytes()
    assert site.pages["/vol-2-03/"].read() == frozen
    assert site.pages["/vol-2-03/issue.pdf"].read() == PDF + b"2.3"
    assert site.pages["/vol-2-03/hero.jpg"].read() == PICTURE + b"2.3"


def test_pages_say_what_they_are(site):
    kinds = {path: page.media_type for path, page in site.pages.items()}
    assert kinds["/"] == kinds["/vol-2-03/"] == "text/html; charset=utf-8"
    assert kinds["/vol-2-03/issue.pdf"] == "application/pdf"
    assert kinds["/vol-2-03/hero.jpg"] == "image/jpeg"
    assert kinds["/feed.json"] == "application/feed+json"
    assert kinds["/favicon.svg"] == "image/svg+xml"
    for page in site.pages.values():
        assert page.size == len(page.read())
    assert site.pages["/vol-2-03/issue.pdf"].number == "2.3"
    assert site.pages["/"].number is None


def test_entity_tag_follows_the_bytes_alone(site):
    tags = [page.etag for page in site.pages.values()]
    assert len(set(tags)) == len(tags)
    for page in site.pages.values():
        assert page.etag == hashlib.sha256(page.read()).hexdigest()[:32]
    modified = site.pages["/vol-2-03/"].last_modified
    assert modified == site.editions[0].published_at.replace(microsecond=0)
    assert site.pages["/"].last_modified is None  # configuration and templates change it too


def test_file_that_is_altered_later_is_not_shown(tmp_path):
    site = a_site(tmp_path / "digest", "2.3")
    page = site.pages["/vol-2-03/issue.pdf"]
    assert page.read()
    page.body.write_bytes(b"%PDF-1.7 another")
    with pytest.raises(StorageError, match="is not what was frozen"):
        page.read()
    page.body.unlink()
    with pytest.raises(StorageError, match="cannot be read"):
        page.read()


# ── a strict policy ─────────────────────────────────────────────────────────


def test_each_page_has_one_style_element_whose_hash_it_tells(site):
    for path, html in html_pages(site).items():
        (text,) = re.findall(rb"<style>(.*?)</style>", html, re.DOTALL)
        digest = b64encode(hashlib.sha256(text).digest()).decode()
        assert site.pages[path].style_hashes == (f"'sha256-{digest}'",), path


def test_style_in_a_comment_counts_for_nothing_and_attributes_do_not_matter():
    html = b'<!-- <style>a</style> --><STYLE media="print">b\r\nc</STYLE >'
    digest = b64encode(hashlib.sha256(b"b\nc").digest()).decode()
    assert style_hashes(html) == (f"'sha256-{digest}'",)
    assert page_of("/x", html, media_type="image/svg+xml").style_hashes == ()


def test_no_page_runs_or_loads_anything_foreign(site):
    for path, html in html_pages(site).items():
        page = tree(html)
        assert {one.get("type") for one in page.iter("script")} <= {"application/ld+json"}, path
        for element in page.iter():
            assert "style" not in element.attrib, path
            assert not [name for name in element.attrib if name.startswith("on")], path
        assert not re.search(rb"url\(|@import|javascript:", html), path
        for image in page.iter("img"):
            assert not image.get("src").startswith(("http", "//")), path
        for link in page.iter("link"):
            if link.get("rel") == "icon":
                assert link.get("href") == "/favicon.svg"


# ── links ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", ["site", "prefixed"])
def test_every_link_within_the_site_leads_somewhere(which, request):
    site = request.getfixturevalue(which)
    pages = html_pages(site)
    pages["/archive/?"] = site.render_search("harbor", site.search("harbor")).encode()
    pages["/none"] = site.render("site/not_found.html.j2").encode()
    assert broken_links(site, pages) == []


def test_links_between_pages_name_no_host_and_carry_the_prefix(prefixed):
    for path, html in html_pages(prefixed).items():
        if path.startswith("/vol-"):
            continue  # frozen: with the address of the site
        targets = [link for tag, link in links(html) if tag in ("a", "img", "form")]
        ours = [link for link in targets if "example.org/digest" in link]
        assert not ours, path
        relative = [link for link in targets if not re.match(r"https?:|mailto:|#", link)]
        assert relative
        assert all(link.startswith("/digest/") for link in relative), path


def test_what_leaves_the_site_is_absolute(prefixed):
    page = tree(prefixed.pages["/archive/vol-1/"].read())
    canonical = [one.get("href") for one in page.iter("link") if one.get("rel") == "canonical"]
    assert canonical == ["https://example.org/digest/archive/vol-1/"]
    home = prefixed.pages["/"].read().decode()
    assert '<meta property="og:url" content="https://example.org/digest/">' in home
    assert 'content="https://example.org/digest/vol-2-03/hero.jpg"' in home
    assert 'href="https://example.org/digest/feed.atom"' in home


def test_privacy_policy_elsewhere_is_linked_where_it_is(tmp_path):
    publisher = {"privacy_url": "https://www.example.com/privacy"}
    site = a_site(tmp_path / "digest", "2.1", publisher=publisher)
    assert ("a", "https://www.example.com/privacy") in list(links(site.pages["/"].read()))


# ── home, archive, privacy ──────────────────────────────────────────────────


def test_home_shows_the_latest_edition_and_the_form(site):
    page = tree(site.pages["/"].read())
    targets = [link for _, link in links(site.pages["/"].read())]
    for expected in ("/vol-2-03/", "/vol-2-03/issue.pdf", "/vol-2-03/#item-5", "/vol-1-24/"):
        assert expected in targets
    (form,) = page.forms
    assert (form.action, form.method) == ("/subscribe/", "POST")
    assert set(form.fields) == {"email", "name", "website"}
    assert form.inputs["email"].get("required") is not None
    assert form.inputs["name"].get("required") is None
    assert site.config.consent_wording in form.text_content()


def test_closed_list_shows_no_form(tmp_path):
    site = a_site(tmp_path / "digest", "2.1", subscribe={"open": False})
    page = tree(site.pages["/"].read())
    assert not page.forms
    assert "cannot subscribe at the moment" in page.text_content()


def test_archive_lists_every_edition_by_volume_and_can_be_searched(site):
    page = tree(site.pages["/archive/"].read())
    sections = [" ".join(h2.text_content().split()) for h2 in page.iter("h2")]
    assert sections == ["Volume 2 2023", "Volume 1 2022"]
    assert len(page.find_class("entry")) == 5
    (form,) = page.forms
    assert (form.action, form.method, form.fields.keys()) == ("/archive/", "GET", ["q"])


def test_archive_without_editions_says_that_the_first_is_to_come(tmp_path):
    site = a_site(tmp_path / "digest")
    for path in ("/", "/archive/"):
        assert "first issue is to come" in site.pages[path].read().decode()
    assert broken_links(site, html_pages(site)) == []


def test_privacy_page_tells_what_the_configuration_says(tmp_path):
    site = a_site(
        tmp_path / "digest",
        privacy={
            "controller": "Harbor <Street>",
            "contact": "privacy@example.org",
            "authority": "The Commissioner",
            "processors": ("Example Hosting, Springfield",),
            "paragraphs": ("We keep backups for 30 days.",),
        },
        transport={"kind": "sendgrid"},
        subscribe={"confirm_within_days": 1},
    )
    text = " ".join(tree(site.pages["/privacy/"].read()).text_content().split())
    for expected in (
        "Harbor <Street>. For all questions of privacy: privacy@example.org",
        "The Commissioner",
        "Twilio SendGrid",
        "Example Hosting, Springfield",
        "We keep backups for 30 days.",
        "not confirmed within 1 day is void",
    ):
        assert expected in text


# ── hostile texts, templates of one's own ───────────────────────────────────


def test_hostile_titles_and_subjects_stay_text(tmp_path):
    nasty = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</title>'
    workspace = a_workspace(tmp_path / "digest", newsletter={"title": nasty, "about": nasty})
    view = a_page_view("2.1")
    item = replace(view.items[0], headline=Prose.plain(nasty))
    view = replace(view, subject=nasty, preheader=nasty, title=nasty, description=nasty)
    view = replace(view, items=(item, *view.items[1:]), hero=replace(view.hero, alt=nasty))
    site = site_of(workspace, [put(workspace, view)])
    pages = html_pages(site)
    pages["search"] = site.render_search(nasty, site.search("script")).encode()
    for path, html in pages.items():
        page = tree(html)
        assert not page.xpath("//*[@onerror]"), path
        assert {one.get("type") for one in page.iter("script")} <= {"application/ld+json"}, path
        assert "49" not in page.findtext(".//title"), path
    assert b"<script" not in site.pages["/favicon.svg"].read()


def test_dynamic_page_is_rendered_in_the_frame_and_is_not_indexed(site):
    html = site.render("site/not_found.html.j2")
    page = tree(html)
    assert page.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert not page.xpath("//link[@rel='canonical']")
    assert style_hashes(html.encode()) == site.pages["/"].style_hashes


def test_workspace_without_templates_of_the_site_is_told_what_to_do(tmp_path):
    workspace = a_workspace(tmp_path / "digest")
    (workspace.templates / "site" / "home.html.j2").unlink()
    with pytest.raises(TemplateError, match=r"site/home\.html\.j2 is missing") as caught:
        site_of(workspace, [])
    assert "newsletter init" in str(caught.value.hint)


def test_change_of_a_template_of_the_site_voids_no_approval(tmp_path):
    templates = a_workspace(tmp_path / "digest").templates
    before = manifest.template_hashes(templates)
    with (templates / "site" / "base.html.j2").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert manifest.template_hashes(templates) == before
    assert not [name for name in before if name.startswith("site/")]


def test_templates_of_an_edition_include_nothing_of_the_site():
    for name in manifest.template_hashes(TEMPLATES):
        if name.endswith(".j2"):
            source = (TEMPLATES / name).read_text(encoding="utf-8")
            assert not re.search(r"{%-? *(include|import|extends|from) +.site/", source), name


def test_new_snapshot_knows_what_the_one_before_has_read(site, tmp_path):
    workspace = a_workspace(tmp_path / "digest")
    first = [put(workspace, a_page_view("2.1"), published_at=NOW)]
    before = site_of(workspace, first)
    both = [put(workspace, a_page_view("2.2")), *first]
    after = site_of(workspace, both, before=before)
    assert [str(one.number) for one in after.editions] == ["2.2", "2.1"]
    assert after.editions[1] is before.editions[0]
    assert "/vol-2-02/" not in before.pages


@pytest.mark.parametrize("is_static", [True, False])
def test_calendar_is_linked_where_it_is_served_and_slots_are_planned(tmp_path, is_static):
    workspace = a_workspace(tmp_path / "with", schedule={"first": "2026-03-03"})
    planned = site_of(workspace, [], is_static=is_static)
    assert (b'href="/calendar.ics"' in planned.pages["/"].read()) == (not is_static)
    assert b"calendar.ics" not in a_site(tmp_path / "without").pages["/"].read()
