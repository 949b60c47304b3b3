"""Somebody who asked, the notices of a store, and a transport that answers as it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import ConsentKind, Subscriber
from newsletter.config import Workspace, open_workspace
from newsletter.delivery.model import Outcome, Result
from newsletter.notices import post, queue
from newsletter.notices.compose import Latest
from newsletter.notices.model import Kind
from newsletter.store.engine import Store
from newsletter.store.tables import notice
from tests.audience.people import NOW
from tests.audience.people import consent as given

ROOT = Path(__file__).parents[2]
ADA = "ada@example.org"
PER = timedelta(hours=12)
ACCEPTED = Result(outcome=Outcome.ACCEPTED)

LATEST = Latest(
    label="Vol 2.20",
    url="https://digest.example.org/vol-2-20/",
    pdf_url="https://digest.example.org/vol-2-20/issue.pdf",
    headlines=(
        "Harbor cities on both coasts agree on a common rule for ship fuel",
        "Coast guards hold a rescue drill east of Guam",
        "Chip makers plan a joint school for engineers in Kumamoto",
        "Lawmakers renew the exchange program for legislative staff",
        "Farm trade talks end with a small deal on beef & apples",
    ),
)
NEXT = datetime.fromisoformat("2026-03-17T13:53:00+00:00")


def a_workspace(root: Path, **sections: dict[str, Any]) -> Workspace:
    """Our newsletter.toml and templates; *sections* change keys: subscribe={"from_name": "x"}."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "newsletter.toml").write_bytes((ROOT / "newsletter.toml").read_bytes())
    if not (root / "templates").exists():
        (root / "templates").symlink_to(ROOT / "templates")
    opened = open_workspace(root)
    changed = {
        name: msgspec.structs.replace(getattr(opened.config, name), **keys)
        for name, keys in sections.items()
    }
    return Workspace(opened.root, msgspec.structs.replace(opened.config, **changed))


def ask(conn: sa.Connection, email: str = ADA, *, now: datetime = NOW, **values: Any) -> Subscriber:
    wish = given(ConsentKind.REQUESTED, wording="“Send me the digest.”", at=now)
    person = subscribers.ask(conn, email, consent=wish, source="page", now=now, **values)
    assert person is not None
    return person


def asked(
    store: Store, email: str = ADA, *, now: datetime = NOW, kind: Kind = Kind.CONFIRM
) -> Subscriber:
    """Somebody filled in the form, and the notice of it waits."""
    with store.begin() as conn:
        person = ask(conn, email, now=now)
        assert queue.enqueue(conn, person.id, kind, now=now, per=PER)
    return person


def rows(store: Store) -> list[sa.Row[Any]]:
    with store.read() as conn:
        return list(conn.execute(sa.select(notice).order_by(notice.c.id)))


def outcomes(store: Store) -> list[str | None]:
    return [row.outcome for row in rows(store)]


def send(store: Store, workspace: Workspace, transport: Any, *, now: datetime = NOW) -> post.Sent:
    return post.send_due(store, workspace, transport, now=now, latest=LATEST, next_at=NEXT)


class Answers:
    """A transport that gives its answers one after the other, the last one for ever."""

    name = "smtp"
    window = 1

    def __init__(self, *answers: Result | Exception, act: Callable[[], object] | None = None):
        self._answers = list(answers) or [ACCEPTED]
        self._act = act
        self.messages: list[tuple[str, bytes]] = []

    async def deliver(self, email: str, message: bytes) -> Result:
        self.messages.append((email, message))
        await asyncio.sleep(0)
        if self._act is not None:
            self._act()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def parsed(message: bytes) -> EmailMessage:
    found = message_from_bytes(message, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def bodies(message: bytes) -> tuple[str, str]:
    """Text and HTML."""
    parts = [parsed(message).get_body((kind,)) for kind in ("plain", "html")]
    text, html = (part.get_content() for part in parts if isinstance(part, EmailMessage))
    return text.replace("\r\n", "\n"), html.replace("\r\n", "\n")


def token_in(message: bytes) -> str:
    """The token of the link that confirms, as somebody would follow it from the text."""
    found = re.search(r"^https://\S+/confirm/([A-Za-z0-9_-]+)$", bodies(message)[0], re.MULTILINE)
    assert found is not None
    return found[1]
