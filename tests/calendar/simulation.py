"""A newsletter whose clock, composer, sender and editors are ours; database and files are real."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from newsletter.calendar.approval import approve, unapprove
from newsletter.calendar.letters import Letter
from newsletter.calendar.scheduler import Scheduler
from newsletter.calendar.slot_campaign import Outlook
from newsletter.calendar.slot_rows import SlotRow, rows
from newsletter.compose import manifest
from newsletter.compose.edition import Edition
from newsletter.compose.view import view_of
from newsletter.config import Workspace, open_workspace
from newsletter.delivery.campaign import Campaign
from newsletter.delivery.model import State, Status
from newsletter.errors import ContentError
from newsletter.issue.folder import IssueFolder
from newsletter.issue.model import Issue, Item
from newsletter.issue.number import IssueNumber
from newsletter.issue.prose import Prose
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery

ROOT = Path(__file__).parents[2]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type, misc]


class World:
    """Everything around a scheduler. `now` is what its clock says."""

    def __init__(self, store: Store, root: Path, schedule: str, *, now: datetime) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.store = store
        self.root = root
        self.now = now
        self.letters: list[Letter] = []
        self.lines: list[str] = []
        self.sent: list[str] = []  # numbers, in order
        self.outlook: Callable[[], Outlook] | None = None  # instead of sending
        self.interrupt: Callable[[str], object] = lambda where: None
        self.configure(schedule)

    def configure(self, schedule: str, *, review: str = "") -> None:
        """Write newsletter.toml with these keys of [schedule]."""
        text = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
        text = re.sub(
            r"(?ms)^\[schedule\]$.*?(?=^\[review\]$)", f"[schedule]\n{schedule}\n\n", text
        )
        if review:
            text = re.sub(r"(?m)^\[review\]$.*?(?=^\[)", f"[review]\n{review}\n", text, flags=re.S)
        (self.root / "newsletter.toml").write_text(text, encoding="utf-8")

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.root)

    def scheduler(self) -> Scheduler:
        return Scheduler(
            self.store,
            self.workspace,
            clock=lambda: self.now,
            compose=self.compose,
            send=self.send,
            mail=self._mail,
            say=self.lines.append,
        )

    # ── editors ─────────────────────────────────────────────────────────────

    def draft(self, number: str, text: str = "as written") -> Path:
        folder = self.workspace.issues / IssueNumber.parse(number).folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "issue.md").write_text(text, encoding="utf-8")
        return folder

    def approve(self, number: str, text: str = "as written", *, actor: str = "kim") -> Edition:
        folder = self.draft(number, text)
        edition = self.compose(IssueFolder(folder), self.workspace)
        values: dict[str, Any] = {"checklist": {}, "now": self.now, "actor": actor}
        approve(self.store, self.workspace, edition, **values)
        return edition

    def compose_again(self, number: str) -> Edition:
        folder = self.workspace.issues / IssueNumber.parse(number).folder
        return self.compose(IssueFolder(folder), self.workspace)

    def unapprove(self, number: str) -> None:
        with self.store.begin() as conn:
            assert unapprove(conn, number, reason="a doubt", now=self.now, actor="kim")

    # ── what the scheduler is given ─────────────────────────────────────────

    def compose(self, folder: IssueFolder, workspace: Workspace) -> Edition:
        self.interrupt("compose")
        text = folder.file.read_bytes()
        if text == b"errors":
            raise ContentError(f"{folder.path.name} has 1 error and was not composed")
        item = Item(headline=Prose.plain("A headline"), bullet=Prose.plain("A bullet."))
        issue = Issue(
            number=IssueNumber.from_folder(folder.path.name),
            date=date(2026, 1, 1),
            items=(item,) * 5,
        )
        view = view_of(issue, workspace.config, None)
        files = {"email.html": text, "email.txt": text}
        files[manifest.NAME] = manifest.build(
            view,
            workspace.config,
            files=files,
            sources={"issue.md": manifest.digest(text)},
            templates={},
        )
        return Edition(view=view, files=MappingProxyType(files))

    def send(self, sent: Campaign, workspace: Workspace) -> Outlook:
        """Accept every delivery at once, as a sender would that meets no trouble."""
        self.interrupt("send")
        if self.outlook is not None:
            return self.outlook()
        self.complete(sent.id)
        self.interrupt("sent")
        return Outlook(look_again=self.now + MINUTE)

    def complete(self, campaign_id: int) -> None:
        with self.store.begin() as conn:
            ours = delivery.c.campaign_id == campaign_id
            conn.execute(sa.update(delivery).where(ours).values(status=Status.ACCEPTED.value))
            done = (
                sa.update(campaign)
                .where(campaign.c.id == campaign_id, campaign.c.state == State.SENDING.value)
                .values(state=State.COMPLETED.value)
                .returning(campaign.c.number)
            )
            numbers = conn.scalars(done).all()
        self.sent += numbers  # only now: it may have died while committing

    def _mail(self, letter: Letter, workspace: Workspace) -> None:
        self.interrupt("mail")
        self.letters.append(letter)

    # ── time ────────────────────────────────────────────────────────────────

    def run(self, scheduler: Scheduler, until: datetime) -> None:
        """Tick whenever the scheduler asks for it, from now on and up to *until*."""
        while self.now <= until:
            look_again = scheduler.tick()
            assert look_again >= self.now
            self.now = max(look_again, self.now + timedelta(milliseconds=200))
        self.now = until

    # ── looking ─────────────────────────────────────────────────────────────

    def rows(self) -> list[SlotRow]:
        with self.store.read() as conn:
            return rows(conn)

    def states(self) -> dict[str, str]:
        """State of each row, by its day."""
        return {str(row.day): str(row.state) for row in self.rows()}

    def subjects(self) -> list[str]:
        """Subjects of the letters since the last call."""
        found = [letter.subject for letter in self.letters]
        self.letters.clear()
        return found
