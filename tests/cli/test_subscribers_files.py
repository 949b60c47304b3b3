"""`newsletter subscribers import` and `export`: files in, files out, and being interrupted."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

CONSENT = ("--consent", "asked at the harbor festival, on a paper list")


def counted(run) -> dict[str, int]:
    return json.loads(run("subscribers", "stats", "--json").stdout)["status"]


def rows_in(database: Path) -> int:
    """Subscribers that are committed; 0 while there is no table."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM subscriber").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


# ── the folder ──────────────────────────────────────────────────────────────


def test_import_without_a_file_takes_what_is_new_in_the_folder(run, workspace):
    first = run("subscribers", "import", *CONSENT)
    assert first.returncode == 0, first.stderr
    assert "subscribers/example.csv (CSV): 200 rows read" in first.stdout
    again = run("subscribers", "import", *CONSENT)
    assert (again.returncode, again.stdout) == (
        0,
        "nothing new in subscribers: 1 file imported before\n",
    )
    (workspace / "subscribers/example.csv").rename(workspace / "subscribers/renamed.csv")
    (workspace / "subscribers/more.csv").write_text("email,name\nzoe@example.com,Zoe\n")
    more = run("subscribers", "import", *CONSENT)
    assert more.stdout.startswith("subscribers/more.csv (CSV): 1 row read")
    assert "renamed" not in more.stdout
    assert counted(run)["active"] == 201


def test_import_without_a_file_from_an_empty_folder_says_what_to_do(run, workspace):
    (workspace / "subscribers/example.csv").unlink()
    result = run("subscribers", "import", *CONSENT)
    assert result.returncode == 2
    assert "import FILE" in result.stderr


def test_import_without_a_consent_is_refused_and_takes_nobody(run):
    result = run("subscribers", "import")
    assert result.returncode == 2
    assert "--consent" in result.stderr
    assert sum(counted(run).values()) == 0


def test_dry_run_counts_and_writes_nothing(run, workspace):
    result = run("subscribers", "import", *CONSENT, "--dry-run")
    assert "nothing was written" in result.stdout
    assert "added              200" in result.stdout
    assert sum(counted(run).values()) == 0
    assert "added              200" in run("subscribers", "import", *CONSENT).stdout


# ── rows ────────────────────────────────────────────────────────────────────


def test_bad_rows_are_named_and_can_be_mended_and_imported(run, workspace):
    file = workspace / "list.csv"
    file.write_text("email,name\nno-address,Ann\nbob@example.org,Bob\nc@example.org,\u202eeve\n")
    result = run("subscribers", "import", "list.csv", *CONSENT)
    assert result.returncode == 1
    assert "list.csv: line 2, email: " in result.stderr
    assert "list.csv: line 4, name: " in result.stderr
    assert "list.rejects.csv" in result.stderr
    rejects = workspace / "list.rejects.csv"
    mended = rejects.read_text(encoding="utf-8").replace("no-address", "ann@example.org")
    rejects.write_text(mended.replace("\u202eeve", "Eve"), encoding="utf-8")
    second = run("subscribers", "import", "list.rejects.csv", *CONSENT)
    assert second.returncode == 0, second.stderr
    assert counted(run)["active"] == 3


def test_rejects_in_the_folder_wait_until_they_are_named(run, workspace):
    (workspace / "subscribers/example.csv").write_text("email\nno-address\na@example.org\n")
    assert run("subscribers", "import", *CONSENT).returncode == 1
    assert (workspace / "subscribers/example.rejects.csv").exists()
    again = run("subscribers", "import", *CONSENT)
    assert "nothing new" in again.stdout


def test_columns_can_be_mapped_and_everyone_tagged(run, workspace):
    (workspace / "liste.csv").write_text(
        "E-Post;Vorname;Nachname\nk@example.org;Kai;Mühl\n", "utf-8"
    )
    mapping = "E-Post=email,Vorname=first_name,Nachname=last_name"
    run("subscribers", "import", "liste.csv", "--map", mapping, "--tag", "harbor", *CONSENT)
    found = json.loads(run("subscribers", "list", "--tag", "harbor", "--json").stdout)
    assert [(p["email"], p["name"]) for p in found] == [("k@example.org", "Kai Mühl")]


def test_mapping_to_an_unknown_field_lists_the_known_ones(run, workspace):
    (workspace / "list.csv").write_text("Mail\nk@example.org\n")
    result = run("subscribers", "import", "list.csv", "--map", "Mail=adress", *CONSENT)
    assert result.returncode == 2
    assert "first_name" in result.stderr


def test_refused_file_stops_no_other(run, workspace):
    (workspace / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 100)
    (workspace / "good.csv").write_text("email\nada@example.org\n")
    result = run("subscribers", "import", "picture.csv", "gone.csv", "good.csv", *CONSENT)
    assert result.returncode == 2
    assert "picture.csv" in result.stderr
    assert "there is no file gone.csv" in result.stderr
    assert "Traceback" not in result.stderr
    assert counted(run)["active"] == 1


def test_everyone_in_a_file_can_be_suppressed_and_is_not_brought_back(run, workspace):
    (workspace / "left.csv").write_text("email\nann@example.org\n")
    suppressed = run("subscribers", "import", "left.csv", "--suppress", "unsubscribed")
    assert suppressed.returncode == 0, suppressed.stderr
    (workspace / "list.csv").write_text("email\nANN@example.org\nbob@example.org\n")
    result = run("subscribers", "import", "list.csv", *CONSENT)
    assert "left alone" in result.stdout
    assert json.loads(run("subscribers", "stats", "--json").stdout)["eligible"] == 1


# ── export ──────────────────────────────────────────────────────────────────


def test_exported_list_imported_into_an_empty_store_is_the_same_list(run, workspace):
    run("subscribers", "import", *CONSENT)
    run("subscribers", "tag", "ada.jansen@example.org", "+press", "+=formula")
    run("subscribers", "remove", "ada.carvalho@example.org")
    run("subscribers", "suppress", "stranger@example.org", "--reason", "complained")
    first = run("subscribers", "export", "--to", "all.csv")
    assert first.returncode == 0, first.stderr
    assert first.stderr == "201 rows written to all.csv\n"
    (workspace / ".newsletter/newsletter.db").rename(workspace / "old.db")
    back = run("subscribers", "import", "all.csv")
    assert back.returncode == 0, back.stderr
    assert run("subscribers", "export", "--to", "again.csv").returncode == 0

    def rows(name):
        with (workspace / name).open(encoding="utf-8", newline="") as file:
            return sorted(
                (row["email"], row["name"], row["status"], row["tags"])
                for row in csv.DictReader(file)
            )

    assert rows("again.csv") == rows("all.csv")
    assert json.loads(run("subscribers", "stats", "--json").stdout)["eligible"] == 199


def test_export_goes_to_stdout_as_utf_8_and_the_count_to_stderr(run):
    run("subscribers", "add", "ken@example.org", "--name", "佐藤 健", *CONSENT)
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = run("subscribers", "export", env=env, encoding="utf-8")
    header, row = result.stdout.splitlines()
    assert header.startswith("email,name,")
    assert "佐藤 健" in row
    assert result.stderr == "1 row\n"
    line = run("subscribers", "export", "--format", "jsonl").stdout
    assert json.loads(line)["consents"][0]["wording"] == CONSENT[1]


def test_export_never_overwrites_unless_told_to(run, workspace):
    run("subscribers", "add", "ken@example.org", *CONSENT)
    (workspace / "mine.csv").write_text("my notes")
    refused = run("subscribers", "export", "--to", "mine.csv")
    assert refused.returncode == 2
    assert "mine.csv exists already" in refused.stderr
    assert (workspace / "mine.csv").read_text() == "my notes"
    assert run("subscribers", "export", "--to", "mine.csv", "--force").returncode == 0
    assert "ken@example.org" in (workspace / "mine.csv").read_text()
    assert (workspace / "mine.csv").stat().st_mode & 0o077 == 0
    folder = run("subscribers", "export", "--to", "issues", "--force")
    assert folder.returncode == 2
    missing = run("subscribers", "export", "--to", "no/such/folder.csv")
    assert missing.returncode == 2
    assert "Traceback" not in folder.stderr + missing.stderr
    assert not [path for path in workspace.iterdir() if path.name.startswith(".mine")]


def test_access_request_gives_the_whole_record(run, workspace):
    run("subscribers", "add", "ken@example.org", "--name", "佐藤 健", "--tag", "press", *CONSENT)
    assert run("send", "--yes").returncode == 0
    result = run("subscribers", "export", "--email", "KEN@example.org", "--to", "ken.json")
    assert result.returncode == 0, result.stderr
    record = json.loads((workspace / "ken.json").read_text(encoding="utf-8"))
    assert record["subscriber"]["name"] == "佐藤 健"
    assert record["consents"][0]["wording"] == CONSENT[1]
    assert [past["status"] for past in record["deliveries"]] == ["accepted"]
    unknown = run("subscribers", "export", "--email", "nobody@example.org", "--to", "nobody.json")
    assert unknown.returncode == 2
    assert "nothing is kept" in unknown.stderr
    assert not (workspace / "nobody.json").exists()


def test_export_into_a_pipe_that_closes_stops_quietly(run, workspace):
    run("subscribers", "import", *CONSENT)
    command = f"{sys.executable} -m newsletter subscribers export | head -1"
    done = subprocess.run(
        ["sh", "-c", command], cwd=workspace, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("email,")
    assert "Traceback" not in done.stderr


# ── interruptions ───────────────────────────────────────────────────────────

MANY = 200_000


@pytest.fixture
def many(workspace) -> Path:
    """A list that takes some seconds to import."""
    path = workspace / "many.csv"
    with path.open("w") as file:
        file.write("email,name\n")
        file.writelines(f"reader{number}@example.org,Reader {number}\n" for number in range(MANY))
    return path


def started(workspace: Path, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsletter", "subscribers", "import", "many.csv", *CONSENT]
    return subprocess.Popen(command, cwd=workspace, text=True, **options)  # type: ignore[call-overload,no-any-return]


def wait_for_a_batch(process: subprocess.Popen[str], database: Path) -> None:
    deadline = time.monotonic() + 60
    while not rows_in(database):
        assert process.poll() is None, "the import ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_interrupted_import_keeps_whole_batches_and_goes_on(run, workspace, many):
    database = workspace / ".newsletter" / "newsletter.db"
    process = started(workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_a_batch(process, database)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "run the same command to go on" in stderr
    assert "Traceback" not in stderr
    kept = rows_in(database)
    assert 0 < kept < MANY
    assert f"{'added':<12}{kept:>10,}" in stdout
    rest = run("subscribers", "import", "many.csv", *CONSENT)
    assert rest.returncode == 0, rest.stderr
    assert f"{'added':<12}{MANY - kept:>10,}" in rest.stdout
    assert f"{'unchanged':<12}{kept:>10,}" in rest.stdout
    assert rows_in(database) == MANY


def test_import_on_a_terminal_shows_a_bar_that_comes_to_its_end(workspace):
    (workspace / "many.csv").write_text(
        "email\n" + "".join(f"r{n}@example.org\n" for n in range(99))
    )
    ours, theirs = pty.openpty()
    process = started(workspace, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"importing many.csv" in shown
    assert b"100%" in shown
