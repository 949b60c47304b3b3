"""A served newsletter with two issues in its archive, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.engine import Store, open_url
from tests.web.worlds import World, served


@pytest.fixture
def world(store: Store, tmp_path: Path) -> Iterator[World]:
    with served(store, tmp_path / "newsletter", "2.19", "2.20") as made:
        yield made


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as opened:
        yield opened
