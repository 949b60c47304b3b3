"""SendGrid's event webhook: is it from SendGrid, and what does it say?

`verify` looks at the bytes as they came, before anything parses them. `parse` takes what
it can use; one malformed entry never costs the others. Refuses to tell a forger which
check failed, and to note who opened or clicked.

Sources: twilio.com/docs/sendgrid/for-developers/tracking-events/event and
…/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from newsletter.delivery.reply import masked
from newsletter.errors import ConfigError, NewsletterError
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.severity import is_permanent, status_in

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

PROVIDER = "sendgrid"
SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"

# SendGrid tries again for 24 hours, and nobody says whether it signs each try anew. Within
# this a replay is possible, and harmless: the events are known by then.
MAX_AGE = timedelta(hours=25)
MAX_AHEAD = timedelta(minutes=5)  # of our clock

_MAX_SIGNATURE = 200  # characters; P-256 takes 96
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_PEM = re.compile(r"-----(?:BEGIN|END) PUBLIC KEY-----|\s+")

_KINDS = {
    "processed": Kind.PROCESSED,
    "delivered": Kind.DELIVERED,
    "deferred": Kind.DEFERRED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.DROPPED,
    "spamreport": Kind.COMPLAINED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
}
_TYPE = re.compile(r"[a-z_]{1,40}", re.ASCII)
_MAX_TYPES = 20  # that are counted by name

# SendGrid's own judgement that the sender or the message was refused, not the mailbox.
_NOT_THE_MAILBOX = frozenset(("content", "reputation", "frequency or volume too high"))
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


class WebhookRefused(NewsletterError):  # noqa: N818 - what we do with it
    """A request that cannot be proven to come from SendGrid, now. Says no more on purpose."""

    def __init__(self) -> None:
        super().__init__(
            "the webhook’s signature does not hold",
            hint="compare the verification key with the one in SendGrid’s mail settings, "
            "and this machine’s clock with the time",
        )


# ── is it from SendGrid? ────────────────────────────────────────────────────


def verify(
    public_key: str, *, signature: str | None, timestamp: str | None, body: bytes, now: datetime
) -> None:
    """Check the signature over *timestamp* and *body*, as they came (ECDSA P-256, SHA-256).

    *public_key* is SendGrid's verification key: PEM, or the base64 between its lines.
    *signature* and *timestamp* are the headers' values (base64; seconds since 1970), None
    where there is none.

    Raises:
        WebhookRefused: it does not hold, or is older than `MAX_AGE`.
        ConfigError: *public_key* is no such key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = _key(public_key)
    if signature is None or timestamp is None or len(signature) > _MAX_SIGNATURE:
        raise WebhookRefused
    if not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookRefused
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        raise WebhookRefused from None
    age = now.timestamp() - int(timestamp)
    if not -MAX_AHEAD.total_seconds() <= age <= MAX_AGE.total_seconds():
        raise WebhookRefused


@lru_cache(maxsize=4)
def _key(text: str) -> EllipticCurvePublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(_PEM.sub("", text), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError(
            "the verification key of SendGrid’s webhook is no P-256 public key",
            hint="copy it anew from SendGrid’s mail settings, “Signed Event Webhook”",
        )
    return key


# ── what does it say? ───────────────────────────────────────────────────────


def parse(body: bytes) -> tuple[list[Event], dict[str, int]]:
    """Return the events of *body*, in its order, and how often something else stood there.

    The keys of the second are words for people: “malformed”, “not used: click”.
    """
    try:
        entries = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return [], {"malformed": 1}
    if not isinstance(entries, list):
        return [], {"malformed": 1}
    events: list[Event] = []
    others: Counter[str] = Counter()
    for entry in entries:
        found = _event(entry)
        if isinstance(found, Event):
            events.append(found)
        elif found in others or len(others) < _MAX_TYPES:
            others[found] += 1
        else:
            others["not used: other types"] += 1
    return events, dict(others)


def _event(entry: Any) -> Event | str:
    """The event of one entry, else what it is instead."""
    if not isinstance(entry, dict):
        return "malformed"
    name, seconds, email = entry.get("event"), entry.get("timestamp"), entry.get("email")
    if not isinstance(name, str) or not _TYPE.fullmatch(name):
        return "malformed"
    if name not in _KINDS:
        return f"not used: {name}"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return "malformed"
    if not 0 <= seconds < _LATEST or not isinstance(email, str) or not email:
        return "malformed"
    kind = _KINDS[name]
    return Event(
        provider=PROVIDER,
        event_id=_event_id(entry, name, int(seconds), email),
        kind=kind,
        at=datetime.fromtimestamp(int(seconds), UTC),
        token=_token(entry),
        email=email,
        is_permanent=kind is Kind.BOUNCED and _is_permanent(entry),
        detail=_detail(entry, email),
    )


def _token(entry: dict[str, Any]) -> str | None:
    """Our custom argument; where SendGrid is our SMTP relay, what our Message-ID begins with."""
    if token := _text(entry, "delivery"):
        return token
    return _text(entry, "smtp-id").strip("<>").partition("@")[0] or None


def _event_id(entry: dict[str, Any], name: str, seconds: int, email: str) -> str:
    """Hash what identifies an event; not `sg_event_id`: it may change when SendGrid retries."""
    message = _text(entry, "sg_message_id") or _text(entry, "sg_event_id")
    recipient = _text(entry, "delivery") or email  # a token, where it can be: it outlives nobody
    parts = msgspec.json.encode([message, name, seconds, recipient])
    return hashlib.blake2b(parts, digest_size=16).hexdigest()


def _is_permanent(entry: dict[str, Any]) -> bool:
    # “blocked” is SendGrid's word for a refusal that is not about the mailbox.
    if _text(entry, "type") not in ("", "bounce"):
        return False
    if _text(entry, "bounce_classification").lower() in _NOT_THE_MAILBOX:
        return False
    return is_permanent(status_in(_text(entry, "status")), _text(entry, "reason"))


def _detail(entry: dict[str, Any], email: str) -> str:
    reason = _text(entry, "reason") or _text(entry, "response")
    status = _text(entry, "status")
    return masked(reason if status in reason else f"{status} {reason}", email)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
