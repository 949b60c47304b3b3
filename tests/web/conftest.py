"""A served newsletter with two issues in its archive, on both databases; and one for browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from newsletter.store.engine import Store, open_url
from tests.web.newsletters import Newsletter, laid_out
from tests.web.worlds import World, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Iterator[World]:
    with served(store, tmp_path / "newsletter", "2.19", "2.20") as made:
        yield made


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as opened:
        yield opened


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Newsletter:
    """Our newsletter with its sample issues composed and published, once."""
    newsletter = laid_out(tmp_path_factory.mktemp("published") / "newsletter")
    newsletter.run("publish", "--all")
    return newsletter


@pytest.fixture(scope="module")
def newsletter(published: Newsletter) -> Iterator[Newsletter]:
    """The same while `newsletter serve` serves it."""
    with published.served():
        yield published


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: while it runs, no other test of the process could use asyncio.run."""
    from tests.web.browsing import a_browser

    with a_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window that complains at its end; a parameter holds settings of the browser."""
    from tests.web.browsing import a_page

    with a_page(browser, **getattr(request, "param", {})) as opened:
        yield opened
