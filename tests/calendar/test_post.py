"""Letters leave through the transport; those that cannot are kept, and nobody gets one twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulation import DAY, MINUTE, ROOT, utc

from newsletter.calendar.letters import Letter
from newsletter.calendar.post import Post
from newsletter.config import Workspace, open_workspace

NOW = utc(2026, 12, 1, 14, 53)
LETTER = Letter(subject="Nothing is approved", text="Approve something.\n")


class Desk:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = NOW
        self.lines: list[str] = []
        self.post = Post(clock=lambda: self.now, say=self.lines.append)

    def workspace(self, alert: str = '["a@example.org", "b@example.org"]') -> Workspace:
        text = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
        text += f"[delivery]\nalert = {alert}\n"
        (self.root / "newsletter.toml").write_text(text, encoding="utf-8")
        return open_workspace(self.root)

    def letters(self) -> int:
        return len(list(self.root.glob("outbox/test/new/*")))

    def block(self) -> None:
        (self.root / "outbox").write_text("in the way")

    def unblock(self) -> None:
        (self.root / "outbox").unlink()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_letter_goes_to_every_editor_and_is_not_kept(desk):
    workspace = desk.workspace()
    desk.post.send(LETTER, workspace)
    assert desk.letters() == 2
    for path in desk.root.glob("outbox/test/new/*"):
        path.unlink()
    desk.now += DAY / 2
    desk.post.try_again(workspace)
    assert desk.letters() == 0
    assert desk.lines == []


def test_letter_that_could_not_leave_is_tried_again_after_some_minutes(desk):
    workspace = desk.workspace()
    desk.block()
    desk.post.send(LETTER, workspace)
    assert len(desk.lines) == 2
    desk.unblock()
    desk.now += MINUTE
    desk.post.try_again(workspace)
    assert desk.letters() == 0
    desk.now += 5 * MINUTE
    desk.post.try_again(workspace)
    assert desk.letters() == 2


def test_letter_that_could_not_leave_for_a_day_is_dropped(desk):
    workspace = desk.workspace()
    desk.block()
    desk.post.send(LETTER, workspace)
    desk.unblock()
    desk.now += DAY
    desk.post.try_again(workspace)
    desk.now += DAY
    desk.post.try_again(workspace)
    assert desk.letters() == 0


def test_letter_to_nobody_is_said_aloud(desk):
    desk.post.send(LETTER, desk.workspace(alert="[]"))
    (line,) = desk.lines
    assert line == "nobody is told “Nothing is approved”: delivery.alert names no address"
