"""`newsletter subscribers export`: the list as CSV or JSON Lines, or one person's whole record."""

from __future__ import annotations

import json
from pathlib import Path

import click

from newsletter.audience.model import Status
from newsletter.cli.output_file import output_file
from newsletter.cli.shared import LINE, plural
from newsletter.cli.subscribers.transaction import reading
from newsletter.errors import UsageError
from newsletter.issue.folder import shown


@click.command("export")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="csv, for spreadsheets and import (the default), or jsonl, an object a line.",
)
@click.option("--to", type=click.Path(path_type=Path), metavar="FILE", help="Default: stdout.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.option("--status", type=click.Choice([s.value for s in Status if s is not Status.ERASED]))
@click.option("--tag", type=LINE, help="Only people with this tag.")
@click.option("--email", type=LINE, help="Only this person: everything that is kept, as JSON.")
@click.pass_obj
def command(
    start: str,
    form: str | None,
    to: Path | None,
    force: bool,
    status: str | None,
    tag: str | None,
    email: str | None,
) -> None:
    """Write the list, or all that is known about one person.

    The list holds everybody but the erased, and the addresses that are suppressed
    without being on it. The CSV can be imported again; a cell that a spreadsheet
    could take for a formula gets an apostrophe in front. --email answers an access
    request.
    """
    from newsletter.audience.export import write_csv, write_jsonl
    from newsletter.audience.subscribers import everyone, record

    if email is not None:
        if form or status or tag:
            raise UsageError(
                "one person's record is JSON, whole", hint="leave --format, --status, --tag out"
            )
        from newsletter.delivery.history import deliveries_of

        with reading(start) as conn:
            kept = record(conn, email)
            if kept["subscriber"] is not None:
                past = deliveries_of(conn, kept["subscriber"]["id"])
                kept["deliveries"] = [delivery.as_record() for delivery in past]
        with output_file(to, force=force) as file:
            file.write(json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
        return
    wanted = Status(status) if status else None
    select = everyone(status=wanted, tag=tag) if status or tag is not None else None
    write = write_jsonl if form == "jsonl" else write_csv
    with output_file(to, force=force) as file, reading(start) as conn:
        number = write(conn, file, select=select)
    where = f" written to {shown(to)}" if to is not None else ""
    click.echo(f"{plural(number, 'row')}{where}", err=True)
