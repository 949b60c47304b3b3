"""Complaints: feedback reports (RFC 5965), and those of Outlook.com, which have no report.

Refuses to take every report for a complaint: authentication failures and “not spam”
say nothing against the message.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.feedback.dsn import address_in
from newsletter.feedback.events import Kind
from newsletter.feedback.returned_mail import ReturnedMail, field_of

# RFC 5965 §7.3 and later ones. "other" too: who reports a mail wants no more of it.
_KINDS = {
    "abuse": Kind.COMPLAINED,
    "fraud": Kind.COMPLAINED,
    "other": Kind.COMPLAINED,
    "opt-out": Kind.UNSUBSCRIBED,
    "opt-out-list": Kind.UNSUBSCRIBED,
}
_OUTLOOK = "X-HmXmrOriginalRecipient"


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """*kind* is None where the report says nothing about the reader's wish."""

    kind: Kind | None
    email: str | None
    detail: str


def complaint_in(mail: ReturnedMail) -> Complaint | None:
    """Return the complaint that *mail* is, or None."""
    for part in mail.parts:
        feedback = "" if part.is_returned else field_of(part.text, "Feedback-Type")
        if feedback or part.kind == "text/x-feedback-report":
            name = (feedback or "abuse").split(";")[0].strip().lower()
            return Complaint(
                kind=_KINDS.get(name),
                email=_first(part.text, "Original-Rcpt-To", "Removal-Recipient"),
                detail=f"{name} {field_of(part.text, 'User-Agent')}".strip(),
            )
    for text in mail.returned:
        email = _first(text, _OUTLOOK)
        if email is not None:
            return Complaint(kind=Kind.COMPLAINED, email=email, detail="abuse Outlook.com")
    return None


def _first(text: str, *names: str) -> str | None:
    found = (address_in(field_of(text, name)) for name in names)
    return next(filter(None, found), None)
