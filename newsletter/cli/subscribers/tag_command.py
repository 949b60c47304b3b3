"""`newsletter subscribers tag`: tags of one person, added with + and taken away with -."""

from __future__ import annotations

import click

from newsletter.cli.shared import LINE
from newsletter.cli.subscribers.transaction import changing, person_named


class _Changes(click.Command):
    """A command without options but --help: “-press” is a tag to take away, not five options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks = not args or bool({"-h", "--help"} & set(args))
        return super().parse_args(ctx, args if asks else ["--", *args])


@click.command("tag", cls=_Changes)
@click.argument("email", type=LINE)
@click.argument("changes", type=LINE, metavar="+TAG|-TAG...", nargs=-1, required=True)
@click.pass_obj
def command(start: str, email: str, changes: tuple[str, ...]) -> None:
    """Give a person tags, or take them away.

    As in: newsletter subscribers tag ada@example.org +press -trial. Tags choose who
    gets an issue (newsletter send --tag press); letter case counts.
    """
    from newsletter.audience.subscribers import tag

    for change in changes:
        if change[:1] not in ("+", "-"):
            raise click.UsageError(f"“{change}” is no change: write +{change} or -{change}")
    with changing(start, email) as transaction:
        person = tag(
            transaction.conn,
            person_named(transaction.conn, email).id,
            add=[change[1:] for change in changes if change[0] == "+"],
            remove=[change[1:] for change in changes if change[0] == "-"],
            now=transaction.now,
            actor=transaction.actor,
        )
    click.echo(f"{person.email}: {', '.join(person.tags) or 'no tags'}")
