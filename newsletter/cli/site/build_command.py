"""`newsletter site build`: the archive as a folder of files."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.progress import progress_bar
from newsletter.cli.shared import FOLDER, plural, workspace_at
from newsletter.issue.folder import shown


@click.command("build")
@click.option(
    "--to", type=FOLDER, required=True, help="Folder to write; what was built is replaced."
)
@click.pass_obj
def command(start: str, to: Path) -> int:
    """Write the archive as files for any web server.

    Home, archive, editions with PDF and pictures, privacy page, feeds, sitemap and
    404.html. The same editions give the same bytes. The folder is replaced as a whole,
    or stays as it was; one that holds anything else is refused.

    Exits with 1 when an edition was left out because its frozen files were altered.
    """
    from newsletter.site.build import build
    from newsletter.site.editions import published
    from newsletter.site.site import site_of
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store, store.read() as conn:
        publications = published(conn)
    site = site_of(workspace, publications, is_static=True)
    with progress_bar(len(site.pages), "writing") as show:
        count = build(site, to, on_progress=show)
    for problem in site.problems:
        click.echo(f"error: {problem}", err=True)
    editions = plural(len(site.editions), "edition")
    click.echo(f"{shown(to)}: {editions}, {plural(count, 'file')}")
    return 1 if site.problems else 0
