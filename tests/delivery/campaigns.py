"""A campaign in one line: a workspace, an edition that was not composed, people, a transport."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import sqlalchemy as sa

from newsletter.compose import manifest
from newsletter.compose.edition import Edition
from newsletter.compose.slots import Slot
from newsletter.config import Workspace, open_workspace
from newsletter.delivery import campaign as campaigns
from newsletter.delivery.campaign import Campaign
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery, Outcome, Result, Status
from newsletter.delivery.transport import Feed
from newsletter.issue.number import IssueNumber
from newsletter.store.engine import Store
from newsletter.store.tables import delivery, subscriber
from tests.compose.composed import ROOT, a_config, a_view

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
WRITES: dict[str, Any] = {"now": NOW, "actor": "operator"}
BODY = "".join(f"<p>{slot.marker}</p>\n" for slot in Slot)


def a_workspace(root: Path, **sections: dict[str, Any]) -> Workspace:
    """Our newsletter.toml in *root*; *sections* change keys: delivery={"attempts": 2}."""
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "newsletter.toml", root)
    opened = open_workspace(root)
    changed = {
        name: msgspec.structs.replace(getattr(opened.config, name), **keys)
        for name, keys in sections.items()
    }
    return Workspace(opened.root, msgspec.structs.replace(opened.config, **changed))


def an_edition(number: str = "2.20", body: str = BODY) -> Edition:
    """Two files that are sent, and their manifest."""
    view = replace(a_view(number=IssueNumber.parse(number)), number=number)
    files = {"email.html": body.encode(), "email.txt": body.encode()}
    files[manifest.NAME] = manifest.build(view, a_config(), files=files, sources={}, templates={})
    return Edition(view=view, files=MappingProxyType(files))


def people(store: Store, number: int) -> None:
    """Put *number* active people on the list, with the ids 1, 2, …, by one statement."""
    rows = [
        {
            "email": f"reader{index}@example{index % 7}.test",
            "identity": f"reader{index}@example{index % 7}.test",
            "identity_hash": index.to_bytes(16, "big"),
            "name": f"Reader {index}",
            "status": "active",
            "created_at": NOW,
            "updated_at": NOW,
        }
        for index in range(1, number + 1)
    ]
    with store.begin() as conn:
        for start in range(0, len(rows), 10_000):
            conn.execute(sa.insert(subscriber), rows[start : start + 10_000])


def frozen(
    store: Store, workspace: Workspace, number: str = "2.20", *, tag: str | None = None
) -> Campaign:
    made, _ = campaigns.freeze(
        store, workspace, an_edition(number), tag=tag, transport="scripted", **WRITES
    )
    return made


def rows_of(store: Store, campaign_id: int) -> dict[int, sa.Row[Any]]:
    """The ledger's rows, by subscriber."""
    with store.read() as conn:
        query = sa.select(delivery).where(delivery.c.campaign_id == campaign_id)
        return {row.subscriber_id: row for row in conn.execute(query)}


def statuses(store: Store, campaign_id: int) -> dict[int, Status]:
    return {number: Status(row.status) for number, row in rows_of(store, campaign_id).items()}


Handling = Callable[[Feed, Delivery], Awaitable[None] | None]


class ScriptedTransport:
    """Does with every delivery what *handle* says; by default it accepts."""

    name = "scripted"
    works_apart = wants_tokens = False
    window = 10

    def __init__(self, handle: Handling | None = None, *, workers: int = 3) -> None:
        self._handle = handle or accept
        self._workers = workers
        self.alerts: list[tuple[str, bytes]] = []
        self.handed: list[int] = []

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work(feed))

    async def _work(self, feed: Feed) -> None:
        try:
            while await feed.wait():
                while (held := feed.take()) is not None:
                    self.handed.append(held.subscriber_id)
                    done = self._handle(feed, held)
                    if done is not None:
                        await done
        except asyncio.CancelledError:
            return

    async def deliver(self, email: str, message: bytes) -> Result:
        self.alerts.append((email, message))
        return Result(outcome=Outcome.ACCEPTED)

    async def probe(self) -> str:
        return "scripted"


def accept(feed: Feed, held: Delivery) -> None:
    feed.handing_over(held)
    feed.accepted(held, f"id-{held.subscriber_id}")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ids(numbers: Sequence[int]) -> list[int]:
    return sorted(numbers)
