"""Pause, resume, cancel, status, reconcile, resend: a campaign in the hands of an operator."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from people_on_the_list import Add, PerDay

from newsletter.store.engine import open_url
from newsletter.store.tables import audit, campaign, delivery, subscriber

Mark = Callable[..., None]


def database(workspace: Path) -> str:
    return f"sqlite:///{workspace}/.newsletter/newsletter.db"


@pytest.fixture
def mark(workspace: Path) -> Mark:
    """Write an outcome into the ledger, as a sender that met a bad server would have."""

    def call(email: str, status: str, reply: str = "") -> None:
        person = sa.select(subscriber.c.id).where(subscriber.c.email == email)
        with open_url(database(workspace)) as store, store.begin() as conn:
            conn.execute(
                sa.update(delivery)
                .where(delivery.c.subscriber_id == person.scalar_subquery())
                .values(status=status, reply=reply)
            )

    return call


def audited(workspace: Path) -> list[str]:
    with open_url(database(workspace)) as store, store.read() as conn:
        query = sa.select(audit.c.action, audit.c.detail).order_by(audit.c.id)
        return [f"{row.action} {row.detail}" for row in conn.execute(query)]


@pytest.fixture
def half_sent(run, add: Add, per_day: PerDay) -> None:
    """A campaign to three of which one has left; the rates allow no more today."""
    add("ada", "bob", "eve")
    per_day(1)
    done = run("send", "2.24", "--yes", "--patience", "0")
    assert "1 of 3 messages accepted, 2 pending" in done.stdout, done.stderr


# ── pause, resume, cancel ───────────────────────────────────────────────────


@pytest.mark.usefixtures("half_sent")
def test_a_paused_campaign_is_not_sent_until_it_is_resumed(run, workspace, per_day):
    per_day(None)
    paused = run("pause", "2.24", "--reason", "a typo")
    assert "Vol 2.24 is paused" in paused.stdout, paused.stderr
    refused = run("send", "2.24", "--yes")
    assert refused.returncode == 2
    assert "Vol 2.24 is paused: a typo" in refused.stderr
    assert "newsletter resume 2.24" in refused.stderr
    resumed = run("resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "3 of 3 messages accepted" in resumed.stdout
    assert any(line.startswith("campaign.pause") for line in audited(workspace))
    assert any(line.startswith("campaign.resume") for line in audited(workspace))


@pytest.mark.usefixtures("half_sent")
def test_pausing_twice_changes_nothing_and_says_so(run):
    run("pause", "--reason", "a typo")
    again = run("pause", "--reason", "another")
    assert again.stdout == "Vol 2.24 is paused already; nothing changed\n", again.stderr
    assert json.loads(run("status", "--json").stdout)[0]["reason"] == "a typo"


@pytest.mark.usefixtures("half_sent")
def test_cancel_asks_first_and_says_what_will_not_be_sent(run):
    asked = run("cancel", "2.24", input="n\n", stdin=None)
    assert asked.returncode == 130
    assert "2 messages will not be sent; 1 went out" in asked.stdout
    assert json.loads(run("status", "2.24", "--json").stdout)[0]["state"] == "sending"
    assert run("cancel", "2.24", "--yes", "--reason", "a wrong figure").returncode == 0
    (record,) = json.loads(run("status", "2.24", "--json").stdout)
    assert (record["state"], record["reason"]) == ("cancelled", "a wrong figure")
    assert "is cancelled; nothing changed" in run("cancel", "2.24", "--yes").stdout
    resumed = run("resume", "2.24")
    assert resumed.returncode == 2
    assert "is cancelled" in resumed.stderr


def test_commands_about_a_campaign_say_when_there_is_none(run):
    for name in ("pause", "resume", "cancel", "reconcile"):
        result = run(name, "2.24")
        assert result.returncode == 2, name
        assert "Vol 2.24 was not sent yet" in result.stderr, name
    assert run("status").stdout == "nothing was sent yet; newsletter send sends an issue\n"
    assert "“last week” is no issue" in run("status", "last week").stderr


@pytest.mark.usefixtures("half_sent")
def test_a_campaign_to_a_tag_is_named_by_its_tag(run):
    other = run("status", "2.24", "--tag", "press")
    assert other.returncode == 2
    assert "there is no such campaign; there is Vol 2.24" in other.stderr


# ── status ──────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("half_sent")
def test_status_tells_counts_rates_and_what_to_do(run):
    text = run("status", "2.24").stdout
    for line in (
        r"Vol 2\.24, “Pacific Alliance Digest.*”",
        r"  state       stopped: no sender is at work",
        r"  accepted    1 of 3 \(33 %\)",
        r"  failed      0",
        r"  uncertain   0",
        r"  pending     2",
        r"  transport   outbox, files in outbox/.*",
        r"  rates       per day: 1 of 1, until .* UTC",
        r"  next: newsletter send 2\.24 goes on with it",
    ):
        assert re.search(rf"(?m)^{line}$", text), (line, text)


@pytest.mark.usefixtures("half_sent")
def test_json_has_the_keys_that_are_documented_and_they_add_up(run):
    (record,) = json.loads(run("status", "--json").stdout)
    page = Path(__file__).parents[2] / "docs/how-to/send.md"
    table = page.read_text(encoding="utf-8").partition("Keys are only ever added")[2]
    rows = re.findall(r"(?m)^\|(.*)\|$", table)
    documented = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert set(record) <= documented
    parts = ("accepted", "failed", "suppressed", "uncertain", "pending")
    assert record["intended"] == sum(record[part] for part in parts) == 3
    assert (record["issue"], record["tag"], record["sender_at_work"]) == ("2.24", None, False)


@pytest.mark.usefixtures("half_sent")
def test_without_an_issue_the_newest_campaigns_are_listed(run, per_day):
    per_day(None)
    run("send", "2.23", "--yes")
    lines = run("status").stdout.splitlines()
    assert lines[0].split() == "issue audience accepted failed uncertain pending state".split()
    assert [line.split("  ")[0] for line in lines[1:]] == ["Vol 2.23", "Vol 2.24"]
    assert "completed" in lines[1]
    assert "stopped: no sender is at work" in lines[2]


@pytest.mark.usefixtures("half_sent")
def test_watch_in_a_pipe_prints_a_line_per_change_and_ends_with_the_campaign(
    run, workspace, per_day
):
    per_day(None)
    command = [sys.executable, "-m", "newsletter", "status", "2.24", "--watch"]
    with subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first = watching.stdout.readline()
        assert "stopped: no sender is at work  1 accepted" in first
        run("resume", "2.24")
        rest, _ = watching.communicate(timeout=20)
    last = rest.splitlines()[-1]
    assert re.search(r"completed at .*  3 accepted, 0 failed, 0 uncertain, 0 pending", last)
    assert len(rest.splitlines()) < 6
    assert watching.returncode == 0


@pytest.mark.usefixtures("half_sent")
def test_ctrl_c_ends_the_watching_and_leaves_the_campaign_alone(run, workspace):
    command = [sys.executable, "-m", "newsletter", "status", "--watch"]
    with subprocess.Popen(
        command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert "this only watched" in said
    assert json.loads(run("status", "--json").stdout)[0]["state"] == "sending"


# ── reconcile, resend ───────────────────────────────────────────────────────


@pytest.fixture
def three_sent(run, add: Add) -> None:
    add("ada", "bob", "eve")
    assert run("send", "2.24", "--yes").returncode == 0


@pytest.mark.usefixtures("three_sent")
def test_uncertain_ones_are_listed_and_settled_by_decision_with_a_reason(run, workspace, mark):
    mark("ada@example.org", "uncertain", "the connection was lost")
    mark("bob@example.org", "uncertain", "the connection was lost")
    listed = run("reconcile", "2.24")
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"UTC  ada@example.org  the connection was lost", listed.stdout)
    assert "2 uncertain" in listed.stderr
    nameless = run("reconcile", "2.24", "--all-accepted", "--yes")
    assert nameless.returncode == 2
    assert "a decision needs a reason" in nameless.stderr
    why = ("--reason", "stands in the log", "--yes")
    settled = run("reconcile", "2.24", "--accepted", "ada@example.org", *why)
    assert "1 recorded as accepted" in settled.stdout, settled.stderr
    assert run("reconcile", "2.24", "--all-failed", *why).returncode == 0
    (record,) = json.loads(run("status", "--json").stdout)
    assert (record["accepted"], record["failed"], record["uncertain"]) == (2, 1, 0)
    assert sum("stands in the log" in line for line in audited(workspace)) >= 2


@pytest.mark.usefixtures("three_sent")
def test_only_what_is_uncertain_can_be_settled(run, mark):
    mark("ada@example.org", "uncertain")
    result = run("reconcile", "--failed", "bob@example.org", "--reason", "he said so", "--yes")
    assert result.returncode == 2
    assert "nothing is uncertain about “bob@example.org”" in result.stderr
    both = run("reconcile", "--all-failed", "--from-events", "--reason", "x", "--yes")
    assert both.returncode == 2
    assert json.loads(run("status", "--json").stdout)[0]["uncertain"] == 1


@pytest.mark.usefixtures("three_sent")
def test_resend_sends_what_failed_and_never_what_is_uncertain(run, workspace, mark):
    mark("ada@example.org", "failed", "550 5.1.1 No such mailbox")
    mark("bob@example.org", "uncertain")
    for file in (workspace / "outbox/vol-2-24/new").iterdir():
        file.unlink()
    vague = run("resend", "2.24", "--yes")
    assert vague.returncode == 2
    assert "resend --undelivered" in vague.stderr
    result = run("resend", "2.24", "--undelivered", "--yes")
    assert result.returncode == 0, result.stderr
    assert "Vol 2.24: 1 message failed" in result.stdout
    assert "1  550 5.1.1 No such mailbox" in result.stdout
    (file,) = (workspace / "outbox/vol-2-24/new").iterdir()
    assert file.name.startswith("ada@example.org")
    (record,) = json.loads(run("status", "--json").stdout)
    assert (record["accepted"], record["failed"], record["uncertain"]) == (2, 0, 1)
    assert "nothing failed" in run("resend", "2.24", "--undelivered", "--yes").stdout


@pytest.mark.usefixtures("half_sent")
def test_a_lost_journal_is_given_up_only_when_a_person_says_so(run, workspace, mark, per_day):
    per_day(None)
    with open_url(database(workspace)) as store, store.begin() as conn:
        conn.execute(sa.update(campaign).values(journal="0" * 32))
        one = sa.select(sa.func.min(delivery.c.subscriber_id)).where(delivery.c.status == "pending")
        conn.execute(
            sa.update(delivery)
            .where(delivery.c.subscriber_id == one.scalar_subquery())
            .values(status="sending")
        )
    refused = run("send", "2.24", "--yes")
    assert refused.returncode == 2
    assert "journal" in refused.stderr
    given_up = run("reconcile", "2.24", "--journal-lost", "--yes")
    assert "1 became uncertain" in given_up.stdout, given_up.stderr
    sent = run("send", "2.24", "--yes")
    assert "2 of 3 messages accepted, 1 uncertain" in sent.stdout, sent.stderr


# ── interruption, two terminals ─────────────────────────────────────────────


def test_two_sends_at_once_mail_everybody_once(run, workspace):
    run("subscribers", "import", "--consent", "example people, made up")
    command = [sys.executable, "-m", "newsletter", "send", "2.24", "--yes"]
    both = [
        subprocess.Popen(
            command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = ["".join(process.communicate(timeout=60)) for process in both]
    assert {process.returncode for process in both} <= {0, 2}
    assert all("Traceback" not in text for text in said)
    assert any(
        "200 of 200 messages accepted" in text for text in (*said, run("send", "2.24").stdout)
    )
    assert len(list((workspace / "outbox/vol-2-24/new").iterdir())) == 200


def test_ctrl_c_stops_in_order_and_the_same_command_goes_on(run, workspace, add: Add):
    add("ada", "bob", "eve")
    with (workspace / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write("\n[rates]\nper_second = 1\n")
    command = [sys.executable, "-m", "newsletter", "send", "2.24", "--yes"]
    with subprocess.Popen(
        command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sending:
        folder = workspace / "outbox/vol-2-24/new"
        deadline = time.monotonic() + 30
        while not (folder.is_dir() and any(folder.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.05)
        sending.send_signal(signal.SIGINT)
        told, said = sending.communicate(timeout=20)
    assert sending.returncode == 130, said
    assert re.search(r"of 3 messages accepted, [12] pending", told)
    assert "Traceback" not in said
    again = run("send", "2.24", "--yes")
    assert "3 of 3 messages accepted" in again.stdout, again.stderr
