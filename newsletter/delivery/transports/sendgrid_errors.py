"""What SendGrid's refusals of everything mean, and what to do: as exceptions for people."""

from __future__ import annotations

from newsletter.delivery.reply import masked
from newsletter.delivery.transports.sendgrid_client import Answer
from newsletter.errors import TransportError

VARIABLE = "NEWSLETTER_SENDGRID_KEY"


def refusal(answer: Answer) -> TransportError:
    """For an answer that refuses everything."""
    said = masked(answer.text)
    if answer.status == 401:
        return TransportError(
            f"SendGrid refuses the key: {said}",
            hint=f"put a valid API key into {VARIABLE}; look at the account’s credits",
        )
    if answer.status == 403:
        return TransportError(
            f"SendGrid forbids it: {said}",
            hint="give the key the permission Mail Send, and verify the sender’s address or domain",
        )
    if answer.status == 429:
        return TransportError(
            f"SendGrid takes no more requests for now: {said}",
            hint="send again later; what is not sent stays pending",
        )
    return TransportError(
        f"SendGrid refuses the request: {said}",
        hint="nothing of it was sent; look up the answer in SendGrid’s documentation",
    )


def unreachable(reason: str) -> TransportError:
    return TransportError(
        f"SendGrid cannot be reached: {reason}",
        hint="look at this machine’s network and at SendGrid’s status page, then send again",
    )
