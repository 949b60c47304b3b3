"""Come onto the list by oneself: ask, get a token by mail, confirm with it.

Anybody can fill in a form with anybody's address, so a request alone changes nothing
for a person who is on the list or has left it. Who left comes back only by their own
confirmation of a request that is newer than the leaving; who complained, bounced, was
erased or suppressed by hand does not. Refuses to send mail: see `newsletter.notices`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from newsletter.audience.history import check_texts, write_audit, write_consent
from newsletter.audience.joining import row_of
from newsletter.audience.model import Consent, ConsentKind, Reason, Status, Subscriber
from newsletter.audience.profile import (
    add_tags,
    changes_of,
    checked_tags,
    checked_values,
    fresh,
    update,
)
from newsletter.audience.reading import active_reason, locked, suppression_of
from newsletter.audience.tokens import confirmation_hash, new_confirmation
from newsletter.errors import UsageError
from newsletter.store.tables import confirmation, consent, subscriber, suppression

CONFIRM_WITHIN = timedelta(days=7)
SUBSCRIBER = "subscriber"  # the actor of what people do themselves

_MAY_RETURN = frozenset({Reason.UNSUBSCRIBED})
CONFIRMED_ANEW = "confirmed anew"  # why a suppression was lifted


class ConfirmationState(StrEnum):
    """What a page can say of a token before and after its button is pressed."""

    OPEN = "open"  # it would count now
    DONE = "done"  # it has counted, and the person is on the list
    VOID = "void"  # anything else: unknown, too late, or the person has left since


def ask(
    conn: sa.Connection,
    email: str,
    *,
    name: str = "",
    language: str = "",
    timezone: str = "",
    format: str = "",  # noqa: A002 - the column's name
    tags: Iterable[str] = (),
    consent: Consent,
    source: str,
    actor: str = SUBSCRIBER,
    now: datetime,
    may_return: bool = True,
) -> Subscriber | None:
    """Note that somebody asked for the newsletter; None: this address may not be mailed.

    Only a new or pending person takes the values. *may_return*: one who left is asked to
    confirm, too; until they do, nothing changes for them.

    Raises:
        UsageError: a value is not usable.
    """
    values = checked_values(email, name=name, language=language, timezone=timezone, format=format)
    wanted = checked_tags(tags)
    check_texts(email, consent.wording, consent.source, source, actor, *wanted)
    despite = _MAY_RETURN if may_return else frozenset[Reason]()
    reason = suppression_of(conn, email)
    if reason is not None and reason not in despite:
        return None
    row, is_new = row_of(
        conn, email, values, status=Status.PENDING, source=source, now=now, despite=despite
    )
    reason = active_reason(conn, row.identity_hash)
    before = Status(row.status)
    if before is Status.PENDING or (before is Status.UNSUBSCRIBED and reason is None):
        changes = {} if is_new else changes_of(row, values)
        if before is Status.UNSUBSCRIBED:
            changes["status"] = Status.PENDING.value
        new_tags = add_tags(conn, row.id, wanted)
        update(conn, row.id, changes, touched=bool(new_tags), now=now)
    if not _asked_since_leaving(conn, row):
        # What was mailed before the leaving must not count for what is asked now.
        _void(conn, row.id)
    write_consent(conn, row.id, consent)
    write_audit(conn, "subscriber.request", actor=actor, now=now, subscriber_id=row.id)
    return fresh(conn, row.id)


def new_token(conn: sa.Connection, subscriber_id: int, *, now: datetime, within: timedelta) -> str:
    """Return a token that confirms the person's request once, until *within* has passed.

    Only its hash is kept. To be made when the mail with it is about to leave.
    """
    token, token_hash = new_confirmation()
    row = {"token_hash": token_hash, "subscriber_id": subscriber_id, "expires_at": now + within}
    conn.execute(sa.insert(confirmation), row)
    return token


def request(
    conn: sa.Connection,
    email: str,
    *,
    now: datetime,
    within: timedelta = CONFIRM_WITHIN,
    may_return: bool = False,
    **values: Any,
) -> tuple[Subscriber, str]:
    """`ask` and `new_token` in one, for who hands the token over by other ways.

    Raises:
        UsageError: a value is not usable, or the person left or is suppressed.
    """
    person = ask(conn, email, now=now, may_return=may_return, **values)
    if person is None:
        reason = suppression_of(conn, email)
        raise UsageError(
            f"“{email}” is suppressed ({reason}) and is not mailed",
            hint="if they ask to be mailed again: newsletter subscribers unsuppress, then add",
        )
    return person, new_token(conn, person.id, now=now, within=within)


def confirm(
    conn: sa.Connection,
    token: str,
    *,
    now: datetime,
    ip: str | None = None,
    page: str | None = None,
) -> Subscriber | None:
    """Take a confirmation and make the person active; None if it does not count.

    It counts once, in time, and where `may_confirm` says so; for one who had left it lifts
    their own suppression. Only a hash is compared, and unknown, used and expired tokens
    run the same statements.
    """
    token_hash = confirmation_hash(token)
    owner = sa.select(confirmation.c.subscriber_id).where(confirmation.c.token_hash == token_hash)
    # The person is locked first, as wherever somebody leaves: else two writers deadlock.
    row = locked(conn, subscriber.c.id == owner.scalar_subquery())
    taken = (
        sa.update(confirmation)
        .where(
            confirmation.c.token_hash == token_hash,
            confirmation.c.used_at.is_(None),
            confirmation.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(confirmation.c.subscriber_id)
    )
    if conn.scalars(taken).one_or_none() is None or row is None:
        return None
    if not _may_confirm(conn, row):
        return None
    if active_reason(conn, row.identity_hash) is not None:
        _lift_own(conn, row, now)
    if row.status in (Status.PENDING, Status.UNSUBSCRIBED):
        update(conn, row.id, {"status": Status.ACTIVE.value}, touched=True, now=now)
    given = Consent(
        kind=ConsentKind.CONFIRMED,
        wording=_requested_wording(conn, row.id),
        at=now,
        ip=ip,
        page=page,
        source="confirmation",
    )
    write_consent(conn, row.id, given)
    write_audit(conn, "subscriber.confirm", actor=SUBSCRIBER, now=now, subscriber_id=row.id)
    return fresh(conn, row.id)


def confirmation_state(conn: sa.Connection, token: str, *, now: datetime) -> ConfirmationState:
    """Look at a token without using it up. Changes nothing, so a scanner may ask, too."""
    query = sa.select(confirmation).where(confirmation.c.token_hash == confirmation_hash(token))
    found = conn.execute(query).one_or_none()
    if found is None:
        return ConfirmationState.VOID
    row = conn.execute(sa.select(subscriber).where(subscriber.c.id == found.subscriber_id)).one()
    if found.used_at is not None:
        is_on = row.status in (Status.ACTIVE, Status.PAUSED)
        is_on = is_on and active_reason(conn, row.identity_hash) is None
        return ConfirmationState.DONE if is_on else ConfirmationState.VOID
    counts = found.expires_at > now and _may_confirm(conn, row)
    return ConfirmationState.OPEN if counts else ConfirmationState.VOID


def may_confirm(conn: sa.Connection, subscriber_id: int) -> bool:
    """Whether a confirmation of this person would count now, and the row is held until the end."""
    row = locked(conn, subscriber.c.id == subscriber_id)
    return row is not None and _may_confirm(conn, row)


# ── steps ───────────────────────────────────────────────────────────────────


def _may_confirm(conn: sa.Connection, row: sa.Row[Any]) -> bool:
    if row.status == Status.ERASED:
        return False
    reason = active_reason(conn, row.identity_hash)
    if reason is not None and reason not in _MAY_RETURN:
        return False
    return _asked_since_leaving(conn, row)


def _asked_since_leaving(conn: sa.Connection, row: sa.Row[Any]) -> bool:
    """Whether the last request is newer than the last leaving; True for who never left."""
    asked = _last(conn, row.id, ConsentKind.REQUESTED)
    suppressed_at = conn.scalars(
        sa.select(suppression.c.at).where(
            suppression.c.identity_hash == row.identity_hash, suppression.c.lifted_at.is_(None)
        )
    ).one_or_none()
    left = [suppressed_at]
    if row.status == Status.UNSUBSCRIBED:
        left.append(_last(conn, row.id, ConsentKind.WITHDRAWN) or row.updated_at)
    return all(at is None or (asked is not None and asked > at) for at in left)


def _void(conn: sa.Connection, subscriber_id: int) -> None:
    conn.execute(sa.delete(confirmation).where(confirmation.c.subscriber_id == subscriber_id))


def _last(conn: sa.Connection, subscriber_id: int, kind: ConsentKind) -> datetime | None:
    query = sa.select(sa.func.max(consent.c.at)).where(
        consent.c.subscriber_id == subscriber_id, consent.c.kind == kind.value
    )
    found: datetime | None = conn.scalar(query)
    return found


def _lift_own(conn: sa.Connection, row: sa.Row[Any], now: datetime) -> None:
    """End the suppression of one who had left. Nobody else comes back by it.

    A suppression holds for every letter case (see `identity`), so other spellings may have
    been kept off by it alone: they stay off, as people who left.
    """
    others = (
        sa.update(subscriber)
        .where(
            subscriber.c.identity_hash == row.identity_hash,
            subscriber.c.id != row.id,
            subscriber.c.status.in_((Status.ACTIVE.value, Status.PAUSED.value)),
        )
        .values(status=Status.UNSUBSCRIBED.value, updated_at=now)
        .returning(subscriber.c.id)
    )
    for other in conn.scalars(others).all():
        _void(conn, other)
        detail = f"subscriber {row.id}, another spelling, {CONFIRMED_ANEW}"
        action = "subscriber.unsubscribe"
        write_audit(conn, action, actor=SUBSCRIBER, now=now, subscriber_id=other, detail=detail)
    lifted = (
        sa.update(suppression)
        .where(
            suppression.c.identity_hash == row.identity_hash,
            suppression.c.lifted_at.is_(None),
            suppression.c.reason.in_([reason.value for reason in _MAY_RETURN]),
        )
        .values(lifted_at=now, lifted_by=SUBSCRIBER, lifted_reason=CONFIRMED_ANEW)
    )
    conn.execute(lifted)
    write_audit(
        conn,
        "subscriber.unsuppress",
        actor=SUBSCRIBER,
        now=now,
        subscriber_id=row.id,
        detail=f"{Reason.UNSUBSCRIBED.value}: {CONFIRMED_ANEW}",
    )


def _requested_wording(conn: sa.Connection, subscriber_id: int) -> str:
    query = (
        sa.select(consent.c.wording)
        .where(
            consent.c.subscriber_id == subscriber_id,
            consent.c.kind == ConsentKind.REQUESTED.value,
        )
        .order_by(consent.c.id.desc())
        .limit(1)
    )
    return conn.scalars(query).one_or_none() or ""
