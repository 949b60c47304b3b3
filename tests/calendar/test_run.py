"""`newsletter run` as a process with a real clock: slots that are seconds ahead."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.calendar.lease import Lease, is_at_work
from newsletter.errors import StorageError
from newsletter.store.engine import Store, open_url
from tests.calendar.running import PATIENCE, ROOT, ZONE, Running, call, plan


def letters(workspace: Path) -> list[str]:
    """Subjects of the letters to the editors, in order of time."""
    files = sorted((workspace / "outbox/test/new").glob("*"), key=lambda p: p.stat().st_mtime_ns)
    parsed = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [str(message["Subject"]) for message in parsed]


def addressees(workspace: Path) -> list[str]:
    files = (workspace / "outbox/vol-2-24/new").glob("*")
    parsed = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]
    return [str(message["To"].addresses[0].addr_spec) for message in parsed]


def status(workspace: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(call(workspace, "status", "2.24", "--json"))[0]
    return found


def test_reminder_approval_sending_report_and_the_next_slot_in_real_time(workspace, start):
    slot = plan(workspace, seconds=20)
    run = start()
    run.wait_for("nothing is approved for")
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    assert datetime.now(ZONE) < slot, "the machine was too slow for this test"
    run.wait_for("Vol 2.24 was sent: 200 of 200 accepted")
    assert datetime.now(ZONE) >= slot
    wait_for_letter(workspace, "was sent")
    assert run.end() == 0
    assert len(set(addressees(workspace))) == len(addressees(workspace)) == 200
    reminded, report = letters(workspace)
    assert reminded.startswith("Nothing is approved for")
    assert report == "Vol 2.24 was sent: 200 of 200 accepted"
    coming = json.loads(call(workspace, "schedule", "--json"))
    starts = [datetime.fromisoformat(place["starts_at"]).astimezone(ZONE) for place in coming]
    assert [moment.replace(tzinfo=None) for moment in starts] == [
        slot.replace(tzinfo=None),
        slot.replace(tzinfo=None) + timedelta(days=14),
    ]


def test_nothing_approved_sends_nothing_and_says_so_and_send_late_still_can(workspace, start):
    plan(workspace, seconds=8)
    run = start()
    run.wait_for("skipped, nothing is approved")
    assert not (workspace / "outbox/vol-2-24").exists()
    wait_for_letter(workspace, "Nothing was sent")
    day = f"{datetime.now(ZONE):%Y-%m-%d}"
    assert "no issue can be sent: none is approved" in call(workspace, "send-late", day, code=2)
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    assert "not at work" not in call(workspace, "send-late", day)
    run.wait_for("Vol 2.24 was sent: 200 of 200 accepted")
    assert run.end(signal.SIGINT) == 0


def test_stop_in_the_hold_sends_nothing(workspace, start):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    plan(workspace, seconds=8, hold=1)
    run = start()
    run.wait_for("Vol 2.24 is held until")
    assert "Vol 2.24 is stopped" in call(workspace, "stop", "--as", "kim")
    day = f"{datetime.now(ZONE):%Y-%m-%d}"
    assert "skipped: nothing is sent at the slot of" in call(workspace, "skip", day)
    assert run.end() == 0
    assert not (workspace / "outbox/vol-2-24").exists()
    wait_for_letter(workspace, "Vol 2.24 goes out at")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_sending_ends_in_order_and_a_new_start_goes_on(workspace, start, number):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    plan(workspace, seconds=8, rates="per_second = 40")
    run = start()
    wait_for_mail(workspace, 10)
    assert run.end(number) == 0
    assert "the next newsletter run goes on" in run.lines[-1]
    found = status(workspace)
    assert (found["in_flight"], found["uncertain"]) == (0, 0)
    assert 10 <= found["accepted"] < 200
    again = start()
    again.wait_for("Vol 2.24 was sent: 200 of 200 accepted")
    assert len(set(addressees(workspace))) == len(addressees(workspace)) == 200


def test_second_run_stands_by_and_takes_over_when_the_first_is_killed_while_sending(
    workspace, start
):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    plan(workspace, seconds=8, rates="per_second = 40")
    first = start()
    first.wait_for("at work")
    second = start()
    second.wait_for("standing by")
    wait_for_mail(workspace, 10)
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    second.wait_for("at work")
    second.wait_for("Vol 2.24 was sent: 200 of 200 accepted")  # its child ended in order
    assert len(addressees(workspace)) == 200
    assert status(workspace)["uncertain"] == 0


def test_sender_that_is_killed_is_started_again_and_nobody_gets_it_twice(workspace, start):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    plan(workspace, seconds=8, rates="per_second = 40")
    run = start()
    wait_for_mail(workspace, 10)
    os.kill(sender_of(run), signal.SIGKILL)
    run.wait_for("the sender ended by signal 9")
    run.wait_for("Vol 2.24 was sent:")
    found = status(workspace)
    assert found["accepted"] + found["uncertain"] == 200
    assert found["uncertain"] <= 100  # one batch of the outbox
    assert len(set(addressees(workspace))) == len(addressees(workspace))


def test_run_that_is_killed_again_and_again_sends_each_message_once(workspace, start):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    plan(workspace, seconds=8, rates="per_second = 80")
    dice = random.Random(7)
    kills = 0
    deadline = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < deadline:
        run = start()
        run.wait_for("at work")
        time.sleep(dice.uniform(0.5, 4.0) * (1 + kills / 3))  # a slow machine gets on at last
        if any("Vol 2.24 was sent" in line for line in run.lines):
            break
        run.end(signal.SIGKILL)
        kills += 1
    assert kills >= 3
    found = status(workspace)
    assert found["state"] == "completed"
    assert found["accepted"] + found["uncertain"] == 200
    assert len(set(addressees(workspace))) == len(addressees(workspace))
    states = [place["state"] for place in json.loads(call(workspace, "schedule", "--json"))]
    assert states[0] == "sent"


def test_once_does_what_is_due_sees_it_to_the_end_and_ends(workspace):
    call(workspace, "approve", "2.24", "--yes", "--as", "kim")
    slot = plan(workspace, seconds=8)
    first = call(workspace, "run", "--once")
    assert "at work" in first
    assert "Vol 2.24" not in first
    time.sleep(max(0.0, (slot - datetime.now(ZONE)).total_seconds()) + 1)
    assert "Vol 2.24 was sent: 200 of 200 accepted" in call(workspace, "run", "--once")
    assert "Vol 2.24" not in call(workspace, "run", "--once")


def test_decisions_from_the_command_line_say_what_they_did(workspace):
    slot = plan(workspace, seconds=24 * 3600)
    day = f"{slot:%Y-%m-%d}"
    moved = call(workspace, "postpone", day, "--to", f"{slot + timedelta(days=1):%Y-%m-%d} 10:00")
    assert f"the slot of {day} is now" in moved
    assert "nothing is held" in call(workspace, "stop", code=2)
    assert "skipped:" in call(workspace, "skip", day)
    assert "is skipped already" in call(workspace, "skip", day, code=2)
    assert "there is no slot on 2001-01-01" in call(workspace, "skip", "2001-01-01", code=2)
    assert "there is no slot on 9999-12-31" in call(workspace, "skip", "9999-12-31", code=2)
    for never in ("0001-01-01 00:00", "9999-12-31 23:59"):
        assert "outside the years" in call(workspace, "postpone", day, "--to", never, code=2)
    assert "Invalid value for 'DAY'" in call(workspace, "skip", "tomorrow", code=2)


# ── lease ───────────────────────────────────────────────────────────────────


def test_lease_is_held_by_one_until_it_is_released(store: Store):
    first, second = Lease(store), Lease(store)
    assert first.take()
    assert first.take()
    assert not second.take()
    assert is_at_work(store)
    first.release()
    assert not is_at_work(store)
    assert second.take()
    second.release()


def test_lease_ends_with_the_process_that_holds_it(database_url: str):
    code = (
        "import sys, time\n"
        "from newsletter.calendar.lease import Lease\n"
        "from newsletter.store.engine import open_url\n"
        "lease = Lease(open_url(sys.argv[1]))\n"
        "print(lease.take(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with open_url(database_url) as store:
        holder = subprocess.Popen(
            [sys.executable, "-c", code, database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert is_at_work(store)
        holder.kill()
        holder.wait(timeout=PATIENCE)
        holder.stdout.close()
        deadline = time.monotonic() + PATIENCE
        while is_at_work(store):
            assert time.monotonic() < deadline
            time.sleep(0.05)


# ── looking ─────────────────────────────────────────────────────────────────


def wait_for_mail(workspace: Path, number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    folder = workspace / "outbox/vol-2-24/new"
    while not folder.exists() or len(list(folder.iterdir())) < number:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for_letter(workspace: Path, words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(words in subject for subject in letters(workspace)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sender_of(run: Running) -> int:
    """The process id of the child that sends: the newest that is no helper of the interpreter."""
    task = Path(f"/proc/{run.process.pid}/task")
    children = [
        int(pid) for thread in task.iterdir() for pid in (thread / "children").read_text().split()
    ]
    senders = [
        pid for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(senders) == 1
    return senders[0]


def test_database_file_that_is_replaced_or_gone_ends_the_work_on_it(tmp_path: Path):
    file = tmp_path / "newsletter.db"
    with open_url(f"sqlite:///{file}") as store:
        lease = Lease(store)
        assert lease.take()
        file.rename(tmp_path / "kept.db")
        with pytest.raises(StorageError, match="was replaced or taken away"):
            lease.take()
        file.touch()
        with pytest.raises(StorageError, match="was replaced or taken away"):
            lease.take()
        (tmp_path / "kept.db").rename(file)
        assert lease.take()
        lease.release()


def test_once_ends_with_2_where_the_database_is_in_the_way(workspace):
    plan(workspace, seconds=24 * 3600)
    call(workspace, "schedule")
    (workspace / ".newsletter" / "newsletter.db.scheduler").mkdir()
    assert "error: " in call(workspace, "run", "--once", code=2)
