"""What happened to a person, and the proof of consent: written here, read here.

Rows are only ever added. What is written must not hold the person's address,
because nothing can take it out again; such a text is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience.fields import text_of
from newsletter.audience.identity import identity_of
from newsletter.audience.model import Consent, Entry
from newsletter.audience.reading import find, hasher_of
from newsletter.errors import UsageError
from newsletter.store.tables import (
    audit,
    campaign,
    consent,
    delivery,
    event,
    notice,
    pause,
    subscriber,
    suppression,
)


def write_audit(
    conn: sa.Connection,
    action: str,
    *,
    actor: str,
    now: datetime,
    subscriber_id: int | None = None,
    detail: str = "",
) -> None:
    """Note who did what, when. *actor* is the operator, or “subscriber”; *action* as in “x.y”."""
    row = {"at": now, "actor": actor, "action": action, "detail": detail}
    conn.execute(sa.insert(audit), {**row, "subscriber_id": subscriber_id})


def write_consent(conn: sa.Connection, subscriber_id: int, given: Consent) -> None:
    conn.execute(
        sa.insert(consent),
        {
            "subscriber_id": subscriber_id,
            "kind": given.kind.value,
            "wording": given.wording,
            "at": given.at,
            "ip": given.ip,
            "page": given.page,
            "confirmed_at": given.confirmed_at,
            "source": given.source,
        },
    )


def check_texts(email: str, *texts: str) -> None:
    """Raise UsageError if a text that is kept for ever holds the person's address, or controls."""
    try:
        for text in texts:
            text_of(text)
    except ValueError as error:
        raise UsageError(str(error)) from error
    spellings = {email.casefold(), identity_of(email).casefold()}
    if any(spelling in text.casefold() for text in texts for spelling in spellings):
        raise UsageError(
            "the text holds the person's address, and it would be kept after an erasure",
            hint="say it without the address: the record knows whom it is about",
        )


def timeline(conn: sa.Connection, subscriber_id: int) -> list[Entry]:
    """Return consent, suppressions and audit of one person, oldest first."""
    entries = [
        *_consents(conn, subscriber_id),
        *_suppressions(conn, subscriber_id),
        *_audits(conn, subscriber_id),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _consents(conn: sa.Connection, subscriber_id: int) -> list[Entry]:
    query = sa.select(consent).where(consent.c.subscriber_id == subscriber_id)
    return [
        Entry(
            at=row.at,
            kind="consent",
            what=row.kind,
            detail=row.wording or row.source,
            ip=row.ip,
            page=row.page,
        )
        for row in conn.execute(query.order_by(consent.c.id))
    ]


def _suppressions(conn: sa.Connection, subscriber_id: int) -> list[Entry]:
    entries = []
    query = (
        sa.select(suppression)
        .join(subscriber, subscriber.c.identity_hash == suppression.c.identity_hash)
        .where(subscriber.c.id == subscriber_id)
        .order_by(suppression.c.id)
    )
    for row in conn.execute(query):
        entries.append(Entry(at=row.at, kind="suppression", what=row.reason, detail=row.source))
        if row.lifted_at is not None:
            entries.append(
                Entry(
                    at=row.lifted_at,
                    kind="suppression",
                    what="lifted",
                    detail=row.lifted_reason or "",
                    actor=row.lifted_by or "",
                )
            )
    return entries


def _audits(conn: sa.Connection, subscriber_id: int) -> list[Entry]:
    query = sa.select(audit).where(audit.c.subscriber_id == subscriber_id).order_by(audit.c.id)
    return [
        Entry(at=row.at, kind="audit", what=row.action, detail=row.detail, actor=row.actor)
        for row in conn.execute(query)
    ]


def record(conn: sa.Connection, email: str) -> dict[str, Any]:
    """Return all that is kept about one person, ready for JSON (GDPR Art. 15).

    Times are ISO 8601. An address that is only suppressed has a record too.

    Raises:
        UsageError: nothing is kept about the address.
    """
    person = find(conn, email)
    suppressions = _suppression_records(conn, email)
    if person is None and not suppressions:
        raise UsageError(f"nothing is kept about “{email}”")
    if person is None:
        return {"email": email, "subscriber": None, "suppressions": suppressions}
    consents = sa.select(consent).where(consent.c.subscriber_id == person.id)
    audits = sa.select(audit).where(audit.c.subscriber_id == person.id)
    return {
        "email": person.email,
        "subscriber": {
            "id": person.id,
            "name": person.name,
            "language": person.language,
            "timezone": person.timezone,
            "format": person.format,
            "status": person.status.value,
            "tags": list(person.tags),
            "pause": _pause(conn, person.id),
            "source": person.source,
            "created_at": person.created_at.isoformat(),
            "updated_at": person.updated_at.isoformat(),
        },
        "consents": [
            _plain(row, "kind", "wording", "at", "ip", "page", "confirmed_at", "source")
            for row in conn.execute(consents.order_by(consent.c.id))
        ],
        "suppressions": suppressions,
        "audit": [
            _plain(row, "at", "actor", "action", "detail")
            for row in conn.execute(audits.order_by(audit.c.id))
        ],
        **_mail(conn, person.id),
    }


def _mail(conn: sa.Connection, subscriber_id: int) -> dict[str, list[dict[str, Any]]]:
    """What was sent to a person, and what came back."""
    deliveries = (
        sa.select(delivery, campaign.c.number)
        .join(campaign, campaign.c.id == delivery.c.campaign_id)
        .where(delivery.c.subscriber_id == subscriber_id)
        .order_by(campaign.c.id)
    )
    # Through the ledger, and apart from those without a campaign: both by an index.
    mailed = sa.select(delivery.c.campaign_id).where(delivery.c.subscriber_id == subscriber_id)
    events = (
        sa.select(event)
        .where(
            event.c.subscriber_id == subscriber_id,
            sa.or_(event.c.campaign_id.in_(mailed), event.c.campaign_id.is_(None)),
        )
        .order_by(event.c.id)
    )
    notices = sa.select(notice).where(notice.c.subscriber_id == subscriber_id)
    return {
        "deliveries": [
            _plain(row, "number", "status", "report", "reply", "updated_at")
            for row in conn.execute(deliveries)
        ],
        "events": [
            _plain(row, "provider", "kind", "at", "permanent", "detail")
            for row in conn.execute(events)
        ],
        "notices": [
            _plain(row, "kind", "created_at", "ended_at", "outcome", "reply")
            for row in conn.execute(notices.order_by(notice.c.id))
        ],
    }


def _pause(conn: sa.Connection, subscriber_id: int) -> dict[str, Any] | None:
    query = sa.select(pause).where(pause.c.subscriber_id == subscriber_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else _plain(row, "since", "issues")


def _suppression_records(conn: sa.Connection, email: str) -> list[dict[str, Any]]:
    try:
        identity_hash = hasher_of(conn).hash(identity_of(email))
    except ValueError:
        return []
    query = sa.select(suppression).where(suppression.c.identity_hash == identity_hash)
    return [
        _plain(row, "reason", "source", "at", "lifted_at", "lifted_by", "lifted_reason")
        for row in conn.execute(query.order_by(suppression.c.id))
    ]


def _plain(row: sa.Row[Any], *names: str) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
