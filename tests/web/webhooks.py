"""SendGrid's side of the webhook: a key, signed requests, and events about a served world."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.audience.model import Subscriber
from newsletter.compose.message import Headers
from newsletter.delivery.mailing import Frozen
from newsletter.delivery.model import Status as DeliveryStatus
from newsletter.feedback.sendgrid_events import SIGNATURE_HEADER, TIMESTAMP_HEADER
from newsletter.store.engine import Store
from newsletter.store.tables import campaign, delivery, edition, event
from tests.web.worlds import NOW, World, served

PATH = "/webhooks/sendgrid"
KEY = ec.generate_private_key(ec.SECP256R1())
FROZEN = Frozen(
    number="2.20",
    headers=Headers(
        from_name="The Digest",
        from_email="news@example.org",
        reply_to=None,
        subject="Harbor cities agree",
        date=NOW,
        list_name="Digest",
        list_id="digest.example.org",
        archive_url="https://digest.example.org/",
        help_email="digest@example.org",
        feedback_id="vol-2-20:edition:newsletter:example",
        language="en",
    ),
    web_url="https://digest.example.org/vol-2-20/",
)


def public(key: ec.EllipticCurvePrivateKey = KEY) -> str:
    data = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(data).decode()


@contextmanager
def hooked(store: Store, root: Path, **options: Any) -> Iterator[World]:
    """A world whose webhook is open for what `KEY` signs."""
    with served(store, root, feedback={"sendgrid_key": public()}, **options) as world:
        yield world


def body_of(events: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps(list(events), separators=(",", ":")).encode() + b"\r\n"


def signed(body: bytes, at: float, key: ec.EllipticCurvePrivateKey = KEY) -> dict[str, str]:
    stamp = str(int(at))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        SIGNATURE_HEADER: base64.b64encode(signature).decode(),
        TIMESTAMP_HEADER: stamp,
        "content-type": "application/json",
    }


def tell(world: World, *events: dict[str, Any]):  # type: ignore[no-untyped-def]
    """One request of SendGrid's, as it should be."""
    body = body_of(events)
    headers = signed(body, world.at.timestamp())
    return world.client.post(PATH, content=body, headers=headers)


def an_event(world: World, person: Subscriber, kind: str, number: int = 1, **values: Any):  # type: ignore[no-untyped-def]
    """What SendGrid tells of campaign 1 to *person*; *number* tells its messages apart."""
    token = world.context.links.tokens.sign("delivery", 1 << 40 | person.id)
    return {
        "email": person.email,
        "event": kind,
        "timestamp": int(world.at.timestamp()) - 60,
        "sg_message_id": f"message-{number}.recvd",
        "delivery": token,
        **values,
    }


def send_campaign(world: World, people: list[Subscriber], status: DeliveryStatus) -> None:
    """Campaign 1 went to *people*, with this outcome of each."""
    with world.store.begin() as conn:
        conn.execute(sa.insert(edition), {"hash": "00", "number": "2.20", "frozen_at": world.at})
        row = {
            "id": 1,
            "number": "2.20",
            "audience": "",
            "edition_hash": "00",
            "transport": "sendgrid",
            "mailing": FROZEN.to_json(),
            "state": "completed",
            "intended": len(people),
            "created_at": world.at,
            "created_by": "operator",
            "updated_at": world.at,
        }
        conn.execute(sa.insert(campaign), row)
        conn.execute(
            sa.insert(delivery),
            [
                {
                    "campaign_id": 1,
                    "subscriber_id": person.id,
                    "status": status.value,
                    "reply": "no answer",
                    "updated_at": world.at,
                }
                for person in people
            ],
        )


def kinds(world: World) -> list[str]:
    """The kinds of what is recorded."""
    with world.store.read() as conn:
        return list(conn.scalars(sa.select(event.c.kind).order_by(event.c.kind)))


def deliveries(world: World) -> list[tuple[str, str | None]]:
    """Status and report of each delivery."""
    query = sa.select(delivery.c.status, delivery.c.report).order_by(delivery.c.subscriber_id)
    with world.store.read() as conn:
        return [tuple(row) for row in conn.execute(query)]
