"""What is said about one message before its text: MAIL and RCPT (RFC 5321 §3.3).

Refuses what the server could not take, before a word is said about it.
"""

from __future__ import annotations

import msgspec

from newsletter.compose.address import ascii_address, utf8_address
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery
from newsletter.delivery.transports.smtp_replies import Capabilities
from newsletter.errors import RecipientRejected


def wire_address(email: str) -> tuple[bytes, bool]:
    """*email* for RCPT, and whether it needs SMTPUTF8 (RFC 6531 §3.3).

    Raises:
        RecipientRejected: it is no address.
    """
    if email.isascii() or email.rpartition("@")[0].isascii():
        return ascii_address(email).encode("ascii"), False
    return utf8_address(email).encode(), True


def mail_and_rcpt(
    sender: str, email: str, size: int, capabilities: Capabilities
) -> tuple[bytes, bytes]:
    """The two commands for a message of *size* bytes from *sender* (ASCII) to *email*.

    Raises:
        RecipientRejected: the server does not take such an address, or so large a message.
    """
    recipient, utf8 = wire_address(email)
    parameters = ""
    if utf8:
        if not capabilities.smtputf8:
            raise RecipientRejected(
                "this address cannot be mailed: the part before the @ is not ASCII, and the"
                " server does not take that",
                hint="few servers take such an address yet: ask for another one",
            )
        parameters = " SMTPUTF8"
    if capabilities.size is not None:  # RFC 1870 §6.1
        if 0 < capabilities.size < size:
            raise RecipientRejected(
                f"the message has {size} bytes, the server takes {capabilities.size}",
                hint="make the issue smaller",
            )
        parameters += f" SIZE={size}"
    return f"MAIL FROM:<{sender}>{parameters}\r\n".encode(), b"RCPT TO:<%b>\r\n" % recipient


class Prepared(msgspec.Struct, gc=False):
    """A message that is ready to be handed over, and what is said before it."""

    delivery: Delivery
    pieces: tuple[bytes, ...]
    mail: bytes
    rcpt: bytes


def prepared(
    mailing: Mailing,
    delivery: Delivery,
    sender: str,
    capabilities: Capabilities,
    *,
    verp: bool = False,
) -> Prepared:
    """Make the message of *delivery*; To stays as it is where `wire_address` needs SMTPUTF8.

    *verp*: its token stands in the sender, so that a bounce that returns nothing of the
    message still tells which one it was (`newsletter.feedback.bounces`).

    Raises:
        RecipientRejected: it cannot be made, or the server does not take it.
    """
    email = delivery.email
    utf8 = not email.isascii() and wire_address(email)[1]
    pieces = mailing.pieces(delivery, smtputf8=utf8)
    if verp:
        local, _, domain = sender.rpartition("@")
        sender = f"{local}+{mailing.token(delivery.subscriber_id)}@{domain}"
    mail, rcpt = mail_and_rcpt(sender, email, sum(map(len, pieces)), capabilities)
    return Prepared(delivery, pieces, mail, rcpt)
