"""Readers in every state that a link can find them in, and the confirmations of a world."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Reason, Subscriber
from newsletter.store.tables import notice
from tests.web.worlds import WRITES, World

EMAIL = "alex@example.org"
WEEK = timedelta(days=7)
STATES = ("pending", "active", "paused", "left", "bounced", "complained", "manual", "erased")
_SUPPRESSED = {
    "bounced": Reason.BOUNCED,
    "complained": Reason.COMPLAINED,
    "manual": Reason.MANUAL,
}


def sign_up(world: World, email: str = EMAIL, **fields: str):  # type: ignore[no-untyped-def]
    return world.client.post("/subscribe/", data={"email": email, **fields})


def put_into(world: World, state: str, email: str = EMAIL, **values: str) -> Subscriber:
    """The reader *email* in one of `STATES`."""
    if state == "pending":
        assert sign_up(world, email, **values).status_code == 303
        found = world.person(email)
        assert found is not None
        return found
    person = world.reader(email, **values)
    with world.store.begin() as conn:
        if state == "paused":
            subscribers.pause_for(conn, person.id, 3, **WRITES)
        elif state == "left":
            subscribers.unsubscribe(conn, person.id, source="page", **WRITES)
        elif state == "erased":
            subscribers.erase(conn, email, **WRITES)
        elif state in _SUPPRESSED:
            reason = _SUPPRESSED[state]
            subscribers.suppress(conn, email, reason=reason, source="test", **WRITES)
    return person


def new_token(world: World, person: Subscriber) -> str:
    """A confirmation as it stands in a mail that leaves now."""
    with world.store.begin() as conn:
        return subscribers.new_token(conn, person.id, now=world.at, within=WEEK)


def waiting(world: World) -> list[str]:
    """The kinds of the notices that wait."""
    query = sa.select(notice.c.kind).where(notice.c.ended_at.is_(None)).order_by(notice.c.id)
    with world.store.read() as conn:
        return list(conn.scalars(query))


def at_once(work: Callable[[], int], times: int = 8) -> list[int]:
    """Do the same in as many threads, which begin together."""
    barrier = threading.Barrier(times)

    def one(_: int) -> int:
        barrier.wait(30)
        return work()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))
