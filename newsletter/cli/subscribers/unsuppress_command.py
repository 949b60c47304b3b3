"""`newsletter subscribers unsuppress`: the one way back, and it takes a reason."""

from __future__ import annotations

import click

from newsletter.cli.shared import LINE
from newsletter.cli.subscribers.transaction import changing, tell_other_spellings


@click.command("unsuppress")
@click.argument("email", type=LINE)
@click.option("--reason", type=LINE, required=True, help="Why this address may be mailed again.")
@click.pass_obj
def command(start: str, email: str, reason: str) -> None:
    """Lift a suppression, with a reason.

    A person who left or complained stays unsubscribed: it takes a new consent to
    mail them again (newsletter subscribers add).
    """
    from newsletter.audience.model import Status
    from newsletter.audience.subscribers import find, lift

    with changing(start, email) as change:
        person = find(change.conn, email)
        meant = email if person is None else person.email
        stood = lift(change.conn, meant, reason=reason, now=change.now, actor=change.actor)
        tell_other_spellings(change.conn, meant, "this holds for it as well")
    click.echo(f"{meant} is no longer suppressed (it was: {stood})")
    if person is None:
        click.echo("it is not on the list: newsletter subscribers add", err=True)
    elif person.status is not Status.ACTIVE:
        click.echo(f"it is {person.status}, so it is not mailed yet", err=True)
