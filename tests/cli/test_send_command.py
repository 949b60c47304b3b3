"""`newsletter send` as people meet it: one message each, whatever is typed how often."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from people_on_the_list import Add

Change = Callable[[], None]


def messages(workspace: Path, issue: str = "vol-2-24") -> list[str]:
    """The addressees in the outbox, in order; one entry for each file."""
    files = (workspace / "outbox" / issue / "new").glob("*.eml")
    parsed = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return sorted(str(message["To"].addresses[0].addr_spec) for message in parsed)


@pytest.fixture
def change_issue(workspace: Path) -> Change:
    file = workspace / "issues/vol-2-24/issue.md"

    def change() -> None:
        file.write_text(file.read_text(encoding="utf-8").replace("The cabinet", "The new cabinet"))

    return change


def test_send_writes_one_message_per_subscriber_and_again_nothing(run, workspace):
    run("subscribers", "import", "--consent", "example people, made up")
    first = run("send", "2.24", "--yes")
    assert first.returncode == 0, first.stderr
    assert "Vol 2.24: 200 of 200 messages accepted" in first.stdout
    assert len(set(messages(workspace))) == len(messages(workspace)) == 200
    before = {path: path.stat().st_mtime_ns for path in workspace.glob("outbox/*/new/*")}
    again = run("send", "2.24", "--yes")
    assert again.returncode == 0, again.stderr
    assert re.search(r"Vol 2.24 was sent: completed at .* 200 of 200 messages", again.stdout)
    assert {path: path.stat().st_mtime_ns for path in workspace.glob("outbox/*/new/*")} == before


def test_what_is_about_to_happen_is_shown_and_a_dry_run_ends_there(run, workspace, add: Add):
    add("ada", "bob", "eve")
    with (workspace / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write("[rates]\nper_second = 1\n")
    result = run("send", "2.24", "--dry-run")
    assert result.returncode == 0, result.stderr
    for line in (
        r"subject     Pacific Alliance Digest Vol 2\.24.*",
        r"edition     Vol 2\.24, [0-9a-f]{16}",
        r"audience    3 subscribers",
        r"transport   outbox, files in outbox/; nothing leaves this machine",
        r"per second  1",
        r"expected    3 seconds at these rates.*",
    ):
        assert re.search(rf"(?m)^{line}$", result.stdout), line
    assert "a dry run: nothing was frozen, nothing was sent" in result.stdout
    assert not (workspace / "outbox").exists()
    assert "nothing was sent yet" in run("status").stdout


def test_send_without_yes_and_without_an_answer_freezes_and_sends_nothing(run, workspace, add: Add):
    add("ada")
    result = run("send", "2.24", stdin=None, input="")
    assert result.returncode == 130
    assert "audience    1 subscriber" in result.stdout
    assert not (workspace / "outbox").exists()
    assert "nothing was sent yet" in run("status").stdout


def test_send_to_a_list_that_is_not_imported_yet_says_how_and_sends_nothing(run, workspace):
    result = run("send", "2.24", "--yes")
    assert result.returncode == 2
    assert "newsletter subscribers import --consent" in result.stderr
    (workspace / "subscribers/example.csv").unlink()
    assert "import FILE.csv" in run("send", "2.24", "--yes").stderr
    assert not (workspace / "outbox").exists()


def test_send_leaves_out_who_left_and_is_narrowed_by_a_tag(run, workspace, add: Add):
    add("ada", "bob", "eve", tag="press")
    add("ken")
    run("subscribers", "remove", "ada@example.org")
    run("subscribers", "suppress", "bob@example.org")
    result = run("send", "2.24", "--tag", "press", "--yes")
    assert "Vol 2.24 to “press”: 1 of 1 message accepted" in result.stdout, result.stderr
    assert messages(workspace) == ["eve@example.org"]
    unknown = run("send", "2.24", "--tag", "prss", "--yes")
    assert unknown.returncode == 2
    assert "nobody with the tag “prss”" in unknown.stderr


def test_nobody_gets_an_issue_twice_by_two_audiences(run, workspace, add: Add):
    add("ada", tag="press")
    add("ken")
    run("send", "2.24", "--tag", "press", "--yes")
    everyone = run("send", "2.24", "--yes")
    assert "Vol 2.24: 1 of 1 message accepted" in everyone.stdout, everyone.stderr
    assert messages(workspace) == ["ada@example.org", "ken@example.org"]
    run("subscribers", "tag", "ken@example.org", "+late")
    late = run("send", "2.24", "--tag", "late", "--yes")
    assert late.returncode == 2
    assert "everybody who may be mailed has a delivery of Vol 2.24 already" in late.stderr


def test_a_full_window_ends_it_and_the_same_command_goes_on(run, workspace, add: Add, per_day):
    add("ada", "bob", "eve")
    per_day(2)
    first = run("send", "2.24", "--yes", "--patience", "0")
    assert first.returncode == 0, first.stderr
    assert "2 of 3 messages accepted, 1 pending" in first.stdout
    assert "no more can go out before" in first.stdout
    assert len(messages(workspace)) == 2
    per_day(None)
    second = run("send", "2.24", "--yes")
    assert "3 of 3 messages accepted" in second.stdout, second.stderr
    assert messages(workspace) == ["ada@example.org", "bob@example.org", "eve@example.org"]


def test_an_issue_that_was_changed_since_it_was_frozen_is_not_sent(
    run, workspace, add: Add, per_day, change_issue: Change
):
    add("ada", "bob")
    per_day(1)
    run("send", "2.24", "--yes", "--patience", "0")
    per_day(None)
    change_issue()
    refused = run("send", "2.24", "--yes")
    assert refused.returncode == 2
    assert "was changed since Vol 2.24 was frozen" in refused.stderr
    assert "newsletter resume 2.24 goes on with the frozen edition" in refused.stderr
    assert len(messages(workspace)) == 1
    resumed = run("resume", "2.24")
    assert "2 of 2 messages accepted" in resumed.stdout, resumed.stderr
    texts = [path.read_text() for path in workspace.glob("outbox/*/new/*.eml")]
    assert len(texts) == 2
    assert not any("new cabinet" in text for text in texts)


def test_after_a_cancel_the_changed_issue_goes_to_those_who_have_not_got_it(
    run, workspace, add: Add, per_day, change_issue: Change
):
    add("ada", "bob")
    per_day(1)
    run("send", "2.24", "--yes", "--patience", "0")
    per_day(None)
    change_issue()
    cancelled = run("cancel", "2.24", "--yes", "--reason", "a wrong figure")
    assert "Vol 2.24 is cancelled" in cancelled.stdout, cancelled.stderr
    anew = run("send", "2.24", "--yes")
    assert "1 of 1 message accepted" in anew.stdout, anew.stderr
    assert messages(workspace) == ["ada@example.org", "bob@example.org"]
    texts = [path.read_text() for path in workspace.glob("outbox/*/new/*.eml")]
    assert sum("new cabinet" in text for text in texts) == 1


def test_an_issue_with_errors_is_not_frozen(run, workspace, add: Add):
    add("ada")
    file = workspace / "issues/vol-2-24/issue.md"
    file.write_text(file.read_text(encoding="utf-8").replace("date:", "dat:"))
    result = run("send", "2.24", "--yes")
    assert result.returncode == 1
    assert "error NL008" in result.stderr
    assert "nothing was sent yet" in run("status").stdout


def test_a_missing_secret_is_found_before_anything_is_frozen(run, workspace, add: Add):
    add("ada")
    file = workspace / "newsletter.toml"
    text = file.read_text(encoding="utf-8").replace('kind = "outbox"', 'kind = "sendgrid"')
    file.write_text(text, encoding="utf-8")
    for arguments in (("--dry-run",), ("--yes",)):
        result = run("send", "2.24", *arguments)
        assert result.returncode == 2
        assert "NEWSLETTER_SENDGRID_KEY" in result.stderr
    assert "nothing was sent yet" in run("status").stdout
