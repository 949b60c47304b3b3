"""The web page: stands alone, says what it is, cannot be broken out of, can be read by all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from composed import TEMPLATES, a_view, with_item

from newsletter.compose.view import View
from newsletter.compose.web import compose_web
from newsletter.errors import TemplateError
from newsletter.issue.prose import Prose, Run

VOID = frozenset("meta link img br".split())


class Page(HTMLParser):
    """Elements with their attributes, the text of each; fails on tags that do not balance."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[int, str] = {}
        self.open: list[tuple[str, int]] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append((tag, len(self.found) - 1))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1][0] == tag, (self.open, tag)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for _, index in self.open:
            self.texts[index] = self.texts.get(index, "") + data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]

    def text(self, tag: str) -> list[str]:
        return [
            " ".join(self.texts.get(index, "").split())
            for index, (name, _) in enumerate(self.found)
            if name == tag
        ]

    def meta(self, name: str) -> str:
        return next(
            m["content"] for m in self.all("meta") if name in (m.get("name"), m.get("property"))
        )


def page_of(view: View | None = None) -> Page:
    return Page(compose_web(view or a_view(), TEMPLATES))


def linked_data(page: Page) -> dict[str, object]:
    data: dict[str, object] = json.loads(page.text("script")[0])
    return data


def test_page_begins_with_the_doctype_and_names_its_language():
    html = compose_web(a_view(), TEMPLATES)
    assert html.startswith('<!DOCTYPE html>\n<html lang="en" dir="ltr">')


def test_head_says_what_the_page_is():
    page = page_of()
    assert page.text("title") == ["Pacific Alliance Digest Vol 2.20, October 31, 2023"]
    assert page.meta("description") == a_view().preheader
    canonical = [link["href"] for link in page.all("link") if link["rel"] == "canonical"]
    assert canonical == ["https://digest.example.org/vol-2-20/"]
    assert page.meta("og:type") == "article"
    assert page.meta("og:image") == "https://digest.example.org/vol-2-20/hero.jpg"
    assert page.meta("og:image:alt") == "Two ships leave a harbor at dawn"
    assert page.meta("article:published_time") == "2023-10-31"


def test_linked_data_puts_the_issue_into_its_volume_and_periodical():
    data = linked_data(page_of())
    assert data["@type"] == "PublicationIssue"
    assert data["issueNumber"] == "20"
    assert data["datePublished"] == "2023-10-31"
    volume = data["isPartOf"]
    assert (volume["@type"], volume["volumeNumber"]) == ("PublicationVolume", "2")
    assert (volume["isPartOf"]["@type"], volume["isPartOf"]["name"]) == (
        "Periodical",
        "Pacific Alliance Digest",
    )
    assert data["publisher"]["name"] == "Harbor Street Institute"
    assert [part["headline"] for part in data["hasPart"]] == [
        i.headline.text for i in a_view().items
    ]


def test_linked_data_cannot_end_its_element():
    nasty = "</script><script>alert(1)</script><!-- & \u2028 line"
    html = compose_web(a_view(items=with_item(headline=nasty)), TEMPLATES)
    assert html.count("<script") == 1
    assert linked_data(Page(html))["hasPart"][0]["headline"] == nasty


def test_markup_typed_by_editors_stays_text():
    typed = "<img src=x onerror=alert(1)> <b>bold</b> & \" ' {{ 7*7 }}"
    view = a_view(items=with_item(headline=typed, bullet=typed), note=typed)
    page = page_of(replace(view, preheader=typed, title=typed))
    assert len(page.all("img")) == 1
    assert not page.all("b")
    assert sum("{{ 7*7 }}" in text for text in page.text("h2")) == 1


def test_headlines_lead_to_their_bullets_in_order():
    page = page_of()
    targets = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#item")]
    assert targets == [h["id"] for h in page.all("h2") if h["id"].startswith("item")]
    assert len(targets) == 5


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs():
    html = compose_web(a_view(), TEMPLATES)
    page = Page(html)
    assert [image["src"] for image in page.all("img")] == ["hero.jpg"]
    loading = [link for link in page.all("link") if link["rel"] not in ("canonical", "alternate")]
    assert not loading
    assert [script["type"] for script in page.all("script")] == ["application/ld+json"]
    assert not re.search(r"url\(|@import|javascript:", html)
    assert not [
        name for _, attributes in page.found for name in attributes if name.startswith("on")
    ]
    assert not [attributes for _, attributes in page.found if "style" in attributes]


def test_page_has_no_slot_of_the_mail():
    html = compose_web(a_view(), TEMPLATES)
    assert "slot.invalid" not in html
    assert "⟦" not in html


def test_bullet_keeps_its_links_and_marks():
    html = compose_web(a_view(), TEMPLATES)
    assert '<a href="https://example.com/plan">public</a>' in html
    assert "<strong>Read</strong>" in html
    assert "<em>slowly</em>" in html


def test_footer_names_publisher_address_contact_and_privacy_policy():
    page = page_of()
    addresses = [a["href"] for a in page.all("a")]
    footer = page.text("footer")[0]
    assert "Harbor Street Institute" in footer
    assert "100 Harbor Street, Suite 400" in footer
    assert a_view().about in footer
    assert "mailto:digest@example.org" in addresses
    assert "https://digest.example.org/privacy/" in addresses
    assert "issue.pdf" in addresses


def test_structure_is_announced_to_screen_readers():
    page = page_of()
    assert len(page.all("main")) == len(page.all("article")) == len(page.all("footer")) == 1
    assert page.text("h1") == ["Pacific Alliance Digest Vol 2.20"]
    assert page.all("a")[0]["href"] == "#issue"
    assert all(image["alt"] for image in page.all("img"))
    assert all("aria-label" in nav or "aria-labelledby" in nav for nav in page.all("nav"))
    identifiers = [a["id"] for _, a in page.found if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def test_issue_without_picture_note_and_sources_has_no_empty_parts():
    view = a_view()
    bare = replace(
        view, hero=None, note=None, items=tuple(replace(i, sources=None) for i in view.items)
    )
    page = page_of(bare)
    assert not page.all("figure")
    assert not [p for p in page.all("p") if p.get("class") in ("note", "sources")]
    assert "image" not in linked_data(page)
    assert page.meta("twitter:card") == "summary"


def test_credit_with_a_link_keeps_it():
    view = a_view()
    assert view.hero is not None
    credit = Prose.of([Run("A. Person", href="https://example.com/a")])
    page = page_of(replace(view, hero=replace(view.hero, credit=credit)))
    assert page.text("figcaption") == ["Image Source: A. Person"]
    assert "https://example.com/a" in [a["href"] for a in page.all("a")]


def test_missing_template_is_named(tmp_path):
    with pytest.raises(TemplateError, match=r"web/issue\.html\.j2 is missing"):
        compose_web(a_view(), tmp_path)


# ── contrast (WCAG 2.2, 1.4.3) ──────────────────────────────────────────────

ON_GROUND = [
    ("text", "card"), ("text", "page"), ("title", "card"), ("title", "panel"), ("quiet", "card"),
    ("quiet", "page"), ("accent", "card"), ("accent", "panel"), ("link", "card"), ("link", "page"),
    ("on-button", "button"),
]  # fmt: skip


def luminance(color: str) -> float:
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(("ink", "ground"), ON_GROUND)
def test_text_has_enough_contrast(scheme, ink, ground):
    blocks = re.findall(r":root \{(.*?)\}", compose_web(a_view(), TEMPLATES), re.DOTALL)
    assert len(blocks) == 3
    colors: dict[str, str] = {}
    # Print overrides the light colors.
    for block in {"light": blocks[:1], "dark": blocks[1:2], "print": [blocks[0], blocks[2]]}[
        scheme
    ]:
        colors |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    assert contrast(colors[ink], colors[ground]) >= 4.5
