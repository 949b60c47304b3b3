"""`newsletter render`: the edition as files."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.shared import FOLDER, composed_issue, plural, workspace_at
from newsletter.issue.folder import shown


@click.command("render")
@click.argument("issue", required=False)
@click.option(
    "--to",
    type=FOLDER,
    help="Folder to write; default: build/ and the issue's folder name.",
)
@click.pass_obj
def command(start: str, issue: str | None, to: Path | None) -> None:
    """Compose an issue into e-mail, text, web page and PDF.

    ISSUE is a number (2.20), a folder or a file; default: the newest. The same
    input gives the same bytes. Writes email.html, email.txt, web.html, issue.pdf,
    the picture, message.eml (a sample) and manifest.json with the hash of each.
    """
    from newsletter.compose.edition import write

    workspace = workspace_at(start)
    sound, edition = composed_issue(issue, workspace)
    target = to or workspace.root / "build" / sound.number.folder
    write(edition, target)
    for name, data in edition.files.items():
        click.echo(f"{shown(target / name)}  {len(data) / 1000:,.1f} kB")
    click.echo(f"{plural(len(edition.files), 'file')}, edition {edition.hash[:16]}", err=True)
