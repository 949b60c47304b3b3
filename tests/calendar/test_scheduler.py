"""The scheduler at one slot: what goes out, what does not, and what the editors are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulation import DAY, HOUR, MINUTE, World, utc

from newsletter.calendar import decisions
from newsletter.calendar.slot_campaign import Outlook
from newsletter.delivery import campaign as campaigns
from newsletter.errors import StorageError
from newsletter.store.engine import Store

SCHEDULE = 'first = 2026-12-01\nat = "09:53"\ntimezone = "America/New_York"\n'
SLOT = utc(2026, 12, 1, 14, 53)
START = SLOT - 5 * DAY


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path / "digest", SCHEDULE, now=START)


def test_approved_issue_is_held_then_sent_and_reported_with_the_next_slot(world):
    world.approve("2.25")
    scheduler = world.scheduler()
    world.run(scheduler, SLOT - MINUTE)
    assert world.subjects() == []
    world.run(scheduler, SLOT + MINUTE)
    assert world.states() == {"2026-12-01": "holding"}
    assert world.subjects() == ["Vol 2.25 goes out at Tue 1 December 2026, 10:03 America/New_York"]
    assert world.sent == []
    world.run(scheduler, SLOT + 11 * MINUTE)
    assert world.sent == ["2.25"]
    assert world.states() == {"2026-12-01": "sent"}
    (letter,) = world.letters
    assert letter.subject == "Vol 2.25 was sent: 0 of 0 accepted"
    assert "Next slot: Tue 15 December 2026, 09:53 America/New_York." in letter.text


def test_nothing_approved_is_reminded_of_three_times_then_skipped_and_nothing_is_sent(world):
    world.draft("2.25")
    scheduler = world.scheduler()
    reminder = "Nothing is approved for Tue 1 December 2026, 09:53 America/New_York"
    for hours in (48, 24, 2):
        world.run(scheduler, SLOT - hours * HOUR - MINUTE)
        assert world.subjects() == []
        world.run(scheduler, SLOT - hours * HOUR + MINUTE)
        assert world.subjects() == [reminder]
    world.run(scheduler, SLOT + DAY)
    assert world.subjects() == [f"Nothing was sent: n{reminder[1:]}"]
    assert world.states() == {"2026-12-01": "skipped"}
    assert world.sent == []


def test_after_downtime_only_the_nearest_reminder_is_sent(world):
    world.now = SLOT - HOUR
    with world.store.begin() as conn:  # it has been at work before
        from newsletter.calendar.slot_rows import sync

        sync(conn, world.workspace.config.schedule, START)
    world.scheduler().tick()
    world.scheduler().tick()
    assert len(world.subjects()) == 1


def test_change_after_approval_is_reminded_of_by_name_and_not_sent(world):
    world.approve("2.25")
    world.draft("2.25", "changed")
    world.run(world.scheduler(), SLOT + HOUR)
    assert world.sent == []
    assert len(world.letters) == 4
    for letter in world.letters:
        assert "Vol 2.25: changed since it was approved: issue.md" in letter.text
    (row,) = world.rows()
    assert row.reason == "Vol 2.25: changed since it was approved: issue.md"


def test_second_approval_that_is_missing_is_reminded_of(world):
    world.configure(SCHEDULE, review="approvals = 2")
    world.approve("2.25", actor="kim")
    scheduler = world.scheduler()
    world.run(scheduler, SLOT - DAY)
    assert "Vol 2.25: needs another approval; so far kim" in world.letters[-1].text
    world.approve("2.25", actor="lee")
    world.run(scheduler, SLOT + HOUR)
    assert world.sent == ["2.25"]


def test_lowest_approved_number_goes_first_and_the_next_waits_for_the_next_slot(world):
    for number in ("2.26", "2.5", "2.25"):
        world.approve(number)
    world.run(world.scheduler(), SLOT + 40 * DAY)
    assert world.sent == ["2.5", "2.25", "2.26"]


# ── during the hold ─────────────────────────────────────────────────────────


@pytest.fixture
def held(world: World) -> World:
    """Vol 2.25 is held; its letter was read."""
    world.approve("2.25")
    world.run(world.scheduler(), SLOT + MINUTE)
    assert world.states() == {"2026-12-01": "holding"}
    world.letters.clear()
    return world


def test_stopped_slot_sends_nothing_until_a_person_sends_it_late(held):
    schedule = held.workspace.config.schedule
    with held.store.begin() as conn:
        decisions.stop(conn, schedule, now=held.now, actor="kim")
    held.run(held.scheduler(), SLOT + DAY)
    assert held.sent == []
    assert held.states() == {"2026-12-01": "stopped"}
    with held.store.begin() as conn:
        decisions.send_late(conn, schedule, SLOT.date(), now=held.now, actor="kim")
    held.run(held.scheduler(), SLOT + DAY + 9 * MINUTE)
    assert held.states() == {"2026-12-01": "holding"}
    held.run(held.scheduler(), SLOT + DAY + 11 * MINUTE)
    assert held.sent == ["2.25"]


def test_approval_taken_back_in_the_hold_skips_the_slot_and_says_what_was_held(held):
    held.unapprove("2.25")
    held.run(held.scheduler(), SLOT + HOUR)
    assert held.sent == []
    (letter,) = held.letters
    assert "Vol 2.25 was held for it, and may not go out any more." in letter.text


def test_other_bytes_approved_in_the_hold_are_held_anew(held):
    held.approve("2.25", "corrected")
    held.run(held.scheduler(), SLOT + 19 * MINUTE)
    assert held.sent == []
    assert held.subjects() == ["Vol 2.25 goes out at Tue 1 December 2026, 10:13 America/New_York"]
    held.run(held.scheduler(), SLOT + 21 * MINUTE)
    assert held.sent == ["2.25"]


def test_lower_number_approved_in_the_hold_is_held_in_its_place(held):
    held.approve("2.24")
    held.run(held.scheduler(), SLOT + HOUR)
    assert held.sent == ["2.24"]


def test_issue_sent_by_hand_in_the_hold_is_the_slots_issue(held):
    edition = held.compose_again("2.25")
    sent, _ = campaigns.freeze(
        held.store,
        held.workspace,
        edition,
        tag=None,
        transport="outbox",
        now=held.now,
        actor="kim",
    )
    held.approve("2.26")
    held.run(held.scheduler(), SLOT + HOUR)
    assert held.sent == ["2.25"]
    (row,) = held.rows()
    assert (row.state, row.campaign_id) == ("sent", sent.id)


def test_approval_taken_back_while_it_is_composed_sends_nothing(held):
    """The last look at the approval is in the transaction that freezes."""
    looks = []

    def interrupt(where: str) -> None:
        if where == "compose" and not looks:
            looks.append(where)
            held.unapprove("2.25")

    def after_composing(*arguments: object) -> object:
        edition = compose(*arguments)
        interrupt("compose")
        return edition

    compose, held.compose = held.compose, after_composing
    held.run(held.scheduler(), SLOT + HOUR)
    assert looks
    assert held.sent == []
    assert held.states() == {"2026-12-01": "skipped"}


def test_slots_that_come_due_together_are_held_one_after_the_other(world):
    world.configure(SCHEDULE + "extra = [2026-12-02T09:00:00]\nhold = 1440\nmax_late = 48")
    world.approve("2.25")
    world.approve("2.26")
    scheduler = world.scheduler()
    world.run(scheduler, SLOT + DAY - MINUTE)
    assert world.states() == {"2026-12-01": "holding", "2026-12-02": "planned"}
    world.run(scheduler, SLOT + 2 * DAY + MINUTE)
    assert world.sent == ["2.25", "2.26"]
    assert world.states() == {"2026-12-01": "sent", "2026-12-02": "sent"}


# ── while it is sent ────────────────────────────────────────────────────────


def test_campaign_cancelled_by_hand_stops_the_slot(world):
    world.approve("2.25")
    world.outlook = lambda: Outlook(look_again=world.now + MINUTE)
    scheduler = world.scheduler()
    world.run(scheduler, SLOT + HOUR)
    assert world.states() == {"2026-12-01": "sending"}
    (row,) = world.rows()
    assert row.campaign_id is not None
    with world.store.begin() as conn:
        campaigns.cancel(conn, row.campaign_id, reason="", actor="kim", now=world.now)
    world.run(scheduler, SLOT + 2 * HOUR)
    assert world.states() == {"2026-12-01": "stopped"}


def test_paused_campaign_stays_and_goes_on_when_resumed(world):
    world.approve("2.25")
    world.outlook = lambda: Outlook(look_again=world.now + MINUTE)
    scheduler = world.scheduler()
    world.run(scheduler, SLOT + HOUR)
    (row,) = world.rows()
    with world.store.begin() as conn:
        campaigns.pause(conn, row.campaign_id, reason="too many", actor="brake", now=world.now)
    world.outlook = None
    for hours in (2, 30):
        world.now = SLOT + hours * HOUR
        scheduler.tick()
    assert world.sent == []
    assert world.rows()[0].reason == "paused: too many"
    with world.store.begin() as conn:
        campaigns.resume(conn, row.campaign_id, actor="kim", now=world.now)
    scheduler.tick()
    assert world.sent == ["2.25"]
    assert world.rows()[0].reason == ""


def test_problem_of_the_sender_is_told_once_and_the_campaign_goes_on_after_it(world):
    world.approve("2.25")
    world.outlook = lambda: Outlook(look_again=world.now + MINUTE, problem="the disk is full")
    scheduler = world.scheduler()
    world.run(scheduler, SLOT + HOUR)
    assert world.subjects()[1:] == ["Vol 2.25 is not going on"]
    world.outlook = None
    world.run(scheduler, SLOT + 2 * HOUR)
    assert world.sent == ["2.25"]


def test_disk_that_fails_while_composing_is_told_once_and_tried_again(world):
    world.approve("2.25")
    scheduler = world.scheduler()
    world.run(scheduler, SLOT - HOUR)

    def fail(where: str) -> None:
        if where == "compose":
            raise StorageError("the disk is full")

    world.interrupt = fail
    world.run(scheduler, SLOT + HOUR)
    assert world.subjects() == ["The slot of 2026-12-01 is not going on"]
    assert world.states() == {"2026-12-01": "planned"}
    world.interrupt = lambda where: None
    world.run(scheduler, SLOT + 2 * HOUR)
    assert world.sent == ["2.25"]


# ── too late ────────────────────────────────────────────────────────────────


@pytest.fixture
def down(world: World) -> World:
    """Vol 2.25 is approved; the scheduler was at work until an hour before the slot."""
    world.approve("2.25")
    world.run(world.scheduler(), SLOT - HOUR)
    return world


def test_slot_missed_by_less_than_max_late_is_caught_up(down):
    down.now = SLOT + 6 * HOUR - MINUTE
    down.run(down.scheduler(), SLOT + 7 * HOUR)
    assert down.sent == ["2.25"]


def test_slot_missed_by_more_waits_for_a_person_and_is_told_once(down):
    down.now = SLOT + 6 * HOUR + MINUTE
    down.run(down.scheduler(), SLOT + 5 * DAY)
    assert down.sent == []
    assert down.states() == {"2026-12-01": "late"}
    assert down.subjects() == ["A slot passed without newsletter run: nothing was sent"]


def test_max_late_of_zero_still_allows_a_tick_to_be_a_minute_behind(down):
    down.configure(SCHEDULE + "max_late = 0")
    down.now = SLOT + MINUTE
    down.run(down.scheduler(), SLOT + HOUR)
    assert down.sent == ["2.25"]


def test_laptop_that_slept_through_the_end_of_the_hold_waits_for_a_person(held):
    scheduler = held.scheduler()
    held.now = SLOT + 2 * DAY
    held.run(scheduler, SLOT + 3 * DAY)
    assert held.sent == []
    assert held.states() == {"2026-12-01": "late"}


def test_first_start_ever_catches_nothing_up(world):
    world.approve("2.25")
    world.now = SLOT + MINUTE
    world.run(world.scheduler(), SLOT + 10 * DAY)
    assert world.states() == {}
    assert world.subjects() == []


# ── clocks ──────────────────────────────────────────────────────────────────


def test_clock_that_jumps_ten_years_ahead_and_back_sends_each_slot_once_at_its_time(world):
    for number in ("2.25", "2.26"):
        world.approve(number)
    scheduler = world.scheduler()
    world.run(scheduler, SLOT - HOUR)
    world.letters.clear()
    world.now = SLOT + 3650 * DAY
    scheduler.tick()
    assert set(world.states().values()) == {"late"}
    assert len(world.states()) == 261
    (subject,) = world.subjects()
    assert subject.startswith("261 slots passed")
    assert world.sent == []
    world.now = SLOT - HOUR
    world.run(scheduler, SLOT - MINUTE)
    assert world.states() == {"2026-12-01": "planned"}
    world.run(scheduler, SLOT + 15 * DAY)
    assert world.states() == {"2026-12-01": "sent", "2026-12-15": "sent"}
    assert world.sent == ["2.25", "2.26"]


def test_clock_set_back_in_the_hold_holds_again_at_the_slot(held):
    scheduler = held.scheduler()
    held.now = SLOT - 2 * DAY
    held.run(scheduler, SLOT - MINUTE)
    assert held.states() == {"2026-12-01": "planned"}
    held.run(scheduler, SLOT + HOUR)
    assert held.sent == ["2.25"]


def test_clock_set_back_after_sending_sends_nothing_again(world):
    for number in ("2.25", "2.26"):
        world.approve(number)
    scheduler = world.scheduler()
    world.run(scheduler, SLOT + HOUR)
    world.now = SLOT - DAY
    world.run(scheduler, SLOT + DAY)
    assert world.sent == ["2.25"]


def test_slot_that_a_clock_set_back_brings_before_us_again_is_not_lost(world):
    world.approve("2.25")
    world.now = SLOT + DAY
    world.scheduler().tick()  # the first start, by a clock that was ahead
    assert world.states() == {}
    world.now = SLOT - HOUR
    world.run(world.scheduler(), SLOT + HOUR)
    assert world.sent == ["2.25"]


# ── a changed configuration ─────────────────────────────────────────────────


def test_slot_moved_to_another_day_goes_there_with_its_approved_issue(down):
    scheduler = down.scheduler()
    down.configure(SCHEDULE.replace("12-01", "12-02"))
    down.run(scheduler, SLOT + HOUR)
    assert down.states() == {"2026-12-02": "planned"}
    down.run(scheduler, SLOT + DAY + HOUR)
    assert down.sent == ["2.25"]


def test_slot_whose_time_of_day_moves_stays_one_slot(down):
    """Its time stands in the edition, so the approval is void, and the letters say so."""
    scheduler = down.scheduler()
    down.configure(SCHEDULE.replace("09:53", "11:53"))
    down.run(scheduler, SLOT + 90 * MINUTE)
    (row,) = down.rows()
    assert (row.state, row.starts_at) == ("planned", SLOT + 2 * HOUR)
    assert "configuration: schedule.at" in down.letters[-1].text
    down.approve("2.25")
    down.run(scheduler, SLOT + 3 * HOUR)
    assert down.sent == ["2.25"]
    assert list(down.states()) == ["2026-12-01"]


def test_schedule_taken_away_drops_the_slot_and_sends_nothing(down):
    scheduler = down.scheduler()
    down.configure("")
    down.run(scheduler, SLOT + 30 * DAY)
    assert down.states() == {}
    assert down.sent == []


def test_day_added_to_skip_drops_the_slot(down):
    scheduler = down.scheduler()
    down.configure(SCHEDULE + "skip = [2026-12-01]")
    down.run(scheduler, SLOT + DAY)
    assert (down.states(), down.sent) == ({}, [])


def test_broken_configuration_is_told_once_and_the_old_one_goes_on(down):
    scheduler = down.scheduler()
    file = down.root / "newsletter.toml"
    sound = file.read_text(encoding="utf-8")
    file.write_text("[newsletter", encoding="utf-8")
    for _ in range(5):
        scheduler.tick()
    assert down.subjects() == ["newsletter.toml is broken"]
    down.run(scheduler, SLOT + HOUR)
    assert down.sent == ["2.25"]
    file.write_text(sound + "\n[rates]\nper_second = 5\n", encoding="utf-8")
    scheduler.tick()
    assert scheduler.workspace.config.rates.per_second == 5
    assert "newsletter.toml was changed" in down.lines


def test_configuration_that_is_broken_for_one_look_is_nobodys_business(down):
    scheduler = down.scheduler()
    file = down.root / "newsletter.toml"
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound[:300], encoding="utf-8")
    scheduler.tick()
    file.write_text(sound, encoding="utf-8")
    scheduler.tick()
    assert down.letters == []
    assert down.states() == {"2026-12-01": "planned"}


def test_new_zone_data_moves_the_planned_row(down):
    """What was computed with other rules is what the row says; the row follows."""
    import sqlalchemy as sa

    from newsletter.store.tables import slot

    with down.store.begin() as conn:
        conn.execute(sa.update(slot).values(starts_at=SLOT - 40 * MINUTE))
    scheduler = down.scheduler()
    down.run(scheduler, SLOT - MINUTE)
    (row,) = down.rows()
    assert (row.state, row.starts_at) == ("planned", SLOT)
    down.run(scheduler, SLOT + HOUR)
    assert down.sent == ["2.25"]
