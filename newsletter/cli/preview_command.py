"""`newsletter preview`: a page to look at before anyone else does."""

from __future__ import annotations

from pathlib import Path

import click

from newsletter.cli.shared import FOLDER, composed_issue, workspace_at
from newsletter.issue.folder import shown


@click.command("preview")
@click.argument("issue", required=False)
@click.option(
    "--to",
    type=FOLDER,
    help="Folder to write; default: build/ and the issue's folder name.",
)
@click.pass_obj
def command(start: str, issue: str | None, to: Path | None) -> None:
    """Write a page that shows an issue in every form, side by side.

    ISSUE is a number (2.20), a folder or a file; default: the newest. The page
    shows the e-mail on a desktop, on a phone and in the dark, the plain text, the
    web page and the PDF. Its name is printed: open it in a browser.
    """
    from newsletter.compose.preview import write_preview

    workspace = workspace_at(start)
    sound, edition = composed_issue(issue, workspace)
    page = write_preview(
        edition, workspace.templates, to or workspace.root / "build" / sound.number.folder
    )
    click.echo(shown(page))
    click.echo(f"open it in a browser: {page.resolve().as_uri()}", err=True)
