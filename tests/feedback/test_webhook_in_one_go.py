"""Ten thousand events of SendGrid in one signed body: verified, stored once, and what follows."""

from __future__ import annotations

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.feedback.recording import Recorded, record
from newsletter.feedback.sendgrid_events import WebhookRefused, parse, verify
from tests.feedback.sent_campaigns import CAMPAIGNS, LINKS, NOW, reader, token, world

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
STAMP = str(int(NOW.timestamp()))
PEOPLE = 250
NAMES = ["processed", "delivered", "deferred", "bounce", "delivered"]


def entry(number: int) -> dict[str, object]:
    """Each person has ten events of each campaign; every fifth is a bounce of somebody."""
    subscriber_id, campaign_id = number % PEOPLE + 1, number // PEOPLE % CAMPAIGNS + 1
    return {
        "event": NAMES[number % len(NAMES)],
        "email": reader(subscriber_id),
        "timestamp": int(NOW.timestamp()) - number,
        "sg_message_id": f"message-{number}",
        "delivery": token(campaign_id, subscriber_id),
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 no such user",
    }


BODY = json.dumps([entry(number) for number in range(10_000)]).encode()


def receive(store, body: bytes, *, signature: str) -> Recorded:
    """As the webhook does it: first the signature, over the bytes as they came."""
    verify(PUBLIC, signature=signature, timestamp=STAMP, body=body, now=NOW)
    events, others = parse(body)
    assert others == {}
    return record(store, events, links=LINKS, now=NOW, actor="sendgrid webhook")


def signed(body: bytes) -> str:
    data = STAMP.encode() + body
    return base64.b64encode(KEY.sign(data, ec.ECDSA(hashes.SHA256()))).decode()


def test_ten_thousand_signed_events_are_stored_once_and_suppress_whom_they_should(store):
    world(store, people=PEOPLE)
    started = time.perf_counter()
    first = receive(store, BODY, signature=signed(BODY))
    assert time.perf_counter() - started < 30  # a bound, not the speed: see benchmarks
    assert first == Recorded(new=10_000, suppressed=PEOPLE // len(NAMES))
    assert receive(store, BODY, signature=signed(BODY)) == Recorded(known=10_000)
    backwards = json.dumps(json.loads(BODY)[::-1]).encode()
    assert receive(store, backwards, signature=signed(backwards)) == Recorded(known=10_000)


def test_one_changed_byte_in_ten_thousand_events_stores_none(store):
    world(store)
    tampered = BODY.replace(b"550 5.1.1", b"550 5.1.0", 1)
    with pytest.raises(WebhookRefused):
        receive(store, tampered, signature=signed(BODY))
    assert receive(store, b"[]", signature=signed(b"[]")) == Recorded()
