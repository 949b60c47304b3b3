"""What an answer takes tells nothing: known, unknown and suppressed addresses take as long."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.store.engine import Store
from newsletter.web.routes import subscribe
from tests.web.lives import put_into, sign_up
from tests.web.worlds import World, served

QUANTUM = 0.05
ROUNDS = 15
KINDS = ("new", "pending", "active", "left", "complained")


@pytest.fixture
def site(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(subscribe, "QUANTUM", QUANTUM)
    keys = {"per_ip_per_hour": 10_000}
    with served(sqlite_store, tmp_path / "newsletter", subscribe=keys) as made:
        yield made


def took(world: World, email: str) -> float:
    started = time.perf_counter()
    assert sign_up(world, email).status_code == 303
    return time.perf_counter() - started


def test_sign_up_takes_a_whole_number_of_quanta_whoever_is_asked_about(site: World):
    people: dict[str, list[str]] = {}
    for kind in KINDS:
        people[kind] = [f"{kind}{number}@example.org" for number in range(ROUNDS)]
        if kind != "new":
            for email in people[kind]:
                put_into(site, kind, email)
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS):  # by turns: the machine is busy now and then
        for kind in KINDS:
            found[kind].append(took(site, people[kind][number]))
    medians = {kind: statistics.median(times) for kind, times in found.items()}
    assert max(medians.values()) - min(medians.values()) < QUANTUM, medians
    assert min(min(times) for times in found.values()) >= QUANTUM


def test_what_a_machine_filled_in_takes_as_long_as_what_is_taken(site: World):
    honest = [took(site, f"reader{number}@example.org") for number in range(ROUNDS)]
    trapped = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert sign_up(site, website="https://spam.test").status_code == 303
        trapped.append(time.perf_counter() - started)
    assert abs(statistics.median(honest) - statistics.median(trapped)) < QUANTUM
