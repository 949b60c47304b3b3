"""Approval binds bytes: every change voids it and is named, and nothing else does."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from newsletter.calendar.approval import (
    ApprovalState,
    Standing,
    approve,
    in_words,
    last_approval,
    standing,
    state_of,
    unapprove,
)
from newsletter.calendar.candidates import next_to_send
from newsletter.calendar.permission import permit_by_hand, require_approved
from newsletter.compose import manifest
from newsletter.compose.edition import Edition, verify
from newsletter.config import Workspace, open_workspace
from newsletter.delivery import campaign as campaigns
from newsletter.errors import UsageError
from newsletter.store.engine import Store, open_url
from newsletter.store.tables import approval, audit, campaign
from tests.calendar import editions
from tests.calendar.editions import NOW, composed, composer, configured, lay_out
from tests.delivery.campaigns import people


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return lay_out(tmp_path / "digest")


def approved(
    store: Store, workspace: Workspace, number: str = "2.24", *, by: str = "kim"
) -> ApprovalState:
    """Approve the issue as it is now."""
    edition = composed(workspace, number)
    return approve(store, workspace, edition, checklist={"pages": 2}, now=NOW, actor=by)


def state_now(store: Store, workspace: Workspace, number: str = "2.24") -> ApprovalState:
    with store.read() as conn:
        return state_of(conn, workspace, number, composed(workspace, number))


def send(store: Store, workspace: Workspace, number: str = "2.24", tag: str | None = None) -> int:
    """Make the campaign, as the scheduler would; return its id."""
    edition = composed(workspace, number)
    made, _ = campaigns.freeze(
        store, workspace, edition, tag=tag, transport="outbox", now=NOW, actor="scheduler"
    )
    return made.id


def actions(store: Store) -> list[tuple[str, str]]:
    with store.read() as conn:
        query = sa.select(audit.c.action, audit.c.actor).order_by(audit.c.id)
        return [(row.action, row.actor) for row in conn.execute(query)]


# ── giving ──────────────────────────────────────────────────────────────────


def test_what_nobody_approved_is_not_approved(store, workspace):
    state = state_now(store, workspace)
    assert (state.standing, state.edition_hash, state.missing) == (Standing.NONE, None, 1)


def test_approved_edition_is_frozen_bound_to_its_hash_and_on_record(store, workspace):
    state = approved(store, workspace)
    edition = composed(workspace)
    assert (state.standing, state.edition_hash) == (Standing.APPROVED, edition.hash)
    folder = campaigns.edition_folder(workspace, edition.hash)
    assert verify(folder) == []
    assert manifest.digest((folder / manifest.NAME).read_bytes()) == edition.hash
    (given,) = state.approvals
    assert (given.approved_by, given.approved_at) == ("kim", NOW)
    assert given.checklist == {"pages": 2, "written_by": []}
    assert actions(store) == [("approval.give", "kim")]


def test_second_approval_by_the_same_person_changes_nothing(store, workspace):
    first = approved(store, workspace)
    assert approved(store, workspace) == first
    assert actions(store) == [("approval.give", "kim")]


def test_second_approval_by_the_same_person_in_capitals_changes_nothing(store, workspace):
    workspace = configured(workspace, "approvals = 1", "approvals = 2")
    edition = composed(workspace)
    for actor in ("kim", "KIM"):
        state = approve(store, workspace, edition, checklist={}, now=NOW, actor=actor)
    assert [a.approved_by for a in state.approvals] == ["kim"]
    assert (state.standing, state.missing) == (Standing.PARTIAL, 1)


def test_approval_of_a_changed_issue_ends_that_of_the_old_one(store, workspace):
    approved(store, workspace, by="kim")
    editions.text(workspace)
    state = approved(store, workspace, by="lee")
    assert state.standing is Standing.APPROVED
    assert [given.approved_by for given in state.approvals] == ["lee"]
    with store.read() as conn:
        ended = conn.execute(sa.select(approval).where(approval.c.approved_by == "kim")).one()
    assert ended.revoked_by == "lee"
    assert ended.revoked_reason == f"edition {composed(workspace).hash[:16]} was approved"


def test_two_people_at_the_same_moment_leave_one_approval_each(database_url, workspace):
    edition = composed(workspace)
    start = threading.Barrier(4)

    def go(name: str) -> None:
        with open_url(database_url) as own:
            start.wait(timeout=30)
            approve(own, workspace, edition, checklist={}, now=NOW, actor=name)

    threads = [threading.Thread(target=go, args=(name,)) for name in ("kim", "lee", "kim", "lee")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with open_url(database_url) as store, store.read() as conn:
        assert sorted(given.approved_by for given in standing(conn, "2.24")) == ["kim", "lee"]


# ── what voids it ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (editions.text, ("issue.md",)),
        (editions.picture, ("hero.jpg",)),
        (editions.picture_comment, ("hero.jpg",)),
        (editions.template, ("templates/web/issue.html.j2",)),
        (editions.footer, ("configuration: footer.reason",)),
        (editions.sender, ("configuration: sender.reply_to",)),
        (editions.font, ("font House.ttf (new)",)),
    ],
)
def test_change_voids_the_approval_and_is_named(store, workspace, change, names):
    approved(store, workspace)
    change(workspace)
    state = state_now(store, workspace)
    assert (state.standing, state.changes) == (Standing.CHANGED, names)
    assert in_words(state) == f"changed since it was approved: {names[0]}"


def test_font_of_the_workspace_that_is_replaced_voids_it(store, workspace):
    editions.font(workspace)
    approved(store, workspace)
    font = workspace.templates / "print" / "fonts" / "House.ttf"
    font.write_bytes(b"other letters")
    assert state_now(store, workspace).changes == ("font House.ttf",)
    font.unlink()
    assert state_now(store, workspace).changes == ("font House.ttf (taken away)",)


def test_every_change_is_named_not_only_the_first(store, workspace):
    approved(store, workspace)
    editions.text(workspace)
    editions.template(workspace)
    editions.footer(workspace)
    assert state_now(store, workspace).changes == (
        "issue.md",
        "templates/web/issue.html.j2",
        "configuration: footer.reason",
    )


@pytest.mark.parametrize("file", ["email.html", "issue.pdf"])
def test_other_bytes_from_the_same_sources_are_the_work_of_other_versions(store, workspace, file):
    approved(store, workspace)
    edition = composed(workspace)
    files = {**edition.files, file: edition.files[file] + b" "}
    listed = json.loads(files[manifest.NAME])
    listed["files"][file]["sha256"] = manifest.digest(files[file])
    files[manifest.NAME] = json.dumps(listed).encode()
    with store.read() as conn:
        other = replace(edition, files=MappingProxyType(files))
        state = state_of(conn, workspace, "2.24", other)
    assert state.standing is Standing.CHANGED
    fonts = " or fonts of this machine" if file == "issue.pdf" else ""
    assert state.changes == (f"composed by other versions{fonts}: {file}",)


def test_issue_that_cannot_be_composed_any_more_is_changed(store, workspace):
    approved(store, workspace)
    (workspace.issues / "vol-2-24" / "hero.jpg").unlink()
    found, reasons = next_to_send(store, workspace, composer(workspace))
    assert found is None
    (reason,) = reasons
    assert reason.startswith("Vol 2.24: changed since it was approved: it cannot be composed")
    assert reason.endswith("1 error, see newsletter check vol-2-24")


def test_approved_files_that_are_gone_void_nothing_and_leave_a_change_nameless(store, workspace):
    state = approved(store, workspace)
    folder = campaigns.edition_folder(workspace, str(state.edition_hash))
    for file in folder.iterdir():
        file.unlink()
    assert state_now(store, workspace).standing is Standing.APPROVED
    editions.text(workspace)
    assert state_now(store, workspace).changes == (
        "what was approved is not there any more to compare with",
    )


def test_touched_files_and_a_changed_place_void_nothing(store, workspace, tmp_path):
    approved(store, workspace)
    for path in workspace.root.rglob("*"):
        os.utime(path, (1, 1))
    assert state_now(store, workspace).standing is Standing.APPROVED
    moved = workspace.root.rename(tmp_path / "elsewhere")
    assert state_now(store, open_workspace(moved)).standing is Standing.APPROVED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# bullet_max_words = 150", "bullet_max_words = 151"),
        ("# skip = [2026-12-29]", "skip = [2026-12-29]"),
        ("# first = 2026-12-01", "first = 2026-12-15"),
        ("[review]", "[rates]\nper_second = 3\n[review]"),
    ],
)
def test_configuration_that_reaches_no_reader_voids_nothing(store, workspace, before, after):
    approved(store, workspace)
    configured(workspace, before, after)
    assert state_now(store, workspace).standing is Standing.APPROVED


def test_change_that_is_undone_leaves_it_approved(store, workspace):
    approved(store, workspace)
    file = workspace.issues / "vol-2-24" / "issue.md"
    before = file.read_bytes()
    editions.text(workspace)
    assert state_now(store, workspace).standing is Standing.CHANGED
    file.write_bytes(before)
    assert state_now(store, workspace).standing is Standing.APPROVED


# ── who may ─────────────────────────────────────────────────────────────────


def test_two_approvals_take_two_people(store, workspace):
    workspace = configured(workspace, "approvals = 1", "approvals = 2")
    state = approved(store, workspace, by="kim")
    assert (state.standing, state.missing) == (Standing.PARTIAL, 1)
    assert in_words(state) == "needs another approval; so far kim"
    assert approved(store, workspace, by="KIM").standing is Standing.PARTIAL
    assert approved(store, workspace, by="lee").standing is Standing.APPROVED


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), "-c", "user.name=Kim Writer"]
    command += ["-c", "user.email=kim@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def four_eyes(workspace: Path) -> Workspace:
    """Nobody approves their own; Kim Writer has committed everything."""
    workspace = configured(workspace, "self_approval = true", "self_approval = false")
    git(workspace.root, "init")
    git(workspace.root, "add", ".")
    git(workspace.root, "commit", "-m", "all of it")
    return workspace


@pytest.mark.parametrize("name", ["kim@example.org", "Kim Writer", "KIM@example.org"])
def test_writer_may_not_approve_where_that_is_forbidden(store, four_eyes, name):
    with pytest.raises(UsageError, match="somebody else must approve it"):
        approved(store, four_eyes, by=name)
    assert state_now(store, four_eyes).standing is Standing.NONE
    assert approved(store, four_eyes, by="lee@example.org").standing is Standing.APPROVED


def test_where_nobody_knows_the_writer_one_person_more_is_needed(store, four_eyes):
    editions.text(four_eyes)  # not committed
    first = approved(store, four_eyes, by="kim@example.org")
    assert (first.standing, first.missing) == (Standing.PARTIAL, 1)
    assert approved(store, four_eyes, by="lee@example.org").standing is Standing.APPROVED


def test_writer_who_approved_before_committing_does_not_count(store, four_eyes):
    editions.text(four_eyes)
    approved(store, four_eyes, by="kim@example.org")
    git(four_eyes.root, "commit", "-a", "-m", "now it is known who wrote it")
    state = approved(store, four_eyes, by="lee@example.org")
    assert state.standing is Standing.APPROVED
    configured(four_eyes, "approvals = 1", "approvals = 2")
    assert state_now(store, open_workspace(four_eyes.root)).missing == 1


# ── taking back ─────────────────────────────────────────────────────────────


def test_unapproved_issue_is_not_sent_and_the_reason_is_on_record(store, workspace):
    approved(store, workspace)
    with store.begin() as conn:
        assert unapprove(conn, "2.24", reason="a typo", now=NOW, actor="lee")
        assert not unapprove(conn, "2.24", reason="a typo", now=NOW, actor="lee")
    assert state_now(store, workspace).standing is Standing.NONE
    assert next_to_send(store, workspace, composer(workspace)) == (None, [])
    with store.read() as conn:
        last = last_approval(conn, "2.24")
    assert last is not None
    assert (last.revoked_by, last.revoked_reason) == ("lee", "a typo")
    assert actions(store) == [("approval.give", "kim"), ("approval.take_back", "lee")]


def test_what_was_sent_can_be_neither_approved_nor_unapproved(store, workspace):
    approved(store, workspace)
    send(store, workspace)
    assert state_now(store, workspace).standing is Standing.SENT
    with pytest.raises(UsageError, match="past approving: its campaign is sending"):
        approved(store, workspace, by="lee")
    with store.begin() as conn, pytest.raises(UsageError, match="its campaign is sending"):
        unapprove(conn, "2.24", reason="too late", now=NOW, actor="kim")


def test_cancelled_campaign_takes_its_approval_with_it(store, workspace):
    approved(store, workspace)
    sent = send(store, workspace)
    with store.begin() as conn:
        assert campaigns.cancel(conn, sent, reason="wrong", actor="lee", now=NOW)
    assert state_now(store, workspace).standing is Standing.NONE
    assert approved(store, workspace).standing is Standing.APPROVED


# ── which goes out ──────────────────────────────────────────────────────────


def test_lowest_approved_number_that_was_not_sent_goes_out_next(store, workspace):
    for number in ("2.24", "2.22", "2.23"):
        approved(store, workspace, number)
    send(store, workspace, "2.22")
    found, reasons = next_to_send(store, workspace, composer(workspace))
    assert found is not None
    assert (found.number, found.edition.hash) == ("2.23", composed(workspace, "2.23").hash)
    assert reasons == []


def test_changed_issue_is_passed_over_and_the_reason_is_told(store, workspace):
    workspace = configured(workspace, "approvals = 1", "approvals = 2")
    for number, who in (("2.23", "kim"), ("2.24", "kim"), ("2.24", "lee"), ("2.22", "kim")):
        approved(store, workspace, number, by=who)
    editions.replace_in(workspace.issues / "vol-2-22" / "issue.md", "Japan", "Nippon")
    found, reasons = next_to_send(store, workspace, composer(workspace))
    assert found is not None
    assert found.number == "2.24"
    assert reasons == [
        "Vol 2.22: changed since it was approved: issue.md",
        "Vol 2.23: needs another approval; so far kim",
    ]


def test_campaign_to_a_tag_leaves_the_issue_waiting_for_its_slot(store, workspace):
    approved(store, workspace)
    send(store, workspace, tag="press")
    found, _ = next_to_send(store, workspace, composer(workspace))
    assert found is not None
    assert found.number == "2.24"


# ── permission ──────────────────────────────────────────────────────────────


def frozen(store: Store, workspace: Workspace, edition: Edition, permit: object) -> None:
    campaigns.freeze(
        store,
        workspace,
        edition,
        tag=None,
        transport="outbox",
        now=NOW + timedelta(minutes=1),
        actor="scheduler",
        permit=permit,  # type: ignore[arg-type]
    )


def campaigns_made(store: Store) -> int:
    with store.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(campaign)) or 0


def test_approval_taken_back_at_the_last_moment_leaves_no_campaign(store, workspace):
    people(store, 2)
    approved(store, workspace)
    edition = composed(workspace)
    with store.begin() as conn:
        unapprove(conn, "2.24", reason="stop", now=NOW, actor="lee")
    with pytest.raises(UsageError, match="not approved: nothing approved"):
        frozen(store, workspace, edition, lambda conn: require_approved(conn, workspace, edition))
    assert campaigns_made(store) == 0


def test_approved_edition_may_be_frozen_and_another_may_not(store, workspace):
    people(store, 2)
    approved(store, workspace)
    edition = composed(workspace)
    editions.text(workspace)
    other = composed(workspace)
    with pytest.raises(UsageError, match="changed since it was approved"):
        frozen(store, workspace, other, lambda conn: require_approved(conn, workspace, other))
    assert campaigns_made(store) == 0
    frozen(store, workspace, edition, lambda conn: require_approved(conn, workspace, edition))
    assert campaigns_made(store) == 1


@pytest.mark.parametrize("number", ["2.22", "2.23", "2.24"])
def test_unapproving_and_sending_at_the_same_moment_one_of_them_is_refused(
    database_url, workspace, number
):
    edition = composed(workspace, number)
    refused: list[str] = []
    with open_url(database_url) as store:
        approved(store, workspace, number)
    start = threading.Barrier(2)

    def send_it() -> None:
        with open_url(database_url) as own:
            start.wait(timeout=30)
            try:
                frozen(own, workspace, edition, lambda c: require_approved(c, workspace, edition))
            except UsageError:
                refused.append("send")

    def take_it_back() -> None:
        with open_url(database_url) as own:
            start.wait(timeout=30)
            try:
                with own.begin() as conn:
                    unapprove(conn, number, reason="stop", now=NOW, actor="lee")
            except UsageError:
                refused.append("unapprove")

    threads = [threading.Thread(target=go) for go in (send_it, take_it_back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with open_url(database_url) as store:
        assert refused == (["unapprove"] if campaigns_made(store) else ["send"])


@pytest.mark.parametrize("tag", [None, "press"])
def test_sending_by_hand_is_an_approval_on_record(store, workspace, tag):
    edition = composed(workspace)
    campaigns.freeze_edition(store, workspace, edition, now=NOW)
    with store.begin() as conn:
        permit_by_hand(conn, workspace, edition, tag=tag, now=NOW, actor="kim")
    with store.read() as conn:
        last = last_approval(conn, "2.24")
    assert last is not None
    assert (last.approved_by, last.edition_hash) == ("kim", edition.hash)
    if tag is None:
        assert state_now(store, workspace).standing is Standing.APPROVED
    else:  # the slot of everyone else waits for an approval of its own
        assert last.revoked_reason == "only for the campaign to “press”"
        assert state_now(store, workspace).standing is Standing.NONE


def test_sending_by_hand_adds_nothing_to_an_approval_that_stands(store, workspace):
    approved(store, workspace, by="lee")
    with store.begin() as conn:
        permit_by_hand(conn, workspace, composed(workspace), tag=None, now=NOW, actor="kim")
    with store.read() as conn:
        assert [given.approved_by for given in standing(conn, "2.24")] == ["lee"]


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("approvals = 1", "approvals = 2", "2 people must approve it"),
        ("self_approval = true", "self_approval = false", "whoever wrote it cannot"),
    ],
)
def test_sending_by_hand_is_refused_where_review_asks_for_more(
    store, workspace, before, after, hint
):
    workspace = configured(workspace, before, after)
    edition = composed(workspace)
    with store.begin() as conn, pytest.raises(UsageError, match="is not approved") as caught:
        permit_by_hand(conn, workspace, edition, tag=None, now=NOW, actor="kim")
    assert hint in str(caught.value.hint)
    assert "newsletter approve 2.24" in str(caught.value.hint)
