"""The pages in a real browser, under the strict policy that they are served with."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from archives import a_page_view, a_workspace, put
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from newsletter.site.pages import page_of
from newsletter.site.site import Site, site_of

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PAGES = ["/", "/archive/", "/archive/vol-2/", "/privacy/", "/vol-2-02/", "/search", "/missing"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    workspace = a_workspace(tmp_path_factory.mktemp("look") / "digest")
    views = [a_page_view(number) for number in ("2.2", "2.1", "1.25")]
    views[1] = replace(views[1], hero=None, preheader="", subject="W" * 90)
    return site_of(workspace, [put(workspace, view) for view in views])


@pytest.fixture(scope="module")
def base(site: Site) -> Iterator[str]:
    """The site behind a server that says what the real one says of styles."""
    pages = dict(site.pages)
    for path, html in (
        ("/search", site.render_search("harbor", site.search("harbor"))),
        ("/missing", site.render("site/not_found.html.j2")),
    ):
        pages[path] = page_of(path, html.encode())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path)
            if page is None:
                self.send_error(404)
                return
            styles = " ".join(page.style_hashes) or "'none'"
            self.send_response(200)
            self.send_header("Content-Type", page.media_type)
            self.send_header(
                "Content-Security-Policy",
                f"default-src 'none'; style-src {styles}; img-src 'self'; form-action 'self'",
            )
            self.end_headers()
            self.wfile.write(page.read())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(**getattr(request, "param", {}))
    yield context.new_page()
    context.close()


LOOKS = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    for width, scheme in ((1100, "light"), (375, "dark"), (320, "light"))
]


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=["wide", "dark phone", "320 px"])
def test_pages_are_styled_fit_and_can_be_used_by_all(page: Page, base: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    for path in PAGES:
        page.goto(base + path)
        assert page.evaluate("getComputedStyle(document.body).marginTop") == "0px", path
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        found = Axe().run(page)
        assert not found.response["violations"], (path, found.generate_report())
    assert not [text for text in complaints if "Content Security Policy" in text]


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_archive_is_searched_by_keyboard_without_javascript(page: Page, base: str) -> None:
    page.goto(f"{base}/archive/")
    page.keyboard.press("Tab")
    assert page.locator(".skip").is_visible()
    page.get_by_label("Search all issues").focus()
    page.keyboard.type("harbor fuel")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == f"{base}/archive/?q=harbor+fuel"


def test_the_trap_for_machines_is_out_of_everybodys_way(page: Page, base: str) -> None:
    page.goto(base)
    assert page.locator("[name=website]").bounding_box()["x"] < 0
    page.get_by_label("E-mail address").focus()
    for expected in ("name", None):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name || null") == expected
    assert page.evaluate("document.activeElement.textContent") == "Subscribe"


def test_nothing_is_asked_of_anybody_else(page: Page, base: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(base + path, wait_until="networkidle")
    assert asked
    assert all(url.startswith(base) for url in asked)
