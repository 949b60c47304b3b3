"""Note that somebody asked for the newsletter, whoever they are; the mailbox decides the rest.

Shared by the form and the API. What the database knows of the address changes nothing
that can be seen here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from newsletter.audience import asking, fields
from newsletter.audience.model import Consent, ConsentKind, Status
from newsletter.errors import UsageError
from newsletter.notices import queue
from newsletter.notices.model import Kind

if TYPE_CHECKING:
    from newsletter.web.context import Context


class NotUsable(ValueError):  # noqa: N818 - what the page says
    """A field cannot be used, whoever's it is; the message is for the person who filled it in."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that could be met, checked but for what is known of the address."""

    email: str
    name: str
    language: str
    timezone: str
    ip: str | None
    page: str
    source: str  # page | api


def checked(
    email: str,
    *,
    name: str = "",
    language: str = "",
    timezone: str = "",
    ip: str | None,
    page: str,
    source: str,
) -> Asked:
    """Check the form of every value.

    Raises:
        NotUsable: one of them cannot be used; says which and why.
    """
    try:
        address = fields.address_of(email.strip())
    except ValueError as error:
        raise NotUsable(
            f"This e-mail address cannot be used: {error}." if email.strip() else _NO_ADDRESS,
            field="email",
        ) from error
    return Asked(
        email=address,
        name=_usable(fields.name_of, name, "name"),
        language=_usable(fields.language_of, language, "language"),
        timezone=_usable(fields.time_zone_of, timezone, "timezone"),
        ip=ip,
        page=page,
        source=source,
    )


def _usable(check: Callable[[str], str], text: str, field: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise NotUsable(f"{str(error)[0].upper()}{str(error)[1:]}.", field=field) from error


_NO_ADDRESS = "Please fill in your e-mail address."


def ask(context: Context, asked: Asked) -> None:
    """Note the request, and the notice that follows from it, in one transaction.

    Raises:
        StorageError: the database refused; nothing was noted.
    """
    now = context.clock()
    config = context.config
    given = Consent(
        kind=ConsentKind.REQUESTED,
        wording=config.consent_wording,
        at=now,
        ip=asked.ip,
        page=asked.page,
        source=asked.source,
    )
    # Suppressed, or the address in a text that is kept: the same answer as ever.
    with suppress(UsageError), context.store.begin() as conn:
        person = asking.ask(
            conn,
            asked.email,
            name=asked.name,
            language=asked.language,
            timezone=asked.timezone,
            consent=given,
            source=asked.source,
            now=now,
            may_return=True,
        )
        if person is None:
            return
        is_known = person.status in (Status.ACTIVE, Status.PAUSED)
        per = timedelta(hours=config.subscribe.per_address_hours)
        queue.enqueue(conn, person.id, Kind.KNOWN if is_known else Kind.CONFIRM, now=now, per=per)
