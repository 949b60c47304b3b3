"""A browser that complains: of what is loaded from elsewhere, refused by the policy, or kept."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
PATIENCE = 20_000  # milliseconds
WIDE, PHONE, SMALL = (1100, "light"), (375, "dark"), (320, "light")
LOOKS = (WIDE, PHONE, SMALL)

_AXE = Axe()
_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => console.error(
  `refused: ${event.violatedDirective} ${event.blockedURI}`));
"""


@contextmanager
def a_browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def a_page(browser: Browser, **settings: Any) -> Iterator[Page]:
    """A new browser window; at its end, whatever there was to complain of is an error.

    Complaints: errors in the console (but that a page is answered 4xx), requests to any host but
    the first one, cookies, and anything kept in the browser.
    """
    # Without it Tab scrolls smoothly, and what it reached is not in view yet.
    context = browser.new_context(**{"reduced_motion": "reduce", **settings})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(_VIOLATIONS)
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "responded with a status of 4" not in (
            message.text
        ):
            complaints.append(message.text)

    def asked(request: Request) -> None:
        hosts.add("/".join(request.url.split("/")[:3]))

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", asked)
    try:
        yield page
        assert complaints == []
        assert len(hosts) <= 1, hosts
        assert context.storage_state() == {"cookies": [], "origins": []}
    finally:
        context.close()


def look(page: Page, width: int, scheme: Any) -> None:
    """Show the page that is loaded as somebody else would see it."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)


def accessibility_problems(page: Page) -> str:
    """What axe has against the page as it is shown; all its rules, and WCAG 2.2's target size."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_AXE.axe_script)
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found = AxeResults(page.evaluate("options => axe.run(options)", options))
    return found.generate_report() if found.response["violations"] else ""


def too_wide(page: Page) -> list[str]:
    """What sticks out: the page to the side, or text out of its box."""
    return page.evaluate(
        """() => {
          const found = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
          for (const element of document.querySelectorAll("main *, nav *, footer *")) {
            const box = element.getBoundingClientRect();
            if (box.right > innerWidth + 1 && !element.closest(".trap, .skip"))
              found.push(element.outerHTML.slice(0, 90));
          }
          return found;
        }"""
    )


# Each place that Tab can stop at has a name; of a group of radio buttons it stops at one.
_NAMES = """() => {
  window.stopNames = new Map();
  const all = document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary");
  all.forEach((element, index) => {
    if (element.tabIndex >= 0 && element.checkVisibility())
      stopNames.set(element, element.type === "radio"
        ? element.name : `${index} ${element.outerHTML.slice(0, 90)}`);
  });
  return [...new Set(stopNames.values())];
}"""

_STOP = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    what: stopNames.get(element) ?? element.outerHTML.slice(0, 90),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


# Blurring is not enough: Tab goes on from where the focus was.
_TO_THE_TOP = """() => {
  const top = document.createElement("span");
  top.tabIndex = -1;
  document.body.prepend(top);
  top.focus();
  top.remove();
}"""


def tab_stops(page: Page) -> tuple[list[str], list[dict[str, Any]]]:
    """What should be reached by Tab, and what is, in order, with how it shows."""
    expected: list[str] = page.evaluate(_NAMES)
    page.evaluate(_TO_THE_TOP)
    stops: list[dict[str, Any]] = []
    for _ in range(len(expected) + 10):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None or (stops and stop["what"] == stops[0]["what"]):
            break
        stops.append(stop)
    return expected, stops
