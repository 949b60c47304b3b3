"""Sign-up where robots are kept out by work, or everybody by a closed door: in a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from newsletter.audience import subscribers
from newsletter.store.engine import Store
from newsletter.web.app import make_app
from newsletter.web.context import context_of
from newsletter.web.proof_of_work import WAIT
from tests.site.archives import a_workspace
from tests.web.browsing import LOOKS, accessibility_problems, look, tab_stops, too_wide
from tests.web.newsletters import until
from tests.web.worlds import publish

pytestmark = pytest.mark.browser
EMAIL = "alex@example.org"


@dataclass
class Guarded:
    """A server in this process, whose clock can be put forward."""

    url: str
    store: Store
    late: timedelta = timedelta()

    def knows(self, email: str) -> bool:
        with self.store.read() as conn:
            return subscribers.find_exactly(conn, email) is not None


@pytest.fixture
def guarded(
    sqlite_store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Guarded]:
    workspace = a_workspace(tmp_path / "newsletter", subscribe=request.param)
    publish(sqlite_store, workspace, "2.20")
    made = Guarded("", sqlite_store)
    context = context_of(workspace, sqlite_store, clock=lambda: datetime.now(UTC) + made.late)
    context.site.refresh()
    server = uvicorn.Server(
        uvicorn.Config(make_app(context), port=0, lifespan="off", log_config=None, ws="none")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or None)
        made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield made
    finally:
        server.should_exit = True
        thread.join()


def ask(page: Page, guarded: Guarded) -> None:
    page.goto(guarded.url)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_role("button", name="Subscribe").click()


EASY = pytest.mark.parametrize("guarded", [{"proof_of_work": 10}], indirect=True, ids=["10 bits"])
NO_JAVASCRIPT = pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)


_TELL_PROGRESS = """
addEventListener("readystatechange", () => {
  const progress = document.getElementById("progress");
  if (progress) new MutationObserver(() => console.log(progress.textContent)).observe(
    progress, { childList: true });
}, { capture: true, once: true });
"""


@EASY
def test_a_browser_does_the_work_and_goes_on_by_itself(page: Page, guarded: Guarded):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.add_init_script(_TELL_PROGRESS)
    ask(page, guarded)
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    assert said == ["Your browser calculates for a moment, then goes on by itself."]
    assert guarded.knows(EMAIL)


@EASY
@NO_JAVASCRIPT
def test_without_javascript_a_reader_waits_and_presses_continue(page: Page, guarded: Guarded):
    ask(page, guarded)
    expect(page.get_by_role("status")).to_contain_text(f"{WAIT} seconds")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    assert not guarded.knows(EMAIL)
    guarded.late = timedelta(seconds=WAIT)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    assert guarded.knows(EMAIL)


@EASY
def test_the_page_that_waits_can_be_used_by_all(page: Page, guarded: Guarded):
    page.route("**/proof-of-work.js", lambda _: None)  # it never arrives
    page.goto(guarded.url)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_role("button", name="Subscribe").click(no_wait_after=True)
    page.get_by_role("button", name="Continue").wait_for()
    for width, scheme in LOOKS:
        look(page, width, scheme)
        assert too_wide(page) == []
        assert accessibility_problems(page) == ""
    expected, stops = tab_stops(page)
    assert [stop["what"] for stop in stops] == expected


@pytest.mark.parametrize("guarded", [{"open": False}], indirect=True, ids=["closed"])
def test_closed_sign_up_is_said_wherever_the_form_would_be(page: Page, guarded: Guarded):
    for path in ("/", "/subscribe/", "/confirm/too-old"):
        page.goto(guarded.url + path)
        expect(page.get_by_text("New readers cannot subscribe at the moment")).to_be_visible()
        assert page.get_by_label("E-mail address").count() == 0
        for width, scheme in LOOKS:
            look(page, width, scheme)
            assert too_wide(page) == []
            assert accessibility_problems(page) == ""
