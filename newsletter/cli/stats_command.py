"""`newsletter stats`: what became of an issue and of the list, in honest numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from newsletter.cli.campaigns import number_named, tag_option
from newsletter.cli.output_file import output_file
from newsletter.cli.sending import CACHE
from newsletter.cli.shared import workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.stats.model import IssueNumbers

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("stats")
@click.argument("issue", required=False)
@tag_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object an issue.")
@click.option("--svg", type=_FILE, help="Draw the trend into this file, as SVG.")
@click.option("--png", type=_FILE, help="Draw the trend into this file, as PNG.")
@click.option("--force", is_flag=True, help="Overwrite the files.")
@click.pass_obj
def command(
    start: str,
    issue: str | None,
    tag: str | None,
    as_json: bool,
    svg: Path | None,
    png: Path | None,
    force: bool,
) -> int:
    """Show what became of each issue, and how the list grew.

    ISSUE is a number (2.20) or a folder; without it all issues are listed, the newest
    first, with their trend. People are counted, not messages.

    “Delivered” and “bounced” are what was reported; where nobody reports it says so and
    gives no 0. “Unsubscribed” are those who left after this issue. “List” is who was to
    get it; “joined” and “left” compare it with the issue before. Views are page loads.
    Opens and clicks are not measured.

    \b
    Keys of --json, null where it is not known (“unknown” says why):
      issue, tag, first_delivery_at
      intended = accepted + failed + suppressed + uncertain + pending
      never_sent: of the pending; delivered, bounced: of the accepted
      bounced_hard, bounced_soft, complained, unsubscribed
      list_then, list_now, joined, left, growth = joined - left
      web_views, pdf_views; shares: name → of, share (0 to 1)
    """
    from newsletter.stats.numbers import statistics_of, trend
    from newsletter.store.engine import open_store

    pictures: dict[Literal["svg", "png"], Path | None] = {"svg": svg, "png": png}
    if issue is not None and any(pictures.values()):
        raise UsageError("a picture shows all issues", hint="leave the issue out")
    if issue is None and tag is not None:
        raise UsageError("--tag needs an issue", hint=f"as in: newsletter stats 2.20 --tag {tag}")
    workspace = workspace_at(start)
    with open_store(workspace, cache=CACHE) as store, store.read() as conn:
        number = None if issue is None else number_named(issue)
        found = trend(conn) if number is None else [statistics_of(conn, number, tag)]
    for form, path in pictures.items():
        if path is not None:
            _draw(found, workspace, form, path, force=force)
    _print(found, as_json=as_json, is_one=issue is not None, quiet=any(pictures.values()))
    return 0


def _print(found: list[IssueNumbers], *, as_json: bool, is_one: bool, quiet: bool) -> None:
    from newsletter.cli.stats_view import as_record, as_text, picture, table

    if as_json:
        records = [as_record(one) for one in reversed(found)]
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
    elif quiet:
        return
    elif not found:
        click.echo("nothing was sent yet; newsletter send sends an issue")
    elif is_one:
        click.echo(as_text(found[0]))
    else:
        width = shutil.get_terminal_size().columns
        click.echo(f"{table(found, width)}\n\n{picture(found, min(width, 120))}")
        click.echo(f"newsletter stats {found[-1].number} tells more", err=True)


def _draw(
    found: list[IssueNumbers],
    workspace: Workspace,
    form: Literal["svg", "png"],
    path: Path,
    *,
    force: bool,
) -> None:
    from newsletter.stats.picture import draw

    drawn = draw(
        found,
        workspace.templates,
        title=workspace.config.newsletter.title,
        form=form,
    )
    with output_file(path, force=force) as file:
        file.buffer.write(drawn)
    click.echo(f"drawn: {path}", err=True)
