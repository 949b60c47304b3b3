"""A copy of the repository's own newsletter, its issues composed, and ways to change them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from newsletter.calendar.candidates import Compose
from newsletter.cli.composing import composed_quietly
from newsletter.compose.edition import Edition
from newsletter.config import Workspace, open_workspace
from newsletter.issue.folder import find_issue

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def lay_out(folder: Path) -> Workspace:
    """Make the workspace; issues 2.22, 2.23 and 2.24 are sound, and none was sent."""
    folder.mkdir()
    for part in ("newsletter.toml", "people.txt", "terms.toml"):
        shutil.copy(ROOT / part, folder / part)
    for part in ("issues", "templates"):
        shutil.copytree(ROOT / part, folder / part)
    return open_workspace(folder)


def composed(workspace: Workspace, number: str = "2.24") -> Edition:
    """The issue as it is composed now, with the configuration as it is on disk now."""
    workspace = open_workspace(workspace.root)
    return composed_quietly(find_issue(number, workspace), workspace)


def composer(workspace: Workspace) -> Compose:
    return lambda folder: composed_quietly(folder, open_workspace(workspace.root))


def replace_in(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def configured(workspace: Workspace, before: str, after: str) -> Workspace:
    """Change newsletter.toml, and read it anew."""
    replace_in(workspace.root / "newsletter.toml", before, after)
    return open_workspace(workspace.root)


Change = Callable[[Workspace], None]


def text(workspace: Workspace) -> None:
    replace_in(workspace.issues / "vol-2-24" / "issue.md", "The cabinet in", "The new cabinet in")


def picture(workspace: Workspace) -> None:
    other = workspace.issues / "vol-2-23" / "hero.jpg"
    shutil.copy(other, workspace.issues / "vol-2-24" / "hero.jpg")


def picture_comment(workspace: Workspace) -> None:
    """Bytes behind the end of the picture, which no decoder looks at."""
    with (workspace.issues / "vol-2-24" / "hero.jpg").open("ab") as file:
        file.write(b"\0")


def template(workspace: Workspace) -> None:
    with (workspace.templates / "web" / "issue.html.j2").open("a", encoding="utf-8") as file:
        file.write("\n")


def footer(workspace: Workspace) -> None:
    configured(workspace, 'reason = "You receive', 'reason = "Now you receive')


def font(workspace: Workspace) -> None:
    folder = workspace.templates / "print" / "fonts"
    folder.mkdir(exist_ok=True)
    (folder / "House.ttf").write_bytes(b"no letters in it")


def sender(workspace: Workspace) -> None:
    configured(workspace, 'reply_to = "digest@example.org"', 'reply_to = "desk@example.org"')
