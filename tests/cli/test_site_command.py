"""`newsletter publish`, `unpublish` and `site`: back issues on the web, and the static site."""

from __future__ import annotations

import json
import re

import pytest

from newsletter.cli.site_command import COMMANDS, command
from newsletter.config import open_workspace
from newsletter.delivery.campaign import freeze
from newsletter.store.engine import open_store
from tests.delivery.campaigns import WRITES
from tests.site.archives import a_page_view, an_edition


@pytest.fixture
def send(workspace):
    """Freeze a campaign of the issue, as `send` does before the first message leaves."""

    def call(number: str) -> None:
        opened = open_workspace(workspace)
        with open_store(opened) as store:
            edition = an_edition(a_page_view(number))
            freeze(store, opened, edition, tag=None, transport="outbox", **WRITES)

    return call


def listed(run) -> list[dict]:
    done = run("site", "list", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_back_issues_are_published_and_again_is_harmless(run):
    done = run("publish", "--all")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        r"Vol 2\.22: published, edition \w{16}\nVol 2\.23: published, edition \w{16}\n"
        r"Vol 2\.24: published, edition \w{16}\n",
        done.stdout,
    )
    before = listed(run)
    again = run("publish", "--all")
    assert again.returncode == 0
    assert again.stdout.count("in the archive already, edition") == 3
    assert listed(run) == before
    assert [row["issue"] for row in before] == ["2.24", "2.23", "2.22"]
    assert before[0]["url"] == "https://digest.example.org/vol-2-24/"
    assert before[0]["sent"] is False


def test_issue_dated_in_the_future_is_left_to_its_day(run):
    done = run("publish", "--all", "--today", "2023-12-20")
    assert done.returncode == 0
    assert "2.24" not in done.stdout
    named = run("publish", "2.24", "--today", "2023-12-20")
    assert "; it is dated December 26, 2023" in named.stdout


def test_issue_with_errors_is_named_and_the_others_are_published(run, workspace):
    file = workspace / "issues" / "vol-2-23" / "issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("## ", "", 1), encoding="utf-8")
    done = run("publish", "--all")
    assert done.returncode == 1
    assert "error: issues/vol-2-23: 4 errors, see newsletter check vol-2-23" in done.stderr
    assert [row["issue"] for row in listed(run)] == ["2.24", "2.22"]


def test_changed_issue_is_published_anew(run, workspace):
    run("publish", "2.24")
    file = workspace / "issues" / "vol-2-24" / "issue.md"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("The cabinet in", "The new cabinet in"), encoding="utf-8")
    done = run("publish", "vol-2-24")
    assert "Vol 2.24: published anew, edition" in done.stdout
    assert len(listed(run)) == 1


def test_what_was_sent_is_in_the_archive_by_itself_and_stays(run, send):
    send("2.24")
    done = run("publish", "2.24")
    assert done.returncode == 0
    assert done.stdout == "Vol 2.24: in the archive already: it was sent\n"
    refused = run("unpublish", "2.24")
    assert refused.returncode == 2
    assert "its readers have links to it" in refused.stderr
    assert "hint: " in refused.stderr


def test_unpublish_takes_out_all_or_none(run, send):
    run("publish", "2.22", "2.23")
    send("2.24")
    assert run("unpublish", "2.22", "2.24").returncode == 2
    assert {row["issue"] for row in listed(run)} >= {"2.22", "2.23"}
    done = run("unpublish", "2.22", "2.5")
    assert done.stdout == (
        "Vol 2.22: out of the archive\nVol 2.5: was not in the archive; nothing changed\n"
    )
    assert "2.22" not in {row["issue"] for row in listed(run)}


def test_group_lists_its_commands_in_the_words_of_their_docstrings():
    for name, summary in COMMANDS.items():
        found = command.get_command(None, name)
        assert found.help.partition("\n")[0] == summary


def test_nothing_named_and_all_named_twice_are_refused(run):
    for arguments in ([], ["2.24", "--all"]):
        done = run("publish", *arguments)
        assert done.returncode == 2
        assert "say which issues, or --all" in done.stderr


def test_static_site_is_built_and_built_again(run, workspace):
    run("publish", "--all")
    done = run("site", "build", "--to", "public")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"public: 3 editions, \d+ files\n", done.stdout)
    assert (workspace / "public" / "vol-2-24" / "issue.pdf").read_bytes().startswith(b"%PDF")
    first = {p: p.read_bytes() for p in (workspace / "public").rglob("*") if p.is_file()}
    assert run("site", "build", "--to", "public").returncode == 0
    assert first == {p: p.read_bytes() for p in (workspace / "public").rglob("*") if p.is_file()}


def test_static_site_in_a_foreign_folder_is_refused(run):
    done = run("site", "build", "--to", "issues")
    assert done.returncode == 2
    assert "issues holds files that are not a site built here" in done.stderr
    assert "hint: choose another folder" in done.stderr


def test_altered_edition_is_left_out_and_said(run, workspace):
    run("publish", "2.22", "2.23")
    (row,) = [row for row in listed(run) if row["issue"] == "2.23"]
    folder = workspace / ".newsletter" / "editions" / row["edition"]
    (folder / "web.html").write_text("other", encoding="utf-8")
    done = run("site", "build", "--to", "public")
    assert done.returncode == 1
    assert "error: Vol 2.23 is left out of the archive" in done.stderr
    assert done.stdout.startswith("public: 1 edition, ")
    assert run("site", "list").returncode == 1


def test_site_of_a_new_newsletter_can_be_built(run, workspace):
    done = run("site", "build", "--to", "public")
    assert done.returncode == 0
    assert "first issue is to come" in (workspace / "public" / "index.html").read_text("utf-8")
    assert run("site", "list").stdout == ""
