"""What the gates find in a composed edition reaches whoever renders, looks or sends."""

from __future__ import annotations

from pathlib import Path

import pytest


def make_mail_heavy(workspace: Path) -> None:
    footer = workspace / "templates/email/footer.mjml.j2"
    text = footer.read_text(encoding="utf-8")
    footer.write_text(text.replace("{{ view.about }}", "{{ view.about * 250 }}"), encoding="utf-8")


def add_pages(workspace: Path) -> None:
    template = workspace / "templates/print/issue.typ"
    with template.open("a", encoding="utf-8") as file:
        file.write("#pagebreak()\n#pagebreak()\n.\n")


@pytest.mark.parametrize("arguments", [("render",), ("preview",), ("send", "--yes")])
def test_warnings_go_to_stderr_and_do_not_stop_the_work(run, workspace, arguments):
    make_mail_heavy(workspace)
    add_pages(workspace)
    run("subscribers", "add", "ada@example.org", "--consent", "asked by phone")
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    assert "email.html:1:1: warning NL801: the e-mail has 6" in result.stderr
    assert "issue.pdf:1:1: warning NL808: the PDF has 4 pages" in result.stderr
    assert "NL80" not in result.stdout


def test_preview_page_shows_them_too(run, workspace):
    make_mail_heavy(workspace)
    assert run("preview", "--to", "out").returncode == 0
    page = (workspace / "out/preview.html").read_text(encoding="utf-8")
    assert "warning NL801: the e-mail has 6" in page
    assert "All gates passed" not in page


def test_rule_that_the_workspace_ignores_is_silent(run, workspace):
    add_pages(workspace)
    with (workspace / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write('ignore = ["NL808"]\n')
    result = run("render")
    assert result.returncode == 0, result.stderr
    assert "NL808" not in result.stderr


def test_sound_edition_says_nothing(run, workspace):
    assert "warning" not in run("render").stderr


def test_explain_knows_the_rules_of_the_composed_mail(run):
    for code in ("NL801", "NL807", "mail-link", "pdf-pages"):
        result = run("explain", code)
        assert result.returncode == 0
        assert result.stdout.startswith("NL80")
