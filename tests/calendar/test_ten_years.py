"""Ten years of slots with a real database: none twice, none lost, each at its wall time.

Also with a scheduler that dies at random points, and with two at work at once.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from simulation import DAY, HOUR, MINUTE, World, utc

from newsletter.calendar.slots import between
from newsletter.delivery.campaign import campaigns
from newsletter.issue.number import IssueNumber
from newsletter.store.engine import Store, open_url

NEW_YORK = ZoneInfo("America/New_York")
FIRST = date(2026, 3, 3)  # five days before the clock changes
SCHEDULE = f'first = {FIRST}\nat = "09:53"\ntimezone = "America/New_York"\n'
SHIFTED = SCHEDULE + 'shift = "previous-workday"\nholidays = ["US", "JP"]\n'
START = utc(2026, 3, 1)
TEN_YEARS = 3_653 * DAY
SOAK = bool(os.environ.get("NEWSLETTER_SOAK"))  # `make soak`: ten years of deaths and rivals too
FORGETFUL = 0.1  # share of the slots for which the editors approve nothing


@pytest.fixture
def quick_store(tmp_path: Path) -> Iterator[Store]:
    """SQLite that does not wait for the disk: nobody pulls the plug here."""
    with open_url(f"sqlite:///{tmp_path / 'newsletter.db'}") as store:

        @sa.event.listens_for(store.engine, "connect")
        def hurry(connection: object, _record: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")  # type: ignore[attr-defined]

        store.engine.dispose()
        yield store


class Editors:
    """Approve the next issue some days or minutes before each slot, and forget it now and then."""

    def __init__(self, world: World, seed: int, slots: list[datetime]) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.next_number = IssueNumber(1, 1)
        self.approved: list[str] = []
        self.plan = sorted(
            slot - timedelta(minutes=self.random.choice([1, 60, 60 * 24 * 3]))
            for slot in slots
            if self.random.random() > FORGETFUL
        )

    def act(self) -> None:
        """Do what is planned up to now."""
        while self.plan and self.plan[0] <= self.world.now:
            self.plan.pop(0)
            number = str(self.next_number)
            self.world.approve(number)
            self.approved.append(number)
            following = self.next_number.following()
            is_full = following.number > 26
            self.next_number = IssueNumber(following.volume + 1, 1) if is_full else following

    def next_time(self) -> datetime:
        return self.plan[0] if self.plan else utc(2100, 1, 1)


def wall_times(until: datetime) -> list[datetime]:
    """The slots, computed by hand: 14 days from local day to local day."""
    found, day = [], FIRST
    while True:
        moment = datetime.combine(day, time(9, 53), NEW_YORK).astimezone(UTC)
        if moment > until:
            return found
        found.append(moment)
        day += timedelta(days=14)


def live(
    world: World, editors: Editors, until: datetime, tick: Callable[[], datetime | None]
) -> None:
    """Let the editors and the scheduler work, each when it is time; None: it died in its tick."""
    while world.now < until:
        editors.act()
        look_again = tick() or world.now + MINUTE
        pause = timedelta(seconds=editors.random.choice([0.2, 1, 60]))
        world.now = max(min(look_again, editors.next_time()), world.now + pause)


def assert_nothing_twice_and_nothing_lost(
    world: World, editors: Editors, slots: list[datetime]
) -> None:
    rows = world.rows()
    assert [row.starts_at for row in rows] == slots
    assert {str(row.state) for row in rows} <= {"sent", "skipped"}
    sent = [row for row in rows if row.state == "sent"]
    assert len({row.campaign_id for row in sent}) == len(sent)
    with world.store.read() as conn:
        known = campaigns(conn)
    assert sorted(campaign.id for campaign in known) == sorted(row.campaign_id or 0 for row in sent)
    # In order, each number once; what was approved and not sent is what the last slots left.
    numbers = [row.number for row in sent]
    assert numbers == editors.approved[: len(numbers)]
    assert [campaign.number for campaign in reversed(known)] == numbers
    assert world.sent == numbers
    # A slot was skipped only where nothing was left that was approved in time.
    assert len(editors.approved) - len(numbers) <= 1
    for row in rows:
        assert row.reason == ("" if row.state == "sent" else "nothing was approved")


def test_ten_years_of_slots_each_fourteen_days_apart_in_wall_time(quick_store, tmp_path):
    until = START + 3653 * DAY
    slots = wall_times(until)
    world = World(quick_store, tmp_path / "digest", SCHEDULE, now=START)
    editors = Editors(world, 1, slots)
    live(world, editors, until, world.scheduler().tick)
    assert len(slots) == 261
    assert_nothing_twice_and_nothing_lost(world, editors, slots)
    local = [row.starts_at.astimezone(NEW_YORK) for row in world.rows()]
    assert {moment.timetz().replace(tzinfo=None) for moment in local} == {time(9, 53)}
    gaps = {later.replace(tzinfo=None) - earlier.replace(tzinfo=None)
            for earlier, later in pairwise(local)}  # fmt: skip
    assert gaps == {14 * DAY}
    # The world was as odd as it should be: DST both ways, ISO week 53, a leap day between.
    assert {moment.utcoffset() for moment in local} == {-5 * HOUR, -4 * HOUR}
    assert 53 in {moment.isocalendar().week for moment in local}
    assert any(
        earlier.date() <= date(2028, 2, 29) <= later.date() for earlier, later in pairwise(local)
    )


def test_ten_years_with_holidays_shift_each_slot_and_never_the_anchor(quick_store, tmp_path):
    until = START + 3653 * DAY
    world = World(quick_store, tmp_path / "digest", SHIFTED, now=START)
    computed = between(world.workspace.config.schedule, START, until)
    slots = [slot.starts_at for slot in computed]
    editors = Editors(world, 2, slots)
    live(world, editors, until, world.scheduler().tick)
    assert_nothing_twice_and_nothing_lost(world, editors, slots)
    days = [row.day for row in world.rows()]
    assert {later - earlier for earlier, later in pairwise(days)} == {14 * DAY}
    moved = [r for r in world.rows() if r.starts_at.astimezone(NEW_YORK).date() != r.day]
    assert len(moved) > 10


class Crash(BaseException):
    """The process is gone: no `except Exception` may save it."""


@contextmanager
def crashes(world: World, chance: float, seed: int) -> Iterator[Callable[[bool], None]]:
    """Die at random statements and calls while armed. Yields what arms and disarms."""
    dice = random.Random(seed)
    is_armed = False

    def arm(armed: bool) -> None:
        nonlocal is_armed
        is_armed = armed

    def die(*_: object) -> None:
        if is_armed and dice.random() < chance:
            raise Crash

    engine = world.store.engine
    sa.event.listen(engine, "before_cursor_execute", die)
    sa.event.listen(engine, "commit", die)  # before it is committed
    world.interrupt = die
    try:
        yield arm
    finally:
        sa.event.remove(engine, "before_cursor_execute", die)
        sa.event.remove(engine, "commit", die)
        world.interrupt = lambda where: None


@pytest.mark.parametrize("seed", range(2))
def test_scheduler_that_dies_at_random_points_loses_nothing_and_doubles_nothing(
    store, tmp_path, seed
):
    until = START + (TEN_YEARS if SOAK else 400 * DAY)
    slots = wall_times(until)
    world = World(store, tmp_path / "digest", SCHEDULE, now=START)
    editors = Editors(world, seed, slots)
    deaths = 0
    with crashes(world, 0.02, seed) as arm:

        def tick() -> datetime | None:
            nonlocal deaths
            scheduler = world.scheduler()  # a new process each time
            arm(True)
            try:
                return scheduler.tick()
            except Crash:
                deaths += 1
                return None
            finally:
                arm(False)

        live(world, editors, until, tick)
    assert deaths > 30
    assert_nothing_twice_and_nothing_lost(world, editors, slots)


def test_two_schedulers_at_once_do_everything_once_and_write_each_letter_once(store, tmp_path):
    until = START + (TEN_YEARS if SOAK else 200 * DAY)
    slots = wall_times(until)
    world = World(store, tmp_path / "digest", SCHEDULE, now=START)
    editors = Editors(world, 5, slots)
    pair = [world.scheduler(), world.scheduler()]

    def tick() -> datetime | None:
        looks: list[datetime] = []
        together = threading.Barrier(2)

        def work(place: int) -> None:
            together.wait(timeout=10)
            looks.append(pair[place].tick())

        threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert len(looks) == 2
        return min(looks)

    live(world, editors, until, tick)
    assert_nothing_twice_and_nothing_lost(world, editors, slots)
    subjects = world.subjects()
    for words in ("goes out at", "was sent", "Nothing was sent"):
        about = [subject for subject in subjects if words in subject]
        assert len(about) == len(set(about))
    assert sum("was sent:" in s and s.startswith("Vol") for s in subjects) == len(world.sent)
    assert sum("goes out at" in s for s in subjects) == len(world.sent)
