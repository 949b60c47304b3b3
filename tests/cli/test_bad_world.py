"""The command line in a bad world: one message that says what to do, exit code 2, no traceback."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ISSUE = "issues/vol-2-24/issue.md"


def said(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The exit code, the words on stderr or stdout, and never a traceback."""
    everything = result.stdout + result.stderr
    assert "Traceback" not in everything
    assert result.returncode == code, everything
    for word in words:
        assert word in everything


def tree(folder: Path) -> dict[str, str]:
    """Each file below *folder* with a hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ── issues that are no issues ───────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "there is no issue “”"),
        ("2.20/..", "there is no issue"),
        ("..", "without an issue.md"),
        ("x" * 10_000, "xxx…”"),
    ],
)
def test_issue_that_is_none_is_a_usage_error_that_lists_what_there_is(run, name, words):
    result = run("check", name)
    said(result, 2, words, "vol-2-24")
    assert len(result.stderr) < 500


def test_the_same_issue_by_two_names_is_checked_once(run):
    said(run("check", "2.24", "vol-2-24", "issues/vol-2-24"), 0, "1 issue checked")


def test_empty_issue_name_is_never_taken_for_the_newest(run, workspace):
    said(run("render", "", "--to", "out"), 2, "there is no issue “”")
    assert not (workspace / "out").exists()


def test_link_in_the_place_of_an_issue_is_a_finding(run, workspace, tmp_path):
    issues, outside = workspace / "issues", tmp_path / "outside"
    outside.mkdir()
    (outside / "issue.md").write_text("---\nissue: 2.25\n---\n")
    (issues / "vol-2-25").symlink_to(outside)
    (issues / "vol-2-26").symlink_to("vol-2-26")
    (issues / "vol-2-27").write_text("a file")
    (issues / "vol-2-28").mkdir()
    (issues / "vol-2-28/issue.md").symlink_to("issue.md")
    os.mkfifo(issues / "vol-2-24/issue.md.fifo")
    result = run("check")
    said(
        result,
        1,
        "issues/vol-2-25 is a link that leads out of issues",
        "vol-2-26/issue.md is a link that leads in a circle",
        "issues/vol-2-27 is a file, not a folder",
        "vol-2-28/issue.md is a link that leads in a circle",
    )
    assert str(tmp_path) not in result.stdout
    said(run("new", "--today", "2023-12-27"), 0, "issues/vol-2-29/issue.md")


@pytest.mark.parametrize("kind", ["file", "loop"])
def test_issues_that_is_no_folder_is_said_and_not_taken_for_empty(run, workspace, kind):
    issues = workspace / "issues"
    issues.rename(workspace / "aside")
    if kind == "file":
        issues.write_text("")
    else:
        issues.symlink_to("issues")
    for command in (["check"], ["new"], ["render"]):
        said(run(*command), 2, "the folder issues cannot be listed")


def test_named_pipe_in_the_place_of_a_word_list_does_not_wait_for_ever(run, workspace):
    (workspace / "people.txt").unlink()
    os.mkfifo(workspace / "people.txt")
    said(run("check", timeout=10), 2, "people.txt is not a file")


# ── folders and streams ─────────────────────────────────────────────────────


@pytest.mark.parametrize("command", [["render"], ["preview"]])
def test_empty_output_folder_is_refused_before_anything_is_written(run, workspace, command):
    before = tree(workspace)
    said(run(*command, "--to", ""), 2, "the name of the folder is empty")
    assert tree(workspace) == before


@pytest.mark.parametrize("target", [".", "..", "/", "issues", "newsletter.toml"])
def test_output_folder_that_holds_something_else_is_left_alone(run, workspace, target):
    before = tree(workspace)
    said(run("render", "--to", target), 2, "hint: ")
    assert tree(workspace) == before


def test_workspace_option_that_leads_nowhere_is_said(run):
    said(run("-C", "/nowhere/at/all", "check"), 2, "newsletter init")
    said(run("-C", "x" * 5_000, "check"), 2, "File name too long")


def test_current_folder_that_was_removed_is_said(run, tmp_path):
    gone = tmp_path / "gone"
    script = f"mkdir {gone}; cd {gone}; rmdir {gone}; {sys.executable} -m newsletter check"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    said(done, 2, "is not there any more")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_stdout_is_one_message(workspace):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", "explain"],
            cwd=workspace,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the output cannot be used: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_narrow_encodings_do_not_stop_the_output(run, workspace, variable):
    file = workspace / ISSUE
    file.write_text(file.read_text(encoding="utf-8").replace("date:", "dat:"), encoding="utf-8")
    said(run("check", "2.24", env={**os.environ, **variable}), 1, "NL008")


def test_escape_sequences_of_a_folder_name_do_not_reach_the_terminal(run, workspace):
    odd = workspace / "issues" / "\x1b[31m,a:b\nc%"
    odd.mkdir()
    (odd / "issue.md").write_text("nothing")
    assert "\x1b" not in run("check").stdout
    for line in run("check", "--format", "github").stdout.splitlines():
        assert line.startswith(("::error ", "::warning ", "::notice "))
    assert any("\x1b" in d["path"] for d in json.loads(run("check", "--format", "json").stdout))


def test_calendar_that_ends_is_said(run):
    said(run("new", "--today", "9999-12-31"), 2, "the calendar ends")


# ── templates ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("text/issue.txt.j2", "{{ '-' * 10 ** 10 }}", "issue.txt.j2:1: not allowed"),
        ("text/issue.txt.j2", "{{ view.title | shiny }}", "html, plain, linked and wrap"),
        ("web/issue.html.j2", "{% include 'web/issue.html.j2' %}", "includes itself without end"),
        ("print/issue.typ", '#read("/etc/passwd")\n', "templates/print/etc/passwd"),
    ],
)
def test_broken_template_names_itself_in_good_time(run, workspace, file, text, words):
    template = workspace / "templates" / file
    template.write_text(text + template.read_text(encoding="utf-8"), encoding="utf-8")
    said(run("render", "--to", "out", timeout=20), 2, words)
    assert not (workspace / "out").exists()


def test_templates_that_lead_in_a_circle_are_said(run, workspace):
    (workspace / "templates").rename(workspace / "aside")
    (workspace / "templates").symlink_to("templates")
    said(
        run("render", "--to", "out"),
        2,
        "templates/text/issue.txt.j2 is a link that leads in a circle",
    )


# ── Ctrl-C ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.8, 0.95])
def test_interrupt_leaves_a_whole_edition_or_none_and_no_scratch(run, workspace, delay):
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "render", "--to", "out"],
        cwd=workspace,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
    out = workspace / "out"
    assert not out.exists() or (out / "manifest.json").exists()
    assert [path.name for path in workspace.glob(".out-*")] == []


def test_two_renders_at_once_leave_one_whole_edition(run, workspace):
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "newsletter", "render", "--to", "out"],
            cwd=workspace,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert 0 in [process.returncode for process in processes]
    assert not any("Traceback" in text for text in errors)
    assert len(list((workspace / "out").iterdir())) == 7
    assert list(workspace.glob(".out-*")) == []
