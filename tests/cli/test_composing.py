"""Composing in another process: the same edition, the same errors, and a small sender."""

from __future__ import annotations

import subprocess
import sys

import pytest

from newsletter.cli.composing import composed_apart
from newsletter.cli.shared import composed_issue
from newsletter.config import open_workspace
from newsletter.errors import ContentError
from newsletter.issue.folder import find_issue

MEASURED = """
import sys
from pathlib import Path
from newsletter.cli.composing import composed_apart
from newsletter.config import open_workspace
from newsletter.issue.folder import find_issue
if __name__ == "__main__":
    workspace = open_workspace(Path())
    edition = composed_apart(find_issue("2.24", workspace), workspace)
    peak = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    heavy = {"lxml", "typst", "premailer", "PIL", "mjml"} & set(sys.modules)
    print(edition.hash, int(peak.split()[1]) // 1000, *sorted(heavy))
"""


def test_the_edition_is_the_one_that_would_be_composed_here(workspace):
    here = open_workspace(workspace)
    apart = composed_apart(find_issue("2.24", here), here)
    _, edition = composed_issue("2.24", here)
    assert apart.hash == edition.hash
    assert dict(apart.files) == dict(edition.files)
    assert (apart.view, apart.findings) == (edition.view, edition.findings)


def test_errors_come_back_whole_and_are_listed(workspace, capfd):
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("date:", "dat:"))
    here = open_workspace(workspace)
    with pytest.raises(ContentError, match="was not composed") as caught:
        composed_apart(find_issue("2.24", here), here)
    assert caught.value.hint
    assert "error NL008" in capfd.readouterr().err


def test_the_process_that_sends_loads_no_library_that_composes(workspace):
    script = workspace / "measured.py"
    script.write_text(MEASURED)
    done = subprocess.run(
        [sys.executable, script],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    _, megabytes, *heavy = done.stdout.split()
    assert heavy == []
    assert int(megabytes) < 80
