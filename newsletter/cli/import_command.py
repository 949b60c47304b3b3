"""`newsletter import`: what was published or drafted elsewhere becomes an issue folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from newsletter import diagnostics as report
from newsletter.cli.shared import DAY, FOLDER, plural, workspace_at
from newsletter.config import Workspace
from newsletter.errors import NewsletterError, UsageError
from newsletter.issue.folder import shown
from newsletter.issue.number import IssueNumber


@click.command("import")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--into",
    type=FOLDER,
    help="Folder that gets the issue folders; default: issues/.",
)
@click.option("--date", "published", type=DAY, help="Day of publication, where the file has none.")
@click.option("--number", help="Issue number (2.20), where the file has none.")
@click.option("--force", is_flag=True, help="Replace the issue of a folder that exists.")
@click.pass_obj
def command(
    start: str,
    files: tuple[Path, ...],
    into: Path | None,
    published: datetime | None,
    number: str | None,
    force: bool,
) -> int:
    """Turn published pages or drafts (text, HTML, Markdown, Word) into issues.

    The text is taken letter for letter; menus, footers and download links are left
    out. What could not be understood is reported, and nothing is guessed silently.
    An issue folder that exists is left alone unless --force is given. Exits with 1
    when a file could not be imported.
    """
    if len(files) > 1 and (published or number):
        raise UsageError(
            "--date and --number are about one file", hint="import the files one by one"
        )
    workspace = workspace_at(start)
    chosen = _number(number)
    written = [_import(file, workspace, into, published, chosen, force=force) for file in files]
    click.echo(f"{sum(written)} of {plural(len(files), 'file')} imported", err=True)
    return 0 if all(written) else 1


def _number(text: str | None) -> IssueNumber | None:
    try:
        return IssueNumber.parse(text) if text is not None else None
    except ValueError as error:
        raise UsageError(str(error)) from error


def _import(
    file: Path,
    workspace: Workspace,
    into: Path | None,
    published: datetime | None,
    number: IssueNumber | None,
    *,
    force: bool,
) -> bool:
    """Import one file and say what came of it; a file that fails does not stop the others."""
    from newsletter.issue.importer import import_file, write_import

    try:
        imported = import_file(
            file,
            number=number,
            published=published.date() if published else None,
            first_year=workspace.config.newsletter.first_year,
        )
        click.echo(report.as_text(imported.diagnostics), err=True, nl=False)
        if not imported.writable:
            click.echo(f"{shown(file)}: not imported, because of the errors above", err=True)
            return False
        folder = write_import(imported, into or workspace.issues, force=force)
    except NewsletterError as error:
        hint = f"\n  hint: {error.hint}" if error.hint else ""
        click.echo(f"error: {error.message}{hint}", err=True)
        return False
    click.echo(shown(folder))
    return True
