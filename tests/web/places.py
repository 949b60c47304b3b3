"""Every page that a reader can meet, by name: how to get there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from playwright.sync_api import Page

from newsletter.audience import asking, subscribers
from newsletter.audience.links import links_of
from newsletter.audience.model import Consent, ConsentKind, Status
from newsletter.audience.pausing import pause_for
from tests.web.newsletters import Newsletter

Go = Callable[[Page, Newsletter], None]
WEEK = timedelta(days=7)
_NUMBERS = count(1)


def somebody() -> str:
    """An address that nobody had before."""
    return f"reader-{next(_NUMBERS)}@example.org"


def reader(newsletter: Newsletter, email: str, *, status: Status = Status.ACTIVE) -> int:
    """Put somebody on the list; the number of the row."""
    now = datetime.now(UTC)
    given = Consent(kind=ConsentKind.ADDED, wording="said yes", at=now)
    with newsletter.changing() as conn:
        person = subscribers.add(
            conn, email, consent=given, source="test", actor="operator", now=now
        )
        if status is Status.PAUSED:
            pause_for(conn, person.id, 2, now=now, actor="operator")
        elif status is Status.UNSUBSCRIBED:
            subscribers.unsubscribe(conn, person.id, source="page", now=now, actor="operator")
    return person.id


def confirmation(newsletter: Newsletter, email: str, *, ago: timedelta = timedelta()) -> str:
    """The link to confirm of a request that was made *ago*."""
    at = datetime.now(UTC) - ago
    given = Consent(kind=ConsentKind.REQUESTED, wording="said yes", at=at)
    with newsletter.changing() as conn:
        person = asking.ask(
            conn,
            email,
            name="",
            language="",
            timezone="",
            consent=given,
            source="test",
            now=at,
            may_return=True,
        )
        assert person is not None
        token = asking.new_token(conn, person.id, now=at, within=WEEK)
    return links_of(newsletter.workspace).confirm(token)


def preferences(newsletter: Newsletter, email: str, *, status: Status = Status.ACTIVE) -> str:
    return links_of(newsletter.workspace).preferences(reader(newsletter, email, status=status))


def unsubscribe(newsletter: Newsletter, email: str, *, status: Status = Status.ACTIVE) -> str:
    return links_of(newsletter.workspace).unsubscribe(reader(newsletter, email, status=status))


def _at(path: str) -> Go:
    return lambda page, newsletter: _go(page, newsletter.url + path)


def _go(page: Page, url: str) -> None:
    page.goto(url)


def _sign_up_refused(page: Page, newsletter: Newsletter) -> None:
    page.goto(f"{newsletter.url}/subscribe/")
    page.get_by_label("E-mail address").fill("alex@localhost")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("alert").wait_for()


def _confirmed(page: Page, newsletter: Newsletter) -> None:
    page.goto(confirmation(newsletter, somebody()))
    page.get_by_role("button").click()
    page.get_by_role("heading", name="You are on the list").wait_for()


def _erased(page: Page, newsletter: Newsletter) -> None:
    page.goto(preferences(newsletter, somebody()))
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase").click()
    page.get_by_role("heading", name="forgotten").wait_for()


def _of_erased(page: Page, newsletter: Newsletter) -> None:
    url = preferences(newsletter, somebody())
    page.goto(url)
    page.get_by_label("I am sure").check()
    page.get_by_role("button", name="Erase").click()
    page.goto(url)


def _saved(page: Page, newsletter: Newsletter) -> None:
    page.goto(preferences(newsletter, somebody()))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").wait_for()


def _not_saved(page: Page, newsletter: Newsletter) -> None:
    page.goto(preferences(newsletter, somebody()))
    page.get_by_label("Language").fill("not a language")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()


PLACES: dict[str, Go] = {
    "home": _at("/"),
    "archive": _at("/archive/"),
    "volume": _at("/archive/vol-2/"),
    "found": _at("/archive/?q=harbor"),
    "not found": _at("/archive/?q=xylophone"),
    "edition": _at("/vol-2-24/"),
    "privacy": _at("/privacy/"),
    "subscribe": _at("/subscribe/"),
    "sign-up refused": _sign_up_refused,
    "sent": _at("/subscribe/sent/"),
    "confirm": lambda page, it: _go(page, confirmation(it, somebody())),
    "confirm, too late": lambda page, it: _go(page, confirmation(it, somebody(), ago=WEEK * 2)),
    "confirmed": _confirmed,
    "preferences": lambda page, it: _go(page, preferences(it, somebody())),
    "preferences, saved": _saved,
    "preferences, not saved": _not_saved,
    "preferences, paused": lambda page, it: _go(
        page, preferences(it, somebody(), status=Status.PAUSED)
    ),
    "preferences, left": lambda page, it: _go(
        page, preferences(it, somebody(), status=Status.UNSUBSCRIBED)
    ),
    "preferences, erased": _of_erased,
    "erased": _erased,
    "unsubscribe": lambda page, it: _go(page, unsubscribe(it, somebody())),
    "left": lambda page, it: _go(page, unsubscribe(it, somebody(), status=Status.UNSUBSCRIBED)),
    "no such page": _at("/vol-2-21/"),
    "not out yet": _at("/vol-2-25/"),
}
