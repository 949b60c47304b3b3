"""A real sender process is killed at random points, again and again, and then audited.

What was received is in a file that no kill can take back. Nobody is there twice, nobody is
recorded and missing, nobody is there and unrecorded.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter

from newsletter.delivery.ledger import counts
from newsletter.delivery.model import Status
from tests.delivery.campaigns import a_workspace, frozen, people, statuses
from tests.delivery.sender_process import WORKERS
from tests.store.worlds import ROOT

KILLS = 200 if os.environ.get("NEWSLETTER_SOAK") else 10  # on each database
EVERYBODY = 12_000


def started(*arguments: object) -> subprocess.Popen[str]:
    """A sender that has begun to hand over."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.sender_process", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n", process.communicate()[1]
    return process


def test_kills_at_random_points_send_nothing_twice_and_lose_nothing(store, database_url, tmp_path):
    workspace = a_workspace(tmp_path / "workspace")
    received = tmp_path / "received"
    dice = random.Random()
    people(store, EVERYBODY)
    kills, number = 0, 0
    while kills < KILLS:
        number += 1
        made = frozen(store, workspace, f"2.{number}")
        arguments = (database_url, workspace.root, made.id, received)
        received.write_text("")
        before, of_this = 0, 0
        while True:
            process = started(*arguments)
            if kills + of_this < KILLS:
                time.sleep(dice.uniform(0, 0.4))
                process.kill()
            process.communicate(timeout=120)
            if process.returncode == 0:
                break
            assert process.returncode == -9
            of_this += 1
            with store.read() as conn:
                found = counts(conn, made.id)
            total = found.accepted + found.failed + found.suppressed + found.uncertain
            assert total + found.pending == found.intended == EVERYBODY
            assert found.uncertain - before <= WORKERS  # of the kill before this one
            before = found.uncertain
        kills += of_this
        audit(statuses(store, made.id), Counter(map(int, received.read_text().split())), of_this)


def audit(statuses: dict[int, Status], received: Counter[int], kills: int) -> None:
    assert len(statuses) == EVERYBODY
    assert set(received.values()) <= {1}
    accepted = {number for number, status in statuses.items() if status is Status.ACCEPTED}
    uncertain = {number for number, status in statuses.items() if status is Status.UNCERTAIN}
    assert accepted | uncertain == set(statuses)
    assert accepted <= set(received)
    assert set(received) <= accepted | uncertain
    assert len(uncertain) <= kills * WORKERS
