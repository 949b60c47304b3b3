"""`newsletter test` and `newsletter doctor`: trying things out without the ledger."""

from __future__ import annotations

import os
import resource
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.delivery.journal import SIZE

PASSWORD = "correct-horse-battery-staple"


def configure(workspace: Path, text: str) -> None:
    """Replace the table [transport] of newsletter.toml by *text*."""
    file = workspace / "newsletter.toml"
    before, _, after = file.read_text(encoding="utf-8").partition("[transport]\n")
    file.write_text(f"{before}{text}\n{after.partition(chr(10))[2]}", encoding="utf-8")


def trials_in_outbox(workspace: Path) -> list[EmailMessage]:
    files = sorted((workspace / "outbox/test/new").glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]  # type: ignore[misc]


def line_of(output: str, name: str) -> str:
    return next(line for line in output.splitlines() if line.split()[1:2] == [name])


# ── test ────────────────────────────────────────────────────────────────────


def test_a_test_goes_to_anyone_says_so_in_the_subject_and_is_counted_nowhere(run, workspace):
    edition = run("render", "2.24", "--to", "out").stderr.split("edition ")[1][:4]
    result = run("test", "2.24", "ada@example.org", "bob@example.com")
    assert result.returncode == 0, result.stderr
    assert "ada@example.org  accepted" in result.stdout
    assert "bob@example.com  accepted" in result.stdout
    sent = trials_in_outbox(workspace)
    assert {message["To"].addresses[0].addr_spec for message in sent} == {
        "ada@example.org",
        "bob@example.com",
    }
    assert all(message["Subject"].startswith(f"[TEST {edition}] Pacific") for message in sent)
    assert "nothing was sent yet" in run("status").stdout


def test_links_of_a_test_are_samples_that_unsubscribe_nobody(run, workspace):
    run("subscribers", "add", "ada@example.org", "--consent", "asked by phone")
    run("test", "2.24", "ada@example.org")
    (message,) = trials_in_outbox(workspace)
    assert message["List-Unsubscribe"].startswith("<https://digest.example.org/unsubscribe/sample>")
    body = message.get_body(("html",))
    assert body is not None
    assert "/unsubscribe/sample" in body.get_content()


def test_a_second_test_is_a_message_of_its_own(run, workspace):
    run("test", "2.24", "ada@example.org")
    run("test", "2.24", "ada@example.org")
    first, second = trials_in_outbox(workspace)
    assert first["Message-ID"] != second["Message-ID"]


def test_what_is_no_address_is_refused_before_anything_is_sent(run, workspace):
    result = run("test", "2.24", "ada@example.org", "bob at example.org")
    assert result.returncode == 2
    assert "“bob at example.org” is no address" in result.stderr
    assert not (workspace / "outbox").exists()


# ── doctor ──────────────────────────────────────────────────────────────────


def test_doctor_is_content_with_a_new_workspace(run):
    result = run("doctor")
    assert result.returncode == 0, result.stderr
    assert all(line.startswith("ok  ") for line in result.stdout.splitlines())
    assert len(result.stdout.splitlines()) == 10


def test_doctor_opens_the_bounce_mailbox_where_there_is_one(run, workspace):
    path = workspace / "newsletter.toml"
    path.write_text(path.read_text("utf-8") + '\n[feedback]\nmailbox = "maildir"\n', "utf-8")
    missing = run("doctor")
    assert missing.returncode == 2
    assert "FAILED  feedback" in missing.stdout
    for name in ("cur", "new", "tmp"):
        (workspace / "bounces" / name).mkdir(parents=True)
    assert "bounces are read from" in run("doctor").stdout


def test_doctor_names_every_failure_and_goes_on_after_it(run, workspace):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    configure(
        workspace,
        f'[transport]\nkind = "smtp"\n[smtp]\nhost = "127.0.0.1"\nport = {port}\n'
        'security = "none"\n[dkim]\ndomain = "news.example.org"\n',
    )
    (workspace / "templates/web/issue.html.j2").unlink(missing_ok=True)
    result = run("doctor")
    assert result.returncode == 2
    failed = {line.split()[1] for line in result.stdout.splitlines() if line.startswith("FAILED")}
    assert failed == {"templates", "DKIM", "transport"}
    assert result.stdout.count("hint: ") >= 2
    assert "3 checks failed" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("table", "variable"),
    [
        (
            '[transport]\nkind = "smtp"\n[smtp]\nhost = "127.0.0.1"\nusername = "digest"\n',
            "NEWSLETTER_SMTP_PASSWORD",
        ),
        ('[transport]\nkind = "sendgrid"\n', "NEWSLETTER_SENDGRID_KEY"),
    ],
)
def test_doctor_misses_a_secret_and_never_shows_one(run, workspace, table, variable):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = (
        f"port = {port}\n" if "smtp" in table else f'[sendgrid]\nurl = "http://127.0.0.1:{port}"\n'
    )
    configure(workspace, table + place)
    missing = run("doctor")
    assert missing.returncode == 2
    assert variable in missing.stdout
    there = run("doctor", env={**os.environ, variable: PASSWORD})
    assert line_of(there.stdout, "transport").startswith("FAILED")  # nobody listens there
    assert variable not in there.stdout
    assert PASSWORD not in there.stdout + there.stderr


def test_doctor_says_when_there_is_no_room_for_a_journal(run):
    limit = (SIZE - 1, resource.RLIM_INFINITY)

    def without_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    result = run("doctor", preexec_fn=without_room)
    assert result.returncode == 2
    assert line_of(result.stdout, "database").startswith("ok")
    assert line_of(result.stdout, "folder").startswith("FAILED")


def test_doctor_says_when_the_database_cannot_be_reached(run):
    url = "postgresql://nobody@127.0.0.1:1/none"
    result = run("doctor", env={**os.environ, "NEWSLETTER_DATABASE_URL": url})
    assert result.returncode == 2
    assert line_of(result.stdout, "database").startswith("FAILED")
    assert line_of(result.stdout, "templates").startswith("ok")
    assert "Traceback" not in result.stderr
