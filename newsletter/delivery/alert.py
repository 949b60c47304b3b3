"""Tell the editors that sending needs them: a plain message through the configured transport.

Holds what it is given and nothing of subscribers. Never raises for a bad world:
whoever alerts has trouble enough, so what went wrong comes back as texts, without
addresses.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from newsletter.compose.address import ascii_address
from newsletter.config import Workspace
from newsletter.delivery.dkim import signer_of
from newsletter.delivery.model import Outcome
from newsletter.delivery.reply import masked
from newsletter.delivery.transport import Transport
from newsletter.errors import NewsletterError

_PATIENCE = 30.0  # seconds for each address; all are tried at the same time


async def alert(
    workspace: Workspace,
    transport: Transport,
    *,
    subject: str,
    text: str,
    patience: float = _PATIENCE,
) -> list[str]:
    """Send *text* to each address of delivery.alert; return what went wrong, if anything did.

    The message is transactional: no List headers, and Auto-Submitted (RFC 3834 §5) so
    that no vacation notice answers it. It is signed where DKIM is configured.
    """
    try:
        addresses = [ascii_address(email) for email in workspace.config.delivery.alert]
        message = _message(workspace, addresses, subject, text)
    except NewsletterError as error:
        return [f"the alert was not sent: {error.message}"]
    problems = await asyncio.gather(
        *(_problem(transport, address, message, patience) for address in addresses)
    )
    return [
        f"the alert to editor {place} of {len(addresses)} was not sent: {problem}"
        for place, problem in enumerate(problems, start=1)
        if problem is not None
    ]


def _message(workspace: Workspace, to: list[str], subject: str, text: str) -> bytes:
    sender = workspace.config.sender
    email = ascii_address(sender.email)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(sender.name, addr_spec=email)
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=email.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")  # 7-bit: not every server takes 8
    content = message.as_bytes()
    signer = signer_of(workspace)
    return content if signer is None else signer.sign(content) + content


async def _problem(
    transport: Transport, address: str, message: bytes, patience: float
) -> str | None:
    try:
        async with asyncio.timeout(patience):
            result = await transport.deliver(address, message)
    except TimeoutError:
        return f"no answer within {patience:g} seconds"
    except NewsletterError as error:
        return masked(error.message, address)
    except OSError as error:
        return error.strerror or type(error).__name__
    if result.outcome is Outcome.ACCEPTED:
        return None
    said = f": {masked(result.reply, address)}" if result.reply else ""
    return f"{result.outcome}{said}"
