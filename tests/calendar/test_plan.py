"""The plan: approved issues first, drafts behind them, and what became of past slots."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.calendar.approval import Standing, approve, unapprove
from newsletter.calendar.plan import Place, plan
from newsletter.calendar.slot_rows import SlotState
from newsletter.config import Workspace, open_workspace
from newsletter.delivery import campaign as campaigns
from newsletter.errors import ConfigError
from newsletter.store.engine import Store
from newsletter.store.tables import slot
from tests.calendar.editions import NOW, composed, composer, configured, lay_out, replace_in

FIRST = datetime(2026, 12, 1, 14, 53, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A slot every two weeks from Tuesday, December 1, 2026 on, 09:53 in New York."""
    workspace = lay_out(tmp_path / "digest")
    return configured(workspace, "# first = 2026-12-01", "first = 2026-12-01")


def approved(store: Store, workspace: Workspace, *numbers: str) -> None:
    for number in numbers:
        edition = composed(workspace, number)
        approve(store, workspace, edition, checklist={}, now=NOW, actor="kim")


def sent(store: Store, workspace: Workspace, number: str) -> None:
    edition = composed(workspace, number)
    campaigns.freeze(store, workspace, edition, tag=None, transport="outbox", now=NOW, actor="kim")


def row(store: Store, day: str, starts_at: datetime, state: SlotState, **values: Any) -> None:
    written = {"day": day, "starts_at": starts_at, "state": state.value, "updated_at": NOW}
    with store.begin() as conn:
        conn.execute(sa.insert(slot), {**written, **values})


def planned(
    store: Store, workspace: Workspace, *, count: int = 3, past: int = 0, now: datetime = NOW
) -> list[Place]:
    workspace = open_workspace(workspace.root)
    return plan(store, workspace, composer(workspace), now=now, count=count, past=past)


def numbers(places: list[Place]) -> list[str | None]:
    return [place.number for place in places]


# ── issues ──────────────────────────────────────────────────────────────────


def test_without_a_schedule_it_says_how_to_make_one(store, tmp_path):
    workspace = lay_out(tmp_path / "without")
    with pytest.raises(ConfigError, match="no schedule") as caught:
        planned(store, workspace)
    assert "first = " in str(caught.value.hint)


def test_approved_issues_come_first_by_number_and_the_drafts_above_what_was_sent_follow(
    store, workspace
):
    sent(store, workspace, "2.22")
    approved(store, workspace, "2.24")
    places = planned(store, workspace)
    assert numbers(places) == ["2.24", "2.23", None]
    assert [place.contender and place.contender.state.standing for place in places] == [
        Standing.APPROVED,
        Standing.NONE,
        None,
    ]
    assert [place.slot.starts_at for place in places] == [
        FIRST,
        FIRST + FORTNIGHT,
        FIRST + 2 * FORTNIGHT,
    ]


def test_changed_issue_waits_among_the_drafts_with_what_was_changed(store, workspace):
    approved(store, workspace, "2.23", "2.24")
    replace_in(workspace.issues / "vol-2-23" / "issue.md", "Japan", "Nippon")
    first, second, _ = planned(store, workspace)
    assert (first.number, second.number) == ("2.24", "2.23")
    assert second.contender is not None
    assert second.contender.state.changes == ("issue.md",)


def test_errors_of_a_draft_are_counted(store, workspace):
    (workspace.issues / "vol-2-24" / "hero.jpg").unlink()
    first = planned(store, workspace)[0]
    assert first.contender is not None
    assert (first.number, first.contender.errors) == ("2.24", 1)


def test_before_anything_was_sent_only_issues_dated_ahead_are_drafts_else_the_newest(
    store, workspace
):
    assert numbers(planned(store, workspace)) == ["2.24", None, None]
    replace_in(workspace.issues / "vol-2-23" / "issue.md", "date: 2023-12-12", "date: 2026-12-01")
    replace_in(workspace.issues / "vol-2-24" / "issue.md", "date: 2023-12-26", "date: 2026-12-15")
    assert numbers(planned(store, workspace)) == ["2.23", "2.24", None]


def test_unapproved_issue_is_a_draft_again(store, workspace):
    approved(store, workspace, "2.24")
    with store.begin() as conn:
        unapprove(conn, "2.24", reason="x", now=NOW, actor="kim")
    first = planned(store, workspace)[0]
    assert first.contender is not None
    assert first.contender.state.standing is Standing.NONE


# ── slots ───────────────────────────────────────────────────────────────────


def test_issue_that_is_held_or_on_its_way_stands_in_no_other_slot(store, workspace):
    approved(store, workspace, "2.23", "2.24")
    now = FIRST + timedelta(minutes=5)
    until = FIRST + timedelta(minutes=10)
    row(store, "2026-12-01", FIRST, SlotState.HOLDING, number="2.23", hold_until=until)
    places = planned(store, workspace, count=2, now=now)
    assert numbers(places) == ["2.23", "2.24", None]
    assert (places[0].state, places[0].hold_until) == (SlotState.HOLDING, until)


def test_issue_that_is_changed_while_it_is_held_says_so(store, workspace):
    approved(store, workspace, "2.23")
    now, until = FIRST + timedelta(minutes=5), FIRST + timedelta(minutes=10)
    row(store, "2026-12-01", FIRST, SlotState.HOLDING, number="2.23", hold_until=until)
    before = planned(store, workspace, count=1, now=now)[0].contender
    assert before is not None
    assert before.state.standing is Standing.APPROVED
    replace_in(workspace.issues / "vol-2-23/issue.md", "Japan", "Nippon")
    after = planned(store, workspace, count=1, now=now)[0].contender
    assert after is not None
    assert (after.state.standing, after.state.changes) == (Standing.CHANGED, ("issue.md",))


def test_last_few_slots_come_first_with_what_became_of_them(store, workspace):
    for weeks, state in ((8, SlotState.SENT), (6, SlotState.SKIPPED), (4, SlotState.LATE)):
        at = FIRST - timedelta(weeks=weeks)
        row(store, at.date().isoformat(), at, state, reason="why")
    places = planned(store, workspace, count=1, past=2)
    assert [place.state for place in places] == [
        SlotState.SKIPPED,
        SlotState.LATE,
        SlotState.PLANNED,
    ]
    assert places[0].reason == "why"
    assert planned(store, workspace, count=1, past=9)[0].state is SlotState.SENT
    assert len(planned(store, workspace, count=1)) == 1


def test_slot_that_is_due_and_not_taken_up_is_shown(store, workspace):
    row(store, "2026-12-01", FIRST, SlotState.PLANNED)
    places = planned(store, workspace, count=1, now=FIRST + timedelta(minutes=1))
    assert [place.slot.day for place in places] == [date(2026, 12, 1), date(2026, 12, 15)]
    assert numbers(places) == ["2.24", None]


def test_postponed_slot_stands_at_its_new_time_once_and_skipped_ones_take_no_issue(
    store, workspace
):
    later = FIRST + timedelta(days=1)
    row(store, "2026-12-01", later, SlotState.PLANNED, postponed_by="kim")
    row(store, "2026-12-15", FIRST + FORTNIGHT, SlotState.SKIPPED)
    places = planned(store, workspace)
    assert [place.slot.starts_at for place in places] == [
        later,
        FIRST + FORTNIGHT,
        FIRST + 2 * FORTNIGHT,
    ]
    assert places[0].slot.note == "moved by kim"
    assert [(place.state, place.number) for place in places[:2]] == [
        (SlotState.PLANNED, "2.24"),
        (SlotState.SKIPPED, None),
    ]


def test_row_that_only_waits_follows_the_schedule_as_it_is_now(store, workspace):
    row(store, "2026-12-01", FIRST, SlotState.PLANNED)
    configured(workspace, 'at = "09:53"', 'at = "10:07"')
    places = planned(store, workspace, count=1)
    assert [place.slot.starts_at for place in places] == [FIRST + timedelta(minutes=14)]


def test_moved_time_voids_the_approval_and_says_so(store, workspace):
    """The time of day stands in the Date of the sample message."""
    approved(store, workspace, "2.24")
    configured(workspace, 'at = "09:53"', 'at = "10:07"')
    first = planned(store, workspace, count=1)[0]
    assert first.contender is not None
    assert first.contender.state.changes == ("configuration: schedule.at",)
