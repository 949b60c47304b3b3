"""`newsletter subscribers suppress`: an operator says that an address is never mailed."""

from __future__ import annotations

import click

from newsletter.cli.shared import LINE
from newsletter.cli.subscribers.transaction import NOT_MAILED, changing, tell_other_spellings

# “erased” is what newsletter subscribers erase writes, and only that.
REASONS = ("manual", "unsubscribed", "bounced", "complained")


@click.command("suppress")
@click.argument("email", type=LINE)
@click.option("--reason", type=click.Choice(REASONS), default="manual", show_default=True)
@click.option(
    "--source",
    type=LINE,
    default="operator",
    show_default=True,
    help="How you know: a letter, a bounce.",
)
@click.pass_obj
def command(start: str, email: str, reason: str, source: str) -> None:
    """Never mail an address again, whoever imports it.

    It holds for every spelling in capital and small letters. The address need not be
    on the list. For “unsubscribed” and “complained” a person on the list leaves it.
    """
    from newsletter.audience.model import Reason
    from newsletter.audience.subscribers import find, suppress, suppression_of

    with changing(start, email) as change:
        person = find(change.conn, email)
        meant = email if person is None else person.email
        is_new = suppress(
            change.conn,
            meant,
            reason=Reason(reason),
            source=source,
            now=change.now,
            actor=change.actor,
        )
        stands = suppression_of(change.conn, meant)
        tell_other_spellings(change.conn, meant, NOT_MAILED)
    click.echo(f"{meant} is suppressed{'' if is_new else ' already'}: {stands}")
