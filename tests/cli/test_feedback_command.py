"""`newsletter feedback`: the mailbox and files, as an operator sees them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from people_on_the_list import Add

ENDLESS = 60.0


def report(status: str, email: str, message_id: str) -> bytes:
    return f"""\
From: MAILER-DAEMON@mx.example.test
Subject: Undelivered Mail
Message-ID: <{email}.{status}@mx.example.test>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: message/delivery-status

Final-Recipient: rfc822; {email}
Action: failed
Status: {status}

--B
Content-Type: text/rfc822-headers

Message-ID: {message_id}
--B--
""".encode()


@pytest.fixture
def folder(workspace: Path) -> Path:
    """A Maildir that the configuration names."""
    for part in ("new", "cur", "tmp"):
        (workspace / "bounces" / part).mkdir(parents=True)
    with (workspace / "newsletter.toml").open("a", encoding="utf-8") as file:
        file.write('\n[feedback]\nmailbox = "maildir"\n')
    return workspace / "bounces"


def deliver(folder: Path, *messages: bytes) -> None:
    for message in messages:
        number = len(list(folder.rglob("*")))
        (folder / "new" / f"{number:05}.host").write_bytes(message)


def sent(workspace: Path):
    """What left, by address."""
    files = (workspace / "outbox/vol-2-24/new").glob("*")
    messages = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return {str(message["To"].addresses[0].addr_spec): message for message in messages}


def mail_of(link: str) -> bytes:
    """The message that a mail program writes for a mailto link."""
    parts = urlsplit(link)
    subject = parse_qs(parts.query)["subject"][0]
    return f"From: me@example.net\nTo: {parts.path}\nSubject: {subject}\n\n".encode()


def test_what_came_back_of_a_campaign_is_recorded_and_shown(run, workspace, folder, add: Add):
    add("ada", "bob", "eve")
    assert run("send", "2.24", "--yes").returncode == 0
    messages = sent(workspace)
    bounced = str(messages["ada@example.org"]["Message-ID"])
    mailto = str(messages["bob@example.org"]["List-Unsubscribe"]).split("<")[-1].rstrip(">")
    deliver(
        folder,
        report("5.1.1", "somewhere-else@example.net", bounced),
        mail_of(mailto),
        b"From: eve@example.org\nSubject: Thank you\n\nLovely.\n",
    )
    done = run("feedback")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "3 messages: 2 new events, 0 known\n"
        "  1 bounced\n"
        "  1 unsubscribed\n"
        "2 people will not be mailed any more\n"
        "1 letter for a person to read: flagged, left there\n"
    )
    counted = json.loads(run("subscribers", "stats", "--json").stdout)
    assert counted["suppressed"]["bounced"] == counted["suppressed"]["unsubscribed"] == 1
    assert run("feedback").stdout == "nothing new in the mailbox\n"
    assert json.loads(run("feedback", "--json").stdout)["messages"] == 0


def test_dry_run_shows_what_each_message_says_and_changes_nothing(run, folder):
    deliver(folder, report("4.2.2", "ada@example.org", "<x@y>"), b"Subject: Hello\n\n")
    before = sorted(folder.rglob("*"))
    shown = run("feedback", "--dry-run").stdout.splitlines()
    assert shown[0].endswith(": bounced for now ada@example.org  4.2.2")
    assert shown[1].endswith(": no event")
    assert sorted(folder.rglob("*")) == before
    records = json.loads(run("feedback", "--dry-run", "--json").stdout)
    assert records[0]["events"][0]["email"] == "ada@example.org"
    assert records[1]["events"] == []


def test_files_are_read_recorded_once_and_stay(run, workspace, add: Add):
    add("ada")
    file = workspace / "one.eml"
    file.write_bytes(report("5.1.1", "ada@example.org", "<x@y>"))
    assert "bounced for good ada@example.org" in run("feedback", "--dry-run", str(file)).stdout
    first = json.loads(run("feedback", "--json", str(file)).stdout)
    assert (first["new"], first["suppressed"], first["kinds"]) == (1, 1, {"bounced": 1})
    second = json.loads(run("feedback", "--json", str(file)).stdout)
    assert (second["new"], second["known"], second["suppressed"]) == (0, 1, 0)
    assert file.exists()


def test_without_a_mailbox_the_command_says_how_to_set_one_up(run):
    done = run("feedback")
    assert done.returncode == 2
    assert "no mailbox is configured" in done.stderr
    assert "feedback.mailbox" in done.stderr


def test_file_that_is_not_there_is_a_usage_error(run):
    done = run("feedback", "nowhere.eml")
    assert done.returncode == 2
    assert "nowhere.eml" in done.stderr


def test_killed_at_any_moment_and_started_again_it_records_everything_once(
    run, workspace, folder, add: Add
):
    """SIGKILL in the middle of looks: 200 bounces of 20 people end as 200 events."""
    people = [f"p{number}" for number in range(20)]
    add(*people)
    messages = [
        report("4.2.2", f"{name}@example.org", f"<{number}@y>").replace(
            b"Message-ID: <", f"Message-ID: <{number}.".encode(), 1
        )
        for number in range(10)
        for name in people
    ]
    deliver(folder, *messages)
    chance, deadline = random.Random(7), time.monotonic() + ENDLESS
    kills = 0
    while any((folder / "new").iterdir()) and kills < 6 and time.monotonic() < deadline:
        look = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "feedback"],
            cwd=workspace,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Wait until it is at work, then a little longer.
        waiting = len(list((folder / "new").iterdir()))
        while len(list((folder / "new").iterdir())) == waiting and look.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        look.send_signal(signal.SIGKILL)
        look.wait(timeout=ENDLESS)
        kills += 1
    assert kills > 1
    assert run("feedback").returncode == 0
    everything = json.loads(run("feedback", "--json", *map(str, folder.rglob("*.host*"))).stdout)
    assert (everything["new"], everything["known"]) == (0, 200)
    counted = json.loads(run("subscribers", "stats", "--json").stdout)
    assert counted["suppressed"]["bounced"] == 20
