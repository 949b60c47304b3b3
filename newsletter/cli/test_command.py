"""`newsletter test`: an issue to a few addresses, outside the ledger, to look at in an inbox."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.campaign_view import transport_words
from newsletter.cli.shared import LINE, composed_issue, workspace_at
from newsletter.config import Workspace
from newsletter.email_address import normalized
from newsletter.errors import RecipientRejected, UsageError

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition
    from newsletter.compose.message import MessageTemplate
    from newsletter.delivery.dkim import Signer
    from newsletter.delivery.model import Result
    from newsletter.delivery.transport import Transport

HASH_DIGITS = 4  # of the edition's hash, in the subject


@click.command("test")
@click.argument("issue")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True, type=LINE)
@click.pass_obj
def command(start: str, issue: str, addresses: tuple[str, ...]) -> int:
    """Send an issue to a few addresses to look at.

    ISSUE is a number (2.20), a folder or a file. Goes through the configured transport
    to anyone, on the list or not, and is not counted anywhere. The subject begins with
    [TEST 3f9a], the first digits of the edition's hash; the links to unsubscribe are
    samples and do nothing. Exits with 2 when an address was refused.
    """
    from newsletter.delivery.transports import transport_of

    workspace = workspace_at(start)
    chosen = list(dict.fromkeys(_address(text) for text in addresses))
    transport = transport_of(workspace)
    _, edition = composed_issue(issue, workspace)
    results = asyncio.run(_deliver(workspace, edition, transport, chosen))
    click.echo(f"transport: {transport_words(workspace, transport.name)}", err=True)
    for address, result in zip(chosen, results, strict=True):
        said = f": {result.reply}" if result.reply else ""
        click.echo(f"{address}  {result.outcome}{said}")
    return 0 if all(result.outcome == "accepted" for result in results) else 2


def _address(text: str) -> str:
    try:
        return normalized(text)
    except ValueError as error:
        raise UsageError(f"“{text}” is no address: {error}") from error


async def _deliver(
    workspace: Workspace, edition: Edition, transport: Transport, addresses: Sequence[str]
) -> list[Result]:
    """Hand one message to *transport* for each address, one after the other."""
    from newsletter.compose.message import MessageTemplate, headers_of
    from newsletter.delivery.dkim import signer_of

    headers = headers_of(edition.view, workspace.config, datetime.now(UTC))
    subject = f"[TEST {edition.hash[:HASH_DIGITS]}] {headers.subject}"
    template = MessageTemplate(
        replace(headers, subject=subject),
        edition.files["email.html"].decode(),
        edition.files["email.txt"].decode(),
    )
    signer = signer_of(workspace)
    return [
        await _deliver_one(edition, template, signer, transport, address) for address in addresses
    ]


async def _deliver_one(
    edition: Edition,
    template: MessageTemplate,
    signer: Signer | None,
    transport: Transport,
    address: str,
) -> Result:
    from msgspec import structs

    from newsletter.compose.edition import sample_recipient
    from newsletter.delivery.model import Outcome, Result

    sample = sample_recipient(edition.view)
    # A Message-ID of its own, else a mail program shows the second test as the first.
    delivery = f"test-{secrets.token_urlsafe(12)}"
    try:
        message = template.assemble(
            structs.replace(sample, email=address, delivery=delivery),
            smtputf8=not address.rpartition("@")[0].isascii(),
        )
    except RecipientRejected as error:
        return Result(outcome=Outcome.REFUSED_FOR_GOOD, reply=error.message)
    if signer is not None:
        message = signer.sign(message) + message
    return await transport.deliver(address, message)
