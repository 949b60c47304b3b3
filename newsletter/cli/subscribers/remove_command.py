"""`newsletter subscribers remove`: a person leaves, and the operator types it."""

from __future__ import annotations

import click

from newsletter.cli.shared import LINE
from newsletter.cli.subscribers.transaction import (
    NOT_MAILED,
    changing,
    person_named,
    tell_other_spellings,
)


@click.command("remove")
@click.argument("email", type=LINE)
@click.option(
    "--source",
    type=LINE,
    default="operator",
    show_default=True,
    help="Where they said so: phone, letter.",
)
@click.pass_obj
def command(start: str, email: str, source: str) -> None:
    """Take a person off the list.

    It counts as their unsubscribing: no import brings them back. Their data stays;
    newsletter subscribers erase deletes it.
    """
    from newsletter.audience.model import Status
    from newsletter.audience.subscribers import unsubscribe

    with changing(start, email) as change:
        person = person_named(change.conn, email)
        before = person.status
        if before is not Status.ERASED:
            unsubscribe(change.conn, person.id, source=source, now=change.now, actor=change.actor)
            tell_other_spellings(change.conn, person.email, NOT_MAILED)
    if before in (Status.UNSUBSCRIBED, Status.ERASED):
        click.echo(f"{email} was {before} already")
    else:
        click.echo(f"{person.email} is unsubscribed")
