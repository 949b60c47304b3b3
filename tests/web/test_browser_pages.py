"""Each page in a real browser: who reads it how, and what it asks of whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.browsing import (
    LOOKS,
    a_page,
    accessibility_problems,
    look,
    tab_stops,
    too_wide,
)
from tests.web.newsletters import Newsletter
from tests.web.places import PLACES

pytestmark = pytest.mark.browser
NO_JAVASCRIPT = {"java_script_enabled": False}


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest, page: Page, newsletter: Newsletter) -> Iterator[Page]:
    """A window at one of the pages."""
    PLACES[request.param](page, newsletter)
    return page


def test_every_page_can_be_read_and_used_by_all(place: Page):
    for width, scheme in LOOKS:
        look(place, width, scheme)
        assert too_wide(place) == [], width
        assert accessibility_problems(place) == "", (width, scheme)
    grounds = set()
    for scheme in ("light", "dark"):
        look(place, 375, scheme)
        grounds.add(place.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2
    # Larger letters, WCAG 2.2, 1.4.4: as if the browser's were set to twice the size.
    look(place, 1100, "light")
    place.evaluate("document.documentElement.style.fontSize = '200%'")
    assert too_wide(place) == []
    look(place, 640, "light")
    assert too_wide(place) == []


def test_every_page_is_used_by_keyboard_alone_and_shows_where_one_is(place: Page):
    look(place, 375, "light")
    expected, stops = tab_stops(place)
    assert sorted(stop["what"] for stop in stops) == sorted(expected)
    for stop in stops:
        assert stop["outline"] >= 2, stop
        assert stop["inView"], stop


@pytest.mark.parametrize("page", [NO_JAVASCRIPT], indirect=True, ids=["no JavaScript"])
def test_every_page_says_the_same_without_javascript(page: Page, newsletter: Newsletter):
    for name, go in PLACES.items():
        go(page, newsletter)
        heading = page.get_by_role("heading", level=1)
        assert heading.is_visible(), name
        assert page.locator("script:not([type='application/ld+json'])").count() == 0, name


def test_the_skip_link_leads_past_the_bar(page: Page, newsletter: Newsletter):
    page.goto(newsletter.url)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("e => e === document.activeElement")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_trap_for_machines_is_met_by_nobody(page: Page, newsletter: Newsletter):
    page.goto(f"{newsletter.url}/subscribe/")
    assert page.get_by_role("textbox").count() == 2
    page.get_by_label("Name").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Subscribe"


def test_a_reader_finds_an_issue_and_its_pdf(page: Page, newsletter: Newsletter):
    page.goto(newsletter.url)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="All issues").click()
    page.get_by_label("Search all issues").fill("osprey")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="have “osprey”").or_(
        page.get_by_role("heading", name="has “osprey”")
    ).wait_for()
    page.get_by_role("link", name="Eight airmen die").click()
    assert page.url == f"{newsletter.url}/vol-2-23/"
    pdf = page.get_by_role("link", name="PDF").first
    answer = page.request.get(f"{newsletter.url}/vol-2-23/{pdf.get_attribute('href')}".strip())
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF-")


@pytest.mark.parametrize("page", [{"viewport": {"width": 375, "height": 800}}], indirect=True)
def test_pictures_show_and_nothing_moves_once_they_do(page: Page, newsletter: Newsletter):
    for path in ("/", "/vol-2-24/"):
        page.goto(newsletter.url + path)
        picture = page.locator("main img").first
        assert picture.evaluate("e => e.decode().then(() => e.naturalWidth)") > 600
        shift = page.evaluate(
            """() => new Promise((resolve) => new PerformanceObserver((list) => resolve(
              list.getEntries().reduce((sum, entry) => sum + entry.value, 0)
            )).observe({ type: "layout-shift", buffered: true }) ?? setTimeout(resolve, 200, 0))"""
        )
        assert shift < 0.01


def test_printing_leaves_out_what_is_no_use_on_paper(browser: Browser, newsletter: Newsletter):
    with a_page(browser) as page:
        page.goto(newsletter.url)
        page.emulate_media(media="print")
        assert not page.get_by_role("button", name="Subscribe").is_visible()
        assert page.get_by_role("heading", level=1).is_visible()
