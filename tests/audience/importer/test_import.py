"""Nobody who left comes back, the same file changes nothing, and a crash loses nobody."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.importer import fingerprint, is_taken
from newsletter.audience.model import Reason, Status
from newsletter.errors import StorageError, UsageError
from newsletter.store.engine import open_url
from newsletter.store.tables import audit, consent, import_file, metadata, subscriber
from tests.audience.importer.csv_files import BASIS, person, record, suppressed, take, written
from tests.audience.people import NOW, WRITES, add, everything, mailed, request, status_of

ROWS = 20_000


def many(folder: Path, rows: int = ROWS) -> Path:
    path = folder / "many.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "tags"])
        for number in range(rows):
            tag = "even" if number % 2 == 0 else ""
            writer.writerow([f"Reader.{number}@example.org", f"Reader {number}", tag])
    return path


def counts(store) -> dict[str, int]:
    with store.read() as conn:
        return {
            table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


# ── people ──────────────────────────────────────────────────────────────────


def test_new_people_are_active_with_the_basis_as_their_consent(store, tmp_path):
    text = "email,name,created_at\nada@example.org,Ada,2020-02-03\n"
    report = take(store, written(tmp_path, text), tags=["fair"])
    assert report.added == 1
    ada = person(store, "ada@example.org")
    assert (ada.status, ada.tags, ada.source) == (Status.ACTIVE, ("fair",), "import of people.csv")
    (kept,) = record(store, "ada@example.org")["consents"]
    assert (kept["kind"], kept["wording"]) == ("imported", BASIS)
    assert kept["at"].startswith("2020-02-03")
    with store.read() as conn:
        note = conn.execute(sa.select(audit).where(audit.c.action == "subscribers.import")).one()
    assert note.detail == "import of people.csv, lines 2–2: 1 added"


def test_without_a_consent_nobody_joins_and_nothing_is_written(store, tmp_path):
    with pytest.raises(UsageError, match="on what consent"):
        take(store, written(tmp_path, "email\nada@example.org\n"), consent=" ")
    mixed = "email,status\nben@example.org,unsubscribed\nada@example.org,active\n"
    with pytest.raises(UsageError, match="line 3 would join"):
        take(store, written(tmp_path, mixed), consent="")
    assert counts(store)["subscriber"] == counts(store)["suppression"] == 0
    only_left = "email,status\nben@example.org,unsubscribed\n"
    assert take(store, written(tmp_path, only_left), consent="").suppressed == 1


def test_what_the_file_says_replaces_what_was_known_and_what_is_empty_does_not(store, tmp_path):
    with store.begin() as conn:
        add(conn, "ada@example.org", name="Ada", language="nb", timezone="Europe/Oslo", tags=["a"])
    text = "email,name,language,timezone,tags\nada@EXAMPLE.org,Ada Okafor,,Asia/Tokyo,b\n"
    path = written(tmp_path, text)
    report = take(store, path)
    assert (report.updated, report.added) == (1, 0)
    ada = person(store, "ada@example.org")
    assert (ada.email, ada.name, ada.language) == ("ada@example.org", "Ada Okafor", "nb")
    assert (ada.timezone, ada.tags, ada.updated_at) == ("Asia/Tokyo", ("a", "b"), NOW)
    assert take(store, path).unchanged == 1


def test_pending_person_becomes_active_by_an_import_with_a_basis(store, tmp_path):
    with store.begin() as conn:
        request(conn, "ada@example.org")
    take(store, written(tmp_path, "email\nada@example.org\n"))
    assert mailed(store) == ["ada@example.org"]
    assert record(store, "ada@example.org")["consents"][-1]["kind"] == "imported"


def test_paused_person_stays_paused(store, tmp_path):
    with store.begin() as conn:
        subscribers.pause(conn, add(conn, "ada@example.org").id, **WRITES)
    report = take(store, written(tmp_path, "email,name\nada@example.org,Ada\n"))
    assert report.updated == 1
    assert status_of(store, "ada@example.org") is Status.PAUSED


def test_nobody_who_left_is_brought_back_or_changed(store, tmp_path):
    emails = [f"p{number}@example.org" for number in range(5)]
    with store.begin() as conn:
        people = [add(conn, email) for email in emails[:4]]
        subscribers.unsubscribe(conn, people[0].id, source="page", **WRITES)
        for email, reason in zip(emails[1:3], (Reason.BOUNCED, Reason.COMPLAINED), strict=True):
            subscribers.suppress(conn, email, reason=reason, source="desk", **WRITES)
        subscribers.erase(conn, emails[3], **WRITES)
        subscribers.suppress(conn, emails[4], reason=Reason.MANUAL, source="desk", **WRITES)
    before = everything(store)
    rows = "".join(f"{email.upper()},Name,tag\n" for email in emails)
    path = written(tmp_path, f"email,name,tags\n{rows}")
    report = take(store, path)
    assert (report.left_alone, report.changed) == (5, 0)
    assert mailed(store) == []
    after = everything(store)
    assert [line for line in after.splitlines() if "people.csv" not in line] == before.splitlines()


def test_lifted_person_who_left_needs_more_than_an_import(store, tmp_path):
    with store.begin() as conn:
        ada = add(conn, "ada@example.org")
        subscribers.unsubscribe(conn, ada.id, source="page", **WRITES)
        subscribers.lift(conn, ada.email, reason="wrote to us", **WRITES)
    assert take(store, written(tmp_path, "email\nada@example.org\n")).left_alone == 1
    assert mailed(store) == []


def test_file_of_people_who_left_makes_them_leave_as_a_click_would(store, tmp_path):
    with store.begin() as conn:
        request(conn, "ada@example.org")
        add(conn, "ben@example.org")
    text = "email,status\nada@example.org,unsubscribed\nben@example.org,bounced\n"
    path = written(tmp_path, text)
    assert take(store, path, consent="").suppressed == 2
    assert status_of(store, "ada@example.org") is Status.UNSUBSCRIBED
    assert record(store, "ada@example.org")["consents"][-1]["kind"] == "withdrawn"
    assert status_of(store, "ben@example.org") is Status.ACTIVE
    assert suppressed(store, "ben@example.org") is Reason.BOUNCED
    assert mailed(store) == []
    assert counts(store)["confirmation"] == 0
    again = take(store, path, consent="")
    assert (again.unchanged, again.changed) == (2, 0)


def test_graver_reason_takes_the_place_of_a_lighter_one_and_never_the_other_way(store, tmp_path):
    bounced = written(tmp_path, "email,status\nada@example.org,bounced\n", "a.csv")
    left = written(tmp_path, "email,status\nada@example.org,unsubscribed\n", "b.csv")
    take(store, bounced, consent="")
    assert take(store, left, consent="").suppressed == 1
    assert suppressed(store, "ada@example.org") is Reason.UNSUBSCRIBED
    assert take(store, bounced, consent="").unchanged == 1
    assert suppressed(store, "ada@example.org") is Reason.UNSUBSCRIBED


@pytest.mark.parametrize("chunk", [1, 100])
@pytest.mark.parametrize("addresses", [("ada", "ada"), ("Ada", "ada")])
@pytest.mark.parametrize("statuses", [("bounced", "complained"), ("complained", "bounced")])
def test_gravest_reason_of_a_file_counts_whatever_the_order_and_the_spelling(
    store, tmp_path, statuses, addresses, chunk
):
    rows = zip(addresses, statuses, strict=True)
    text = "".join(f"{local}@example.org,{status}\n" for local, status in rows)
    path = written(tmp_path, f"email,status\n{text}")
    take(store, path, consent="", batch_rows=chunk)
    assert suppressed(store, "ADA@example.org") is Reason.COMPLAINED
    assert take(store, path, consent="", batch_rows=chunk).changed == 0


@pytest.mark.parametrize("chunk", [1, 100])
@pytest.mark.parametrize("statuses", [("active", "unsubscribed"), ("unsubscribed", "active")])
def test_address_that_both_joins_and_left_in_one_file_is_not_mailed(
    store, tmp_path, statuses, chunk
):
    rows = "".join(f"ada@example.org,{status}\n" for status in statuses)
    path = written(tmp_path, f"email,status\n{rows}")
    take(store, path, batch_rows=chunk)
    assert mailed(store) == []
    assert suppressed(store, "ada@example.org") is Reason.UNSUBSCRIBED
    assert take(store, path, batch_rows=chunk).changed == 0


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_first_row_of_an_address_counts_and_later_ones_add_their_tags(store, tmp_path, chunk):
    text = (
        "email,name,tags\nada@example.org,Ada,a\nben@example.org,Ben,\n"
        "ada@EXAMPLE.org,Somebody,b\nada@example.org,Else,c\n"
    )
    path = written(tmp_path, text)
    report = take(store, path, batch_rows=chunk)
    assert (report.added, report.repeated) == (2, 2)
    ada = person(store, "ada@example.org")
    assert (ada.name, ada.tags) == ("Ada", ("a", "b", "c"))
    before = everything(store)
    again = take(store, path, batch_rows=chunk)
    assert (again.unchanged, again.repeated) == (2, 2)
    assert everything(store) == before


# ── files ───────────────────────────────────────────────────────────────────


def test_same_file_twice_changes_nothing(store, tmp_path):
    path = many(tmp_path)
    first = take(store, path)
    assert (first.added, first.read) == (ROWS, ROWS)
    before = everything(store)
    again = take(store, path)
    assert (again.unchanged, again.changed) == (ROWS, 0)
    assert everything(store) == before
    assert counts(store)["consent"] == ROWS
    assert counts(store)["subscriber_tag"] == ROWS // 2


def test_dry_run_counts_the_same_and_writes_nothing(store, tmp_path):
    text = (
        "email,name,status\nada@example.org,Ada,active\nben@example.org,Ben,unsubscribed\n"
        "ada@example.org,Ada,active\nnobody,,active\nknown@example.org,New,active\n"
    )
    path = written(tmp_path, text)
    with store.begin() as conn:
        add(conn, "known@example.org")
    before = everything(store)
    tried = take(store, path, dry_run=True, batch_rows=2)
    assert everything(store) == before
    assert tried.rejects_file is None
    assert sorted(each.name for each in tmp_path.iterdir() if each.suffix == ".csv") == [
        "people.csv"
    ]
    done = take(store, path, batch_rows=2)
    for name in ("read", "added", "updated", "unchanged", "repeated", "left_alone", "suppressed"):
        assert getattr(done, name) == getattr(tried, name), name
    assert (tried.added, tried.updated, tried.repeated, tried.rejected) == (1, 1, 1, 1)


def test_rejects_can_be_mended_and_imported_and_are_never_overwritten(store, tmp_path):
    text = 'Mail;Name;Hobby\nnobody;"Ada; the first";kites\nben@example.org;Ben;\n'
    path = written(tmp_path, text)
    report = take(store, path)
    rejects = report.rejects_file
    assert rejects == tmp_path / "people.rejects.csv"
    with rejects.open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["import_problem", "Mail", "Name", "Hobby"]
    assert row[0].startswith("line 2, Mail: ")
    assert row[1:] == ["nobody", "Ada; the first", "kites"]
    assert take(store, path).rejects_file == rejects
    mended = rejects.read_text("utf-8").replace("nobody", "ada@example.org")
    rejects.write_text(mended, "utf-8")
    assert take(store, path).rejects_file == tmp_path / "people.2.rejects.csv"
    assert rejects.read_text("utf-8") == mended
    assert take(store, rejects).added == 1
    assert person(store, "ada@example.org").name == "Ada; the first"
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".people")]


def test_row_that_is_still_wrong_keeps_one_column_of_reasons(store, tmp_path):
    rejects = take(store, written(tmp_path, "email,name\nnobody,Ada\n")).rejects_file
    again = take(store, rejects)
    assert again.rejected == 1
    with (again.rejects_file or Path()).open(encoding="utf-8", newline="") as file:
        assert [len(row) for row in csv.reader(file)] == [3, 3]


def test_rejects_that_cannot_be_written_say_what_to_do(store, tmp_path):
    path = written(tmp_path, "email\nnobody\n")
    (tmp_path / f".people.rejects.{os.getpid()}").mkdir()
    with pytest.raises(StorageError, match=r"rejects of .* cannot be written") as caught:
        take(store, path)
    assert "copy the file" in (caught.value.hint or "")


def test_file_is_remembered_by_content_when_it_was_taken_to_its_end(store, tmp_path):
    path = written(tmp_path, "email\nada@example.org\n")
    take(store, path, dry_run=True)
    with store.read() as conn:
        assert not is_taken(conn, fingerprint(path))
    take(store, path)
    renamed = path.rename(tmp_path / "other.csv")
    with store.read() as conn:
        assert is_taken(conn, fingerprint(renamed))


def test_name_of_a_file_that_holds_an_address_is_not_kept(store, tmp_path):
    take(store, written(tmp_path, "email\nada@example.org\n", "ada@example.org.csv"))
    assert person(store, "ada@example.org").source == "import of …"
    with store.begin() as conn:
        subscribers.erase(conn, "ada@example.org", **WRITES)
    assert "ada@example.org" not in everything(store)
    with store.read() as conn:
        assert list(conn.scalars(sa.select(import_file.c.name))) == ["…"]


def test_file_of_long_bad_rows_is_read_in_little_memory(tmp_path):
    """Every row is 60 kB and rejected: what is held is bounded in bytes, not only in rows."""
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("email,note\n")
        for number in range(3_000):
            file.write(f"{number},{'x' * 60_000}\n")
    script = IMPORT + "\nprint(Path('/proc/self/status').read_text())"
    done = subprocess.run(
        [sys.executable, "-c", script, f"sqlite:///{tmp_path / 'a.db'}", str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    peak = re.search(r"VmHWM:\s+([0-9]+) kB", done.stdout)
    assert peak is not None
    assert int(peak[1]) < 150_000
    assert (tmp_path / "long.rejects.csv").stat().st_size > 180_000_000


def test_progress_ends_with_the_whole_file(store, tmp_path):
    path = many(tmp_path, 1_000)
    told = []
    take(store, path, on_progress=told.append, batch_rows=300)
    assert [progress.rows for progress in told] == [300, 600, 900, 1_000]
    assert told[-1].bytes_read == told[-1].bytes_total == path.stat().st_size


# ── interruptions ───────────────────────────────────────────────────────────


def test_interrupted_import_keeps_whole_batches_and_the_same_call_goes_on(store, tmp_path):
    path = many(tmp_path, 1_000)
    path.write_text(path.read_text("utf-8") + "nobody,,\n", "utf-8")

    def stop(progress):
        if progress.rows >= 600:
            raise KeyboardInterrupt

    report = take(store, path, on_progress=stop, batch_rows=300)
    assert (report.interrupted, report.added) == (True, 600)
    assert counts(store)["subscriber"] == 600
    again = take(store, path, batch_rows=300)
    assert (again.interrupted, again.added, again.unchanged) == (False, 400, 600)
    assert (again.rejected, again.rejects_file) == (1, tmp_path / "many.rejects.csv")


IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from newsletter.audience.importer import import_csv
from newsletter.store.engine import open_url

with open_url(sys.argv[1]) as store:
    import_csv(
        store, Path(sys.argv[2]), consent="on paper", actor="operator", now=datetime.now(UTC),
        on_progress=lambda progress: print(progress.rows, flush=True), batch_rows=500,
    )
"""


@pytest.mark.parametrize("batches", [0, 1, 7])
def test_killed_import_run_again_loses_nobody_and_doubles_nothing(database_url, tmp_path, batches):
    path = many(tmp_path)
    command = [sys.executable, "-c", IMPORT, database_url, str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    ) as process:
        assert process.stdout is not None
        for _ in range(batches):
            assert process.stdout.readline()
        time.sleep(0.01)  # into the next batch
        process.send_signal(signal.SIGKILL)
    with open_url(database_url) as store:
        kept = counts(store)
        assert kept["subscriber"] % 500 == 0
        assert batches * 500 <= kept["subscriber"] < ROWS
        assert kept["consent"] == kept["subscriber"]
        report = take(store, path)
        assert (report.unchanged, report.added) == (
            kept["subscriber"],
            ROWS - kept["subscriber"],
        )
        now = counts(store)
        assert (now["subscriber"], now["consent"]) == (ROWS, ROWS)
        assert now["subscriber_tag"] == ROWS // 2
        with store.read() as conn:
            assert conn.scalar(sa.select(sa.func.count(subscriber.c.identity.distinct()))) == ROWS
            assert conn.scalar(sa.select(sa.func.count(consent.c.subscriber_id.distinct()))) == ROWS


def test_person_can_leave_while_an_import_runs(database_url, tmp_path):
    """One click must not wait for a long import: SQLite has one writer at a time."""
    path = many(tmp_path)
    with open_url(database_url) as store:
        with store.begin() as conn:
            ada = add(conn, "ada@example.org")
        command = [sys.executable, "-c", IMPORT, database_url, str(path)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            start = time.monotonic()
            with store.begin() as conn:
                subscribers.unsubscribe(conn, ada.id, source="one-click", **WRITES)
            waited = time.monotonic() - start
            process.communicate()
        assert process.returncode == 0
        assert waited < 5
        assert counts(store)["subscriber"] == ROWS + 1
