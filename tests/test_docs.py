"""The documentation is tested against the code: links, generated pages, the quickstart."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))


def without_code(text: str) -> str:
    """*text* without fenced and indented code blocks: what they show is no link of the page."""
    return re.sub(r"(?ms)^```.*?^```|^ {4}.*?$", "", text)


def test_links_in_code_blocks_are_examples_and_not_followed():
    text = "[a](a.md)\n\n    ![b](b.jpg)\n\n```text\n[c](c.md)\n```\n\n[d](d.md)\n"
    assert re.findall(r"\]\(([^)\s]+)\)", without_code(text)) == ["a.md", "d.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_and_picture_exists(page):
    text = without_code(page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for page in folder.glob("0*.md"):
        assert f"({page.name})" in listed


def test_generated_reference_is_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "88"},
    )
    assert done.returncode == 0, done.stderr


def test_quickstart_runs_as_written(tmp_path):
    """All its `sh` blocks but the installation, in order, in one shell."""
    text = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    script = "set -eu\n" + "\n".join(blocks[1:])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "my-digest/outbox/vol-2-24/new").glob("*.eml"))) == 200
    assert (tmp_path / "my-digest/build/vol-2-24/preview.html").exists()


def test_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 60


def test_commands_named_in_the_documentation_exist():
    from newsletter.cli import COMMANDS

    for page in PAGES:
        for name in re.findall(
            r"(?m)(?:^|`)newsletter ([a-z]+(?:-[a-z]+)*)\b", page.read_text("utf-8")
        ):
            assert name in COMMANDS, f"{page.name}: newsletter {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_are_shown_with_options_that_they_have(page):
    from newsletter.cli import newsletter

    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        words = shlex.split(line.partition(" | ")[0], comments=True)
        if words[:1] != ["newsletter"] or "&&" in words:
            continue
        name, rest, command = words[1], words[2:], newsletter.get_command(None, words[1])
        while isinstance(command, click.Group):
            name, rest, command = rest[0], rest[1:], command.get_command(None, rest[0])
        assert command is not None, line
        command.make_context(name, rest)  # raises UsageError for an unknown option
