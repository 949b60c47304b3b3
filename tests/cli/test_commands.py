"""The command line as people meet it: exit codes, streams, hints, nothing half-done."""

from __future__ import annotations

import json
import os
import re
import statistics
import time

import pytest

from newsletter.cli import COMMANDS, newsletter


def test_help_lists_every_command_in_the_words_of_its_docstring():
    for name, summary in COMMANDS.items():
        command = newsletter.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert (command.help or "").partition("\n")[0] == summary


def test_help_answers_at_once_and_imports_no_heavy_library(run, workspace):
    def timed() -> float:
        start = time.perf_counter()
        assert run("--help").returncode == 0
        return time.perf_counter() - start

    assert statistics.median(timed() for _ in range(5)) < 0.5  # 0.15 s is measured by make bench
    imported = run("--help", env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}).stderr
    for heavy in (
        "msgspec",
        "sqlalchemy",
        "jinja2",
        "markdown_it",
        "premailer",
        "typst",
        "PIL",
        "lxml",
        "rich",
    ):
        assert not re.search(rf"\| +{heavy}\b", imported), heavy


def test_unknown_command_suggests_the_near_one(run):
    result = run("chekc")
    assert result.returncode == 2
    assert "Did you mean “check”?" in result.stderr


def test_outside_a_workspace_every_command_says_how_to_start(run, tmp_path):
    for name in ("check", "new", "render", "preview", "send", "status", "doctor"):
        result = run(name, cwd=tmp_path)
        assert result.returncode == 2, name
        assert "newsletter init" in result.stderr, name
        assert "Traceback" not in result.stderr


# ── check ───────────────────────────────────────────────────────────────────


def test_sample_issues_are_clean(run):
    result = run("check", "--strict")
    assert (result.returncode, result.stdout) == (0, "")
    assert "3 issues checked: all good" in result.stderr


def test_check_exits_with_one_for_errors_and_prints_all_of_them(run, workspace):
    file = workspace / "issues/vol-2-24/issue.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("2023-12-26", "2023-02-30").replace("hero.jpg", "gone.jpg"))
    result = run("check", "2.24")
    assert result.returncode == 1
    assert "issues/vol-2-24/issue.md:3:7: error" in result.stdout
    assert "gone.jpg" in result.stdout
    assert run("check", "2.23").returncode == 0


def test_warnings_exit_with_zero_unless_strict(run, workspace):
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("a plan of", "a plan of a plan of"))
    relaxed = run("check", "2.24")
    assert relaxed.returncode == 0
    assert "warning NL208" in relaxed.stdout
    strict = run("check", "2.24", "--strict")
    assert strict.returncode == 1
    assert "error NL208" in strict.stdout


def test_check_takes_number_folder_and_file(run):
    for name in ("2.24", "vol-2-24", "issues/vol-2-24", "issues/vol-2-24/issue.md", "Vol 2.24"):
        assert "1 issue checked" in run("check", name).stderr, name


def test_check_of_an_unknown_issue_lists_those_there_are(run):
    result = run("check", "2.2")
    assert result.returncode == 2
    assert "there is no issue “2.2”" in result.stderr
    assert "vol-2-24" in result.stderr


def test_json_goes_to_stdout_alone(run, workspace):
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("date:", "dat:"))
    result = run("check", "--format", "json")
    codes = {found["code"] for found in json.loads(result.stdout)}
    assert {"NL007", "NL008"} <= codes
    assert result.returncode == 1


def test_github_format_is_one_command_a_line(run, workspace):
    (workspace / "issues/vol-2-24/issue.md").write_text("# nothing\n")
    lines = run("check", "2.24", "--format", "github").stdout.splitlines()
    assert lines
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)


def test_fix_mends_and_says_so_and_a_second_time_changes_nothing(run, workspace):
    file = workspace / "issues/vol-2-24/issue.md"
    sound = file.read_text(encoding="utf-8")
    file.write_text(sound.replace("The cabinet in", "The\u00a0cabinet  in"), encoding="utf-8")
    first = run("check", "2.24", "--fix")
    assert "mended 2 places" in first.stderr
    assert file.read_text(encoding="utf-8") == sound
    assert "mended" not in run("check", "2.24", "--fix").stderr


def test_empty_issue_folder_is_a_finding_and_does_not_stop_the_others(run, workspace):
    (workspace / "issues/vol-2-25").mkdir()
    result = run("check")
    assert result.returncode == 1
    assert "issues/vol-2-25/issue.md:1:1: error NL000" in result.stdout
    assert "4 issues checked" in result.stderr


# ── explain ─────────────────────────────────────────────────────────────────


def test_explain_takes_code_and_name_and_suggests(run):
    by_code, by_name = run("explain", "nl104"), run("explain", "item-count")
    assert by_code.stdout == by_name.stdout
    assert "NL104 item-count" in by_code.stdout
    wrong = run("explain", "NL1044")
    assert wrong.returncode == 2
    assert "NL104" in wrong.stderr


# ── new ─────────────────────────────────────────────────────────────────────


def test_new_makes_the_next_issue_with_its_date_and_five_headings(run, workspace):
    result = run("new", "--today", "2023-12-27")
    assert result.returncode == 0, result.stderr
    text = (workspace / "issues/vol-2-25/issue.md").read_text(encoding="utf-8")
    assert "issue: 2.25\ndate: 2024-01-09\n" in text
    assert len(re.findall(r"(?m)^##( |$)", text)) == 5
    again = run("check", "2.25")
    assert again.returncode == 1
    assert "Traceback" not in again.stderr


def test_new_moves_a_past_date_on_by_fortnights(run, workspace):
    assert run("new", "--today", "2024-01-10").returncode == 0
    text = (workspace / "issues/vol-2-25/issue.md").read_text(encoding="utf-8")
    assert "date: 2024-01-23\n" in text


def test_new_volume_starts_a_year(run, workspace):
    assert run("new", "--volume", "--today", "2023-12-27").returncode == 0
    assert (workspace / "issues/vol-3-01/issue.md").exists()
    assert run("new", "--volume", "5", "--today", "2023-12-27").returncode == 0
    assert (workspace / "issues/vol-5-01/issue.md").exists()
    behind = run("new", "--volume", "2")
    assert behind.returncode == 2
    assert "does not come after" in behind.stderr


def test_new_does_not_touch_what_is_there(run, workspace):
    (workspace / "issues/vol-2-25").mkdir()
    (workspace / "issues/vol-2-25/notes.txt").write_text("mine")
    assert run("new").returncode == 0
    assert (workspace / "issues/vol-2-26/issue.md").exists()
    assert not (workspace / "issues/vol-2-25/issue.md").exists()


# ── import, render, preview ───────────────────────────────────────────


def test_import_writes_a_folder_once_and_again_only_by_force(run, workspace):
    names = ("Kobe", "Yokohama", "Nagoya", "Otaru", "Hakata")
    items = "\n".join(f"- {name} opens a new pier for cruise ships" for name in names)
    news = "opened a new pier for cruise ships on March 28. The mayor cut a ribbon, and a band"
    bullets = "\n".join(f"- The port of {n} {news} from {n} played for the guests." for n in names)
    draft = workspace / "draft.md"
    draft.write_text(f"# Pacific Alliance Digest Vol 3.7\n\n{items}\n\n{bullets}\n")
    first = run("import", "draft.md", "--date", "2024-04-02")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "issues/vol-3-07\n"
    file = workspace / "issues/vol-3-07/issue.md"
    before = file.read_bytes()
    second = run("import", "draft.md", "--date", "2024-04-16")
    assert second.returncode == 1
    assert "--force" in second.stderr
    assert file.read_bytes() == before
    assert run("import", "draft.md", "--date", "2024-04-16", "--force").returncode == 0
    assert b"date: 2024-04-16" in file.read_bytes()


def test_one_bad_file_does_not_stop_the_import_of_others(run, workspace):
    (workspace / "bad.txt").write_bytes(b"\x00\x01\x02" * 100)
    result = run("import", "bad.txt", "issues/vol-2-24/issue.md", "--into", "elsewhere")
    assert result.returncode == 1
    assert "1 of 2 files imported" in result.stderr
    assert (workspace / "elsewhere/vol-2-24/issue.md").exists()


def test_render_writes_the_edition_and_lists_it(run, workspace):
    result = run("render", "2.24", "--to", "out")
    assert result.returncode == 0, result.stderr
    names = {path.name for path in (workspace / "out").iterdir()}
    assert names == {
        "email.html",
        "email.txt",
        "web.html",
        "issue.pdf",
        "hero.jpg",
        "message.eml",
        "manifest.json",
    }
    assert all(f"out/{name}  " in result.stdout for name in names)


def test_render_of_an_issue_with_errors_lists_them_and_writes_nothing(run, workspace):
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("date:", "dat:"))
    result = run("render", "2.24", "--to", "out")
    assert result.returncode == 1
    assert "error NL008" in result.stderr
    assert not (workspace / "out").exists()


def test_preview_names_its_page(run, workspace):
    result = run("preview")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "build/vol-2-24/preview.html\n"
    assert (workspace / "build/vol-2-24/preview.html").exists()


@pytest.mark.parametrize("what", ["config", "issue"])
def test_schema_is_json(run, what):
    assert json.loads(run("schema", what).stdout)["$schema"].startswith("https://json-schema.org/")
