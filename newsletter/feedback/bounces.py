"""What a mail in the bounce mailbox says: failures, delays, complaints, wishes to leave.

In this order: a wish to leave (the subject that our List-Unsubscribe asks for), a
complaint, a status report, what flufl.bounce knows. Automatic replies, challenges
and letters of people say nothing. Never raises; refuses to judge (see `severity`)
and to record.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from newsletter.delivery.reply import masked
from newsletter.feedback.arf import complaint_in
from newsletter.feedback.dsn import Block, address_in, blocks_in, is_report
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.loose import findings_in, said_about
from newsletter.feedback.returned_mail import ReturnedMail, field_of, read
from newsletter.feedback.severity import is_permanent

PROVIDER = "mailbox"
_MAX_PASSED_ON = 2

_SIGNED = r"(?P<token>[A-Za-z0-9_-]{23,32})"  # newsletter.audience.tokens: 17 to 24 bytes
_MESSAGE_ID = re.compile(
    rf"^[ \t>]*(?:X-(?:MS-)?(?:Exchange-)?(?:Original-?)?)?Message-ID[ \t]*:\s*<{_SIGNED}@",
    re.IGNORECASE | re.MULTILINE,
)
_REFERENCE = re.compile(rf"<{_SIGNED}@")
# Our List-Unsubscribe names the delivery, too: feedback loops may take the Message-ID out.
_BY_MAIL = re.compile(rf"[?&]subject=unsubscribe(?:%20|\+){_SIGNED}>", re.IGNORECASE)
_VERP = re.compile(rf"\+{_SIGNED}@")
_VERP_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_MARKED = r"(?:\[[^\[\]]{1,30}\]\s*|\*{2,5}\w{1,20}\*{2,5}\s*)?"  # by a filter: “[SPAM?] …”
_UNSUBSCRIBE = re.compile(
    rf"{_MARKED}(?:(?:re|fwd?)\s*:\s*)*unsubscribe(?:\s|\+|:|%20)+<?{_SIGNED}>?", re.I
)

_ACTIONS = {
    "failed": Kind.BOUNCED,
    "failure": Kind.BOUNCED,
    "error": Kind.BOUNCED,  # OpenSMTPD
    "delayed": Kind.DEFERRED,
    "delivered": Kind.DELIVERED,
}  # relayed and expanded: whether it arrived is not known (RFC 3464 §2.3.3)


@dataclass(frozen=True, kw_only=True)
class _Found:
    kind: Kind
    email: str | None
    is_permanent: bool = False
    detail: str = ""


def parse_bounce(message: bytes, *, at: datetime | None) -> list[Event]:
    """Return what *message* (RFC 5322, as it came) says, an event for each recipient.

    *at* is when it came (aware); without it its own Date counts. The same mail gives
    the same event ids, however often it is read. At most 1 MiB of it is looked at.
    """
    outer = read(message)
    mail = _passed_on(outer)
    leaving = _UNSUBSCRIBE.fullmatch(mail.header("Subject").strip())
    token = leaving["token"] if leaving is not None else _token(mail)
    if leaving is not None:
        found = [_Found(kind=Kind.UNSUBSCRIBED, email=None, detail="by mail")]
    else:
        found = _found(mail, has_token=token is not None)
    if not found:
        return []
    identity = outer.header("Message-ID") or hashlib.sha256(message).hexdigest()
    when = _time(outer, at)
    return [
        Event(
            provider=PROVIDER,
            event_id=_event_id(identity, token, one),
            kind=one.kind,
            at=when,
            token=token,
            email=one.email,
            is_permanent=one.is_permanent,
            detail=masked(one.detail, one.email or ""),
        )
        for one in _once(found)
    ]


def _passed_on(mail: ReturnedMail) -> ReturnedMail:
    """The bounce inside *mail*, where somebody passed one on as an attachment."""
    for _ in range(_MAX_PASSED_ON):
        if any(map(is_report, mail.texts)):
            break
        inner = next(filter(is_report, mail.returned), None)
        if inner is None:
            break
        mail = read(inner.encode("utf-8", "replace"))
    return mail


def _found(mail: ReturnedMail, *, has_token: bool) -> list[_Found]:
    complaint = complaint_in(mail)
    if complaint is not None:
        if complaint.kind is None:
            return []
        email = complaint.email or _returned_to(mail)
        return [_Found(kind=complaint.kind, email=email, detail=complaint.detail)]
    reports = [text for text in mail.texts if is_report(text)]
    if reports:
        blocks = [block for text in reports for block in blocks_in(text)]
        found = [_of_block(block, mail, is_only=len(blocks) == 1) for block in blocks]
        if found:
            return [one for one in found if one is not None]
    return [
        _Found(
            kind=Kind.DEFERRED if one.is_delay else Kind.BOUNCED,
            email=one.email or _returned_to(mail),
            is_permanent=one.is_permanent,
            detail=one.detail,
        )
        for one in findings_in(mail, has_token=has_token)
    ]


def _of_block(block: Block, mail: ReturnedMail, *, is_only: bool) -> _Found | None:
    kind = _ACTIONS.get(block.action)
    if kind is None:
        return None
    email = block.email
    if email is None and is_only:
        email = address_in(mail.header("X-Failed-Recipients")) or _returned_to(mail)
    detail = block.diagnostic
    if not detail and (block.status is None or block.status.endswith(".0.0")):
        detail = said_about(mail, email or "")  # some give the reason in words alone
    permanent = kind is Kind.BOUNCED and is_permanent(block.status, detail)
    if block.status is not None and block.status not in detail:
        detail = f"{block.status} {detail}".strip()
    return _Found(kind=kind, email=email, is_permanent=permanent, detail=detail)


def _returned_to(mail: ReturnedMail) -> str | None:
    """To whom the returned message was: one of ours has one recipient."""
    addresses = (address_in(field_of(text, "To")) for text in mail.returned)
    return next(filter(None, addresses), None)


def _token(mail: ReturnedMail) -> str | None:
    """The delivery's token: by our return address, what is returned of ours, the references."""
    for name in _VERP_HEADERS:
        for value in mail.headers(name):
            if verp := _VERP.search(value):
                return verp["token"]
    for pattern in (_MESSAGE_ID, _BY_MAIL):
        for text in (*mail.returned, *mail.texts):
            if returned := pattern.search(text):
                return returned["token"]
    for name in ("X-Original-Message-ID", "In-Reply-To", "References"):
        if reference := _REFERENCE.search(mail.header(name)):
            return reference["token"]
    return None


def _time(mail: ReturnedMail, at: datetime | None) -> datetime:
    if at is not None:
        return at.astimezone(UTC)
    try:
        date = parsedate_to_datetime(mail.header("Date"))
        return (date.replace(tzinfo=UTC) if date.tzinfo is None else date).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return datetime.fromtimestamp(0, UTC)  # of no known time: never counts as recent


def _event_id(identity: str, token: str | None, found: _Found) -> str:
    parts = (identity, token or "", (found.email or "").lower(), found.kind)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _once(found: list[_Found]) -> Iterator[_Found]:
    """One event for each address and kind: the permanent one where there are two."""
    best: dict[tuple[str, Kind], _Found] = {}
    for one in found:
        key = ((one.email or "").lower(), one.kind)
        if key not in best or one.is_permanent > best[key].is_permanent:
            best[key] = one
    yield from best.values()
