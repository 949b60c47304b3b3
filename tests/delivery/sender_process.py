"""A sender in a process of its own, to be killed; writes down each message that it "delivers".

Arguments: database URL, workspace, campaign id, the file of the receiving side.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from newsletter.config import open_workspace
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery
from newsletter.delivery.sender import send
from newsletter.delivery.transport import Feed
from newsletter.store.engine import open_url
from tests.delivery.campaigns import ScriptedTransport

WORKERS = 10


class Recording(ScriptedTransport):
    """The receiving side is a file: what is written there was received, whatever is killed."""

    window = WORKERS

    def __init__(self, path: Path) -> None:
        super().__init__(self.deliver_one, workers=WORKERS)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._random = random.Random()

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        print("running", flush=True)
        await super().run(feed, mailing)

    async def deliver_one(self, feed: Feed, held: Delivery) -> None:
        kind = self._random.random()
        if kind < 0.05:
            feed.returned(held)
            await asyncio.sleep(0)
            return
        feed.handing_over(held)
        await asyncio.sleep(0)
        if kind < 0.1:
            feed.refused_for_now(held, "450 later", after=0)
            return
        os.write(self._file, f"{held.subscriber_id}\n".encode())
        await asyncio.sleep(0)
        feed.accepted(held)


def main(url: str, root: str, campaign_id: str, received: str) -> None:
    with open_url(url) as store:
        summary = send(
            store, open_workspace(Path(root)), int(campaign_id), Recording(Path(received))
        )
    print(summary.ending, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
