"""`newsletter subscribers add`: one person, with the consent that was given."""

from __future__ import annotations

import click

from newsletter.cli.shared import LINE
from newsletter.cli.subscribers.transaction import changing, tell_other_spellings


@click.command("add")
@click.argument("email", type=LINE)
@click.option(
    "--consent", type=LINE, required=True, help="What the person agreed to, when and how."
)
@click.option("--name", type=LINE, default="", help="As it stands in the address line.")
@click.option("--tag", "tags", type=LINE, multiple=True, help="A tag; may be given several times.")
@click.option("--language", type=LINE, default="", help="As in en or pt-BR.")
@click.option("--timezone", type=LINE, default="", help="As in Asia/Tokyo.")
@click.option("--format", "form", type=click.Choice(["html", "text"]), default=None)
@click.pass_obj
def command(
    start: str,
    email: str,
    consent: str,
    name: str,
    tags: tuple[str, ...],
    language: str,
    timezone: str,
    form: str | None,
) -> None:
    """Add one person who asked for it.

    The consent is kept as proof, in your words. A person who is on the list gets
    what is new: a name, tags. One who left or is suppressed is refused: see
    newsletter subscribers unsuppress.
    """
    from newsletter.audience.model import Consent, ConsentKind, Status
    from newsletter.audience.subscribers import add, find_exactly

    with changing(start, email) as change:
        known = find_exactly(change.conn, email)
        given = Consent(kind=ConsentKind.ADDED, wording=consent, at=change.now, source="add")
        person = add(
            change.conn,
            email,
            name=name,
            language=language,
            timezone=timezone,
            format=form or "",
            tags=tags,
            status=Status.ACTIVE,
            consent=given,
            source="add",
            actor=change.actor,
            now=change.now,
        )
        if known is None:
            tell_other_spellings(change.conn, person.email, "that is another person")
    if known is None or known.status is not person.status:
        click.echo(f"{person.email} is {person.status}")
    elif person.updated_at == known.updated_at:
        click.echo(f"{person.email} was {person.status} already; nothing changed")
    else:
        click.echo(f"{person.email} was {person.status} already; what is new was added")
