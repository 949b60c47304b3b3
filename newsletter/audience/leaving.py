"""Leave the list, be kept off it, be forgotten; and the one way back: a lift with a reason.

A suppression wins over everything until a person lifts it. Leaving and complaining
also withdraw the consent, so that after a lift only a new consent makes the person
active again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import check_texts, write_audit, write_consent
from newsletter.audience.identity import identity_of
from newsletter.audience.model import Consent, ConsentKind, Reason, Status, Subscriber
from newsletter.audience.pausing import end_pause
from newsletter.audience.reading import find, get, hasher_of, locked, other_spellings
from newsletter.errors import UsageError
from newsletter.store.engine import owe_compact
from newsletter.store.insert import add_new
from newsletter.store.tables import (
    confirmation,
    consent,
    notice,
    subscriber,
    subscriber_tag,
    suppression,
)

WITHDRAWS = (Reason.UNSUBSCRIBED, Reason.COMPLAINED)
_NEWSLETTER = "newsletter"  # the actor of what happens by itself
# A graver reason takes the place of a lighter one, so that lifting a bounce lifts no complaint.
GRAVITY = (
    Reason.BOUNCED,
    Reason.MANUAL,
    Reason.UNSUBSCRIBED,
    Reason.COMPLAINED,
    Reason.ERASED,
)


def unsubscribe(
    conn: sa.Connection, subscriber_id: int, *, source: str, now: datetime, actor: str
) -> Subscriber | None:
    """Take a person off the list for good; again changes nothing. None: there is no such person.

    *source* is where they said so: “one-click”, “page”, “answer by mail”.
    """
    row = locked(conn, subscriber.c.id == subscriber_id)
    if row is not None and row.status != Status.ERASED:
        suppress(conn, row.email, reason=Reason.UNSUBSCRIBED, source=source, now=now, actor=actor)
    return get(conn, subscriber_id)


def suppress(
    conn: sa.Connection, email: str, *, reason: Reason, source: str, now: datetime, actor: str
) -> bool:
    """Never mail this address in any letter case, on the list or not; False if that stood already.

    For “unsubscribed” and “complained” the person on the list leaves it: of the exact
    spelling, or of the only other one. Open confirmations become void.

    Raises:
        UsageError: it is no address.
    """
    if reason is Reason.ERASED:
        raise ValueError("erasing is more than suppressing: see erase()")
    identity = _identity(email)
    check_texts(email, source, actor)
    row = _meant(conn, identity)
    subscriber_id = None if row is None else row.id
    is_new = _suppress(conn, identity, reason=reason, source=source, now=now, actor=actor)
    if is_new:
        write_audit(
            conn,
            "subscriber.suppress",
            actor=actor,
            now=now,
            subscriber_id=subscriber_id,
            detail=f"{reason.value}: {source}",
        )
    if row is None:
        return is_new
    _void_confirmations(conn, row.id)
    if reason in WITHDRAWS and row.status != Status.UNSUBSCRIBED:
        _set_status(conn, row.id, Status.UNSUBSCRIBED, now)
        withdrawn = Consent(kind=ConsentKind.WITHDRAWN, wording="", at=now, source=source)
        write_consent(conn, row.id, withdrawn)
        write_audit(
            conn,
            "subscriber.unsubscribe",
            actor=actor,
            now=now,
            subscriber_id=row.id,
            detail=source,
        )
    return is_new


def lift(conn: sa.Connection, email: str, *, reason: str, now: datetime, actor: str) -> Reason:
    """End the suppression of an address because of *reason*; return why it stood.

    A person who left stays unsubscribed: it takes a new consent (`add`, `request`) to
    mail them again. One who bounced or was suppressed by hand is mailed again.

    Raises:
        UsageError: it is no address, it is not suppressed, there is no reason, or it may
            be one of several people (see `find`).
    """
    identity = _identity(email)
    person = find(conn, email)
    if not reason.strip():
        raise UsageError(
            f"the suppression of “{email}” is lifted only with a reason",
            hint='say why, as in: --reason "wrote on 3 March that the mailbox works again"',
        )
    check_texts(email, reason, actor)
    lifted = (
        sa.update(suppression)
        .where(
            suppression.c.identity_hash == hasher_of(conn).hash(identity),
            suppression.c.lifted_at.is_(None),
        )
        .values(lifted_at=now, lifted_by=actor, lifted_reason=reason)
        .returning(suppression.c.reason)
    )
    found = conn.scalars(lifted).one_or_none()
    if found is None:
        raise UsageError(f"“{email}” is not suppressed")
    write_audit(
        conn,
        "subscriber.unsuppress",
        actor=actor,
        now=now,
        subscriber_id=None if person is None else person.id,
        detail=f"{found}: {reason}",
    )
    return Reason(found)


def erase(conn: sa.Connection, email: str, *, now: datetime, actor: str) -> bool:
    """Forget a person: all that is personal goes, a hash that keeps them off the list stays.

    Consent and audit keep their rows, without IP and page, under a number that leads
    to nobody. Of people whose addresses differ only in letter case the others stay on
    the list, and are not mailed. False if the address was erased before. The old bytes
    may stay in the database's files until `Store.compact()`, which is owed from now on:
    `newsletter run` does it when nothing is sent (see `Store.compact_owed`).

    Raises:
        UsageError: it is no address, nothing is kept about it, or it may be one of
            several people (see `find`).
    """
    identity = _identity(email)
    person = find(conn, email)
    if person is not None:
        identity = _identity(person.email)
    identity_hash = hasher_of(conn).hash(identity)
    row = locked(conn, subscriber.c.identity == identity)
    known = sa.select(suppression.c.reason, suppression.c.lifted_at).where(
        suppression.c.identity_hash == identity_hash
    )
    suppressions = conn.execute(known).all()
    if row is None and not suppressions:
        raise UsageError(f"nothing is kept about “{email}”")
    is_new = _suppress(conn, identity, reason=Reason.ERASED, source="erase", now=now, actor=actor)
    conn.execute(
        sa.update(suppression)
        .where(suppression.c.identity_hash == identity_hash)
        .values(identity=None)
    )
    if row is not None:
        _forget(conn, row.id, now)
    owe_compact(conn, now)
    if is_new or row is not None:
        write_audit(
            conn,
            "subscriber.erase",
            actor=actor,
            now=now,
            subscriber_id=None if row is None else row.id,
        )
    return is_new or row is not None


def erase_by_id(conn: sa.Connection, subscriber_id: int, *, now: datetime, actor: str) -> bool:
    """`erase` for who is known by a signed link; False: there is no such person any more."""
    row = locked(conn, subscriber.c.id == subscriber_id)
    if row is None or row.status == Status.ERASED:
        return False
    return erase(conn, row.email, now=now, actor=actor)


UNCONFIRMED_KEPT = timedelta(days=30)  # after the request is void


def forget_unconfirmed(
    conn: sa.Connection, *, before: datetime, now: datetime, most: int = 500
) -> int:
    """Forget who last asked before *before* and never confirmed; return how many, up to *most*.

    Nobody knows whose address it was. No suppression stays, so that they may ask again.
    """
    asked = sa.select(sa.func.max(consent.c.at)).where(consent.c.subscriber_id == subscriber.c.id)
    requested = sa.exists().where(
        consent.c.subscriber_id == subscriber.c.id,
        consent.c.kind == ConsentKind.REQUESTED.value,
    )
    stale = (
        subscriber.c.status == Status.PENDING.value,
        requested,
        asked.scalar_subquery() < before,
    )
    found = sa.select(subscriber.c.id).where(*stale).order_by(subscriber.c.id).limit(most)
    number = 0
    for subscriber_id in conn.scalars(found).all():
        # Held, and looked at again: they may have asked or confirmed in this moment.
        if locked(conn, sa.and_(subscriber.c.id == subscriber_id, *stale)) is None:
            continue
        _forget(conn, subscriber_id, now)
        write_audit(
            conn, "subscriber.forget", actor=_NEWSLETTER, now=now, subscriber_id=subscriber_id
        )
        number += 1
    return number


# ── steps ───────────────────────────────────────────────────────────────────


def _identity(email: str) -> str:
    try:
        return identity_of(email)
    except ValueError as error:
        raise UsageError(f"“{email[:100]}” is no e-mail address: {error}") from error


def _meant(conn: sa.Connection, identity: str) -> sa.Row[Any] | None:
    """The row of the exact spelling, else of the only other one; held until the end."""
    row = locked(conn, subscriber.c.identity == identity)
    others = [] if row is not None else other_spellings(conn, identity)
    if len(others) != 1:
        return row
    return locked(conn, sa.and_(subscriber.c.id == others[0], subscriber.c.identity.is_not(None)))


def _suppress(
    conn: sa.Connection, identity: str, *, reason: Reason, source: str, now: datetime, actor: str
) -> bool:
    identity_hash = hasher_of(conn).hash(identity)
    lighter = [known.value for known in GRAVITY[: GRAVITY.index(reason)]]
    conn.execute(
        sa.update(suppression)
        .where(
            suppression.c.identity_hash == identity_hash,
            suppression.c.lifted_at.is_(None),
            suppression.c.reason.in_(lighter),
        )
        .values(lifted_at=now, lifted_by=actor, lifted_reason=f"now {reason.value}")
    )
    row = {"identity": identity, "identity_hash": identity_hash, "reason": reason.value}
    return add_new(conn, suppression, {**row, "source": source, "at": now})


def _void_confirmations(conn: sa.Connection, subscriber_id: int) -> None:
    conn.execute(sa.delete(confirmation).where(confirmation.c.subscriber_id == subscriber_id))


def _set_status(conn: sa.Connection, subscriber_id: int, status: Status, now: datetime) -> None:
    end_pause(conn, subscriber_id)
    conn.execute(
        sa.update(subscriber)
        .where(subscriber.c.id == subscriber_id)
        .values(status=status.value, updated_at=now)
    )


def _forget(conn: sa.Connection, subscriber_id: int, now: datetime) -> None:
    _void_confirmations(conn, subscriber_id)
    end_pause(conn, subscriber_id)
    conn.execute(sa.delete(notice).where(notice.c.subscriber_id == subscriber_id))
    conn.execute(sa.delete(subscriber_tag).where(subscriber_tag.c.subscriber_id == subscriber_id))
    conn.execute(
        sa.update(consent)
        .where(consent.c.subscriber_id == subscriber_id)
        .values(ip=None, page=None)
    )
    conn.execute(
        sa.update(subscriber)
        .where(subscriber.c.id == subscriber_id)
        .values(
            email=None,
            identity=None,
            identity_hash=None,
            name="",
            language="",
            timezone="",
            format="html",
            source="",
            status=Status.ERASED.value,
            updated_at=now,
        )
    )
