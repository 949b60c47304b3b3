"""`newsletter site list`: what stands in the archive."""

from __future__ import annotations

import json

import click

from newsletter.cli.shared import plural, workspace_at


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def command(start: str, as_json: bool) -> int:
    """List what stands in the archive.

    A line each, the newest number first: number, day, edition, how it came there, what it
    leads with. Exits with 1 when an edition is left out because its files were altered.
    """
    from newsletter.site.editions import published, read_editions
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store, store.read() as conn:
        publications = published(conn)
    editions, problems = read_editions(workspace, publications)
    was_sent = {one.number: one.was_sent for one in publications}
    rows = [
        {
            "issue": str(edition.number),
            "date": edition.date.isoformat(),
            "edition": edition.edition_hash,
            "sent": was_sent[str(edition.number)],
            "published_at": edition.published_at.isoformat(),
            "subject": edition.subject,
            "url": f"{workspace.config.site_url}/{edition.path}",
        }
        for edition in editions
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            how = "sent" if row["sent"] else "by hand"
            hash_ = str(row["edition"])[:16]
            click.echo(f"{row['issue']:<7} {row['date']}  {hash_}  {how:<7}  {row['subject']}")
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    click.echo(f"{plural(len(rows), 'edition')} in the archive", err=True)
    return 1 if problems else 0
