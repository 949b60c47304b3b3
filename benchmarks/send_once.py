"""Freeze and send one campaign in a process of its own: send_once.py configured|null.

Works in the workspace of the current folder; prints JSON. The time is that of
`sender.send` alone, without start-up, composing and freezing; "under_way" leaves out its
own start. With "null" the messages are neither made nor handed over: what remains is the
ledger.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from newsletter.cli.composing import composed_apart
from newsletter.cli.sending import CACHE
from newsletter.cli.shared import workspace_at
from newsletter.delivery.campaign import freeze
from newsletter.delivery.ledger import Counts
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Outcome, Result
from newsletter.delivery.sender import send
from newsletter.delivery.transport import Feed, Transport
from newsletter.delivery.transports import transport_of
from newsletter.issue.folder import newest_issue
from newsletter.store.engine import open_store


class NullTransport:
    """Accepts everything at once."""

    name, window = "smtp", 10
    works_apart = wants_tokens = False

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        while True:
            while (delivery := feed.take()) is not None:
                feed.handing_over(delivery)
                feed.accepted(delivery)
            await asyncio.sleep(0)
            if not await feed.wait():
                return

    async def deliver(self, email: str, message: bytes) -> Result:
        return Result(outcome=Outcome.ACCEPTED)

    async def probe(self) -> str:
        return "null"


def main(kind: str) -> None:
    workspace = workspace_at(".")
    edition = composed_apart(newest_issue(workspace), workspace)
    transport: Transport = NullTransport() if kind == "null" else transport_of(workspace)
    with open_store(workspace, cache=CACHE) as store:
        start = time.perf_counter()
        campaign, _ = freeze(
            store,
            workspace,
            edition,
            tag=None,
            transport=transport.name,
            now=datetime.now(UTC),
            actor="benchmark",
        )
        del edition
        frozen, processor = time.perf_counter(), sum(os.times()[:4])
        looks: list[tuple[float, int]] = []  # when, and how many were accepted by then

        def look(counts: Counts) -> None:
            if counts.accepted and (not looks or counts.accepted > looks[-1][1]):
                looks.append((time.perf_counter(), counts.accepted))

        summary = send(store, workspace, campaign.id, transport, on_progress=look)
        seconds = time.perf_counter() - frozen
        processor = sum(os.times()[:4]) - processor
    peak = re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())
    assert peak is not None
    found = {
        "freezing": frozen - start,
        "seconds": seconds,
        "processor": processor,
        "under_way": _each(looks),
        "accepted": summary.counts.accepted,
        "intended": summary.counts.intended,
        "ending": summary.ending.value,
        "memory": int(peak[1]) / 1024,
    }
    print(json.dumps(found))


def _each(looks: list[tuple[float, int]]) -> float:
    """Seconds a message between the first acceptance that was noted and the last."""
    (start, before), (end, after) = looks[0], looks[-1]
    return (end - start) / (after - before) if after > before else 0.0


if __name__ == "__main__":
    main(sys.argv[1])
