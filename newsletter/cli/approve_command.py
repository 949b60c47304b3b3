"""`newsletter approve`: look once more at what will be sent, and say yes to exactly that."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter import diagnostics as report
from newsletter.cli.campaigns import number_named
from newsletter.cli.shared import actor, as_option, plural, without_errors, workspace_at
from newsletter.cli.words import moment
from newsletter.config import Workspace
from newsletter.diagnostics import Diagnostic, Severity
from newsletter.errors import UsageError
from newsletter.issue.folder import IssueFolder, find_issue, shown
from newsletter.issue.number import IssueNumber

if TYPE_CHECKING:
    from newsletter.calendar.approval import Approval, ApprovalState
    from newsletter.compose.edition import Edition
    from newsletter.store.engine import Store

MOST_LINES = 40  # of the diff


@click.command("approve")
@click.argument("issue")
@as_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(start: str, issue: str, name: str | None, yes: bool) -> int:
    """Approve an issue: exactly these bytes may be sent at its slot.

    ISSUE is a number (2.20) or a folder. Composes it, runs every check, and shows what
    it is and what changed since it was last approved. Any later change of text,
    picture, template, font or configuration voids the approval; newsletter schedule
    then says what changed. Exits with 1 when the issue has errors.
    """
    from newsletter.calendar.approval import (
        Standing,
        approve,
        has_approved,
        last_approval,
        state_of,
    )
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    folder = _folder_named(issue, workspace)
    who = actor(workspace, name=name)
    edition, pages, found = _composed(folder, workspace)
    with open_store(workspace) as store:
        with store.read() as conn:
            state = state_of(conn, workspace, edition.number, edition)
            last = last_approval(conn, edition.number)
        if state.standing is Standing.SENT:
            click.echo(f"Vol {edition.number} is on its way or was sent; nothing to approve")
            return 0
        for key, text in _summary(edition, pages, found, state):
            click.echo(f"{key:<11} {text}")
        for line in _since(workspace, last, edition):
            click.echo(line)
        if has_approved(who, state.approvals, edition.hash):
            click.echo(f"{who} approved exactly this already; nothing changed")
            return 0
        if not yes:
            click.confirm(f"Approve it as {who}?", abort=True)
        now = datetime.now(UTC)
        checklist = _checklist(edition, pages, found)
        state = approve(store, workspace, edition, checklist=checklist, now=now, actor=who)
        click.echo(_outcome(store, workspace, edition, state, now))
    return 0


def _folder_named(issue: str, workspace: Workspace) -> IssueFolder:
    """Find the issue. Raises UsageError for one that does not lie where the calendar looks."""
    found = find_issue(issue, workspace)
    number = IssueNumber.parse(number_named(found.path.resolve().name))
    folder = workspace.issues / number.folder
    if found.path.resolve() != folder.resolve():
        raise UsageError(
            f"{shown(found.path)} does not lie in {shown(workspace.issues)}, where the calendar "
            "takes issues from",
            hint="move its folder there",
        )
    return IssueFolder(folder, workspace.issues)


def _composed(
    folder: IssueFolder, workspace: Workspace
) -> tuple[Edition, int, tuple[Diagnostic, ...]]:
    """Check and compose; return the edition, its pages, and what was found, which is printed."""
    from newsletter.compose.edition import compose
    from newsletter.compose.print import page_count

    issue, in_text = without_errors(folder, workspace)
    edition = compose(issue, folder, workspace)
    found = (*in_text, *edition.findings)
    click.echo(report.as_text(found), err=True, nl=False)
    hero = edition.view.hero
    pictures = {} if hero is None else {hero.file: edition.files[hero.file]}
    return edition, page_count(edition.view, workspace.templates, pictures), found


# ── what is shown ───────────────────────────────────────────────────────────


def _summary(
    edition: Edition, pages: int, found: tuple[Diagnostic, ...], state: ApprovalState
) -> Iterator[tuple[str, str]]:
    from newsletter.calendar.approval import in_words

    view = edition.view
    yield "issue", f"Vol {view.number}, {view.date_text}"
    yield "subject", view.subject
    yield "preheader", view.preheader
    for item in view.items:
        yield "headlines" if item.position == 1 else "", f"{item.position} {item.headline.text}"
    kilobytes = len(edition.files["email.html"]) / 1000
    yield "size", f"{kilobytes:.0f} kB of HTML, PDF of {plural(pages, 'page')}"
    warnings = report.count(found, Severity.WARNING)
    yield "checks", f"no errors, {plural(warnings, 'warning') if warnings else 'no warnings'}"
    yield "edition", edition.hash[:16]
    yield "so far", in_words(state)


def _since(workspace: Workspace, last: Approval | None, edition: Edition) -> Iterator[str]:
    """What changed since the last approval: the text as a diff, all else by name."""
    from newsletter.calendar.changes import changes
    from newsletter.compose import manifest
    from newsletter.delivery.campaign import edition_folder

    if last is None or last.edition_hash == edition.hash:
        return
    before = edition_folder(workspace, last.edition_hash)
    label = f"as {last.approved_by} approved it, {moment(last.approved_at, datetime.now(UTC))}"
    try:
        old = (before / "email.txt").read_text("utf-8").splitlines()
        old_manifest = (before / manifest.NAME).read_bytes()
    except (OSError, UnicodeDecodeError):
        yield f"what {last.approved_by} approved before is not there any more to compare with"
        return
    new = edition.files["email.txt"].decode().splitlines()
    lines = list(difflib.unified_diff(old, new, label, "now", n=1, lineterm=""))
    yield ""
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"… and {plural(len(lines) - MOST_LINES, 'more line', 'more lines')}"
    names = changes(old_manifest, edition.files[manifest.NAME])
    yield f"{'changed':<11} {', '.join(names)}"


def _checklist(edition: Edition, pages: int, found: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """What the person was shown, for the record."""
    warnings = [d for d in found if d.severity is Severity.WARNING]
    return {
        "by": "newsletter approve",
        "subject": edition.view.subject,
        "preheader": edition.view.preheader,
        "headlines": [item.headline.text for item in edition.view.items],
        "pages": pages,
        "warnings": [f"{Path(d.path).name}:{d.line}: {d.code}: {d.message}" for d in warnings],
    }


def _outcome(
    store: Store, workspace: Workspace, edition: Edition, state: ApprovalState, now: datetime
) -> str:
    from newsletter.calendar.approval import Standing, names

    title = f"Vol {edition.number}"
    if state.standing is Standing.PARTIAL:
        more = plural(state.missing, "more person", "more people")
        return f"{title} is approved by {names(state)}; {more} must approve it"
    said = f"{title} is approved by {names(state)}, as edition {edition.hash[:16]}"
    return f"{said}\n{_destination(store, workspace, edition, now)}"


def _destination(store: Store, workspace: Workspace, edition: Edition, now: datetime) -> str:
    """Where an approved issue goes from here."""
    from newsletter.calendar.plan import plan
    from newsletter.calendar.slot_rows import local_time
    from newsletter.cli.composing import composed_quietly

    by_hand = f"newsletter send {edition.number} sends it now"
    if not workspace.config.schedule.is_set:
        return f"there is no schedule: {by_hand}"

    def compose(folder: IssueFolder) -> Edition:
        same = folder.path.name == IssueNumber.parse(edition.number).folder
        return edition if same else composed_quietly(folder, workspace)

    for place in plan(store, workspace, compose, now=now, count=4):
        if place.number == edition.number:
            slot = local_time(place.slot.starts_at, workspace.config.schedule)
            return f"it stands in the slot of {slot}; newsletter run sends it then"
    return f"no slot of the next four is free for it: {by_hand}"
