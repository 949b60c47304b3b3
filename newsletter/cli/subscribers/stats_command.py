"""`newsletter subscribers stats`: the list in numbers, no addresses."""

from __future__ import annotations

import json

import click

from newsletter.cli.subscribers.transaction import reading

TABLES = {
    "status": "by status",
    "suppressed": "suppressed addresses, by reason",
    "tags": "by tag",
    "consents": "consent records",
}


@click.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def command(start: str, as_json: bool) -> None:
    """Count the list.

    “Eligible” are those who would be mailed now: active, and not suppressed.
    """
    from newsletter.audience.subscribers import statistics

    with reading(start) as conn:
        counts = statistics(conn)
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False, indent=2))
        return
    click.echo(_line("subscribers", counts["total"]))
    click.echo(_line("eligible", counts["eligible"]))
    for key, title in TABLES.items():
        if counts[key]:
            click.echo(f"\n{title}")
            for name, number in counts[key].items():
                click.echo(_line(f"  {name}", number))


def _line(name: str, number: int) -> str:
    return f"{name:<32}{number:>12,}"
