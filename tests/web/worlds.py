"""A newsletter with an archive, and its server in this process: `served(store, root)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.testclient import TestClient

from newsletter.audience import subscribers
from newsletter.audience.model import Consent, ConsentKind, Status, Subscriber
from newsletter.config import Workspace
from newsletter.store.engine import Store
from newsletter.store.tables import edition, publication
from newsletter.web.app import make_app
from newsletter.web.context import Context, context_of
from tests.site.archives import a_page_view, a_workspace, put

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
SITE = "https://digest.example.org"
WRITES: dict[str, Any] = {"now": NOW, "actor": "operator"}


@dataclass
class World:
    """*client* asks as a browser that follows nothing by itself."""

    context: Context
    client: TestClient
    at: datetime

    @property
    def store(self) -> Store:
        return self.context.store

    def pass_time(self, span: timedelta) -> None:
        self.at += span

    def person(self, email: str) -> Subscriber | None:
        with self.store.read() as conn:
            return subscribers.find_exactly(conn, email)

    def reader(self, email: str = "alex@example.org", **values: Any) -> Subscriber:
        """Put an active reader on the list."""
        given = Consent(kind=ConsentKind.ADDED, wording="said yes", at=NOW)
        with self.store.begin() as conn:
            return subscribers.add(
                conn, email, consent=given, source="test", **{**WRITES, **values}
            )

    def unsubscribe_path(self, person: Subscriber) -> str:
        return self.context.links.unsubscribe_path(person.id)

    def preferences_path(self, person: Subscriber) -> str:
        return self.context.links.preferences_path(person.id)

    def status(self, email: str = "alex@example.org") -> Status | None:
        found = self.person(email)
        return None if found is None else found.status


def publish(store: Store, workspace: Workspace, *numbers: str) -> None:
    """Put editions that were not composed into the archive."""
    for number in numbers:
        made = put(workspace, a_page_view(number, workspace=workspace))
        with store.begin() as conn:
            row = {"hash": made.edition_hash, "number": number, "frozen_at": NOW}
            conn.execute(sa.insert(edition), row)
            conn.execute(
                sa.insert(publication),
                {
                    "number": number,
                    "edition_hash": made.edition_hash,
                    "published_at": made.published_at,
                    "published_by": "test",
                },
            )


@contextmanager
def served(
    store: Store, root: Path, *numbers: str, raises: bool = True, **sections: dict[str, Any]
) -> Iterator[World]:
    """The server of a newsletter in *root* that published *numbers*; *sections* change its keys."""
    workspace = a_workspace(root, **sections)
    publish(store, workspace, *numbers)
    world: World

    def clock() -> datetime:
        return world.at

    context = context_of(workspace, store, clock=clock)
    context.site.refresh()
    with TestClient(
        make_app(context),
        base_url=SITE,
        follow_redirects=False,
        raise_server_exceptions=raises,
        client=("192.0.2.7", 50000),
        headers={"user-agent": "Mozilla/5.0"},
    ) as client:
        world = World(context, client, NOW)
        yield world


def text_of(html: str) -> str:
    """The words of a page, one space between them."""
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
