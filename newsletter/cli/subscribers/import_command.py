"""`newsletter subscribers import`: CSV files of any origin, with the consent they rest on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.interruption import held_interruption
from newsletter.cli.progress import progress_bar
from newsletter.cli.shared import LINE, actor, plural, workspace_at
from newsletter.cli.subscribers.suppress_command import REASONS
from newsletter.config import Workspace
from newsletter.errors import UsageError
from newsletter.issue.folder import shown

if TYPE_CHECKING:
    from newsletter.audience.importer import Progress, Report
    from newsletter.audience.model import Reason
    from newsletter.store.engine import Store

SHOWN_REJECTS = 10
INTERRUPTED = 130
_REJECTS = re.compile(r"\.rejects(-\d+)?\.csv$")  # what an import wrote waits to be mended

# What became of the rows: name in the report, what to say about it.
COUNTS = {
    "added": "",
    "updated": "",
    "unchanged": "",
    "repeated": "the same address stands above it in the file",
    "left_alone": "left or suppressed earlier, whatever the file says",
    "suppressed": "the file says that they left or bounced",
    "rejected": "",
}


@click.command("import")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--consent",
    type=LINE,
    default="",
    metavar="TEXT",
    help="How these people agreed; kept as proof.",
)
@click.option(
    "--map",
    "mapping",
    type=LINE,
    metavar="COLUMN=FIELD,…",
    help='Which column holds what, as in "E-Mail=email,Vorname=first_name".',
)
@click.option(
    "--tag", "tags", type=LINE, multiple=True, help="Give everyone this tag; may be repeated."
)
@click.option("--suppress", type=click.Choice(REASONS), help="Suppress everyone in the file.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.pass_obj
def command(
    start: str,
    files: tuple[Path, ...],
    consent: str,
    mapping: str | None,
    tags: tuple[str, ...],
    suppress: str | None,
    dry_run: bool,
) -> int:
    """Take subscribers from CSV files.

    Without FILE: what is new in subscribers/. Exports of listmonk, Keila, Ghost,
    Mailchimp, SendGrid, Substack and Buttondown are known by their columns; for
    others there is --map. People whom the file says left are suppressed, and who
    left or is suppressed here is never brought back. The same file again changes
    nothing.

    Bad rows go to FILE.rejects.csv with a reason; mend and import that. Exits with
    1 when rows were rejected. Ctrl-C keeps what was taken; the same command goes on.
    """
    from newsletter.audience.importer import parse_mapping
    from newsletter.audience.model import Reason
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store:
        chosen = files or _new_files(workspace, store)
        return _Import(
            store=store,
            consent=consent,
            mapping=parse_mapping(mapping) if mapping else {},
            tags=tags,
            suppress=Reason(suppress) if suppress else None,
            dry_run=dry_run,
            actor=actor(workspace),
        ).run(chosen)


def _new_files(workspace: Workspace, store: Store) -> Sequence[Path]:
    """The CSV files of subscribers/ whose content was not imported yet."""
    from newsletter.audience.importer import fingerprint, is_taken

    found = [
        path
        for path in sorted(workspace.subscribers.glob("*.csv"))
        if not _REJECTS.search(path.name)
    ]
    if not found:
        raise UsageError(
            f"{shown(workspace.subscribers)} holds no CSV file",
            hint="put one there, or name one: newsletter subscribers import FILE",
        )
    with store.read() as conn:
        new = [path for path in found if not is_taken(conn, fingerprint(path))]
    if not new:
        taken = plural(len(found), "file")
        click.echo(f"nothing new in {shown(workspace.subscribers)}: {taken} imported before")
    return new


@dataclass(kw_only=True)
class _Import:
    """One call of the command: the same options for every file, and what came of them."""

    store: Store
    consent: str
    mapping: dict[str, str]
    tags: tuple[str, ...]
    suppress: Reason | None
    dry_run: bool
    actor: str
    exits: list[int] = field(default_factory=lambda: [0])

    def run(self, files: Sequence[Path]) -> int:
        """Import *files*; a file that is refused stops no other. Returns the exit code."""
        for path in files:
            try:
                report = self._file(path)
            except UsageError as error:
                click.echo(f"error: {error.message}", err=True)
                if error.hint:
                    click.echo(f"  hint: {error.hint}", err=True)
                self.exits.append(2)
                continue
            show(report)
            self.exits.append(1 if report.rejected else 0)
            if report.interrupted:
                click.echo(
                    "stopped: what is counted above is kept; run the same command to go on",
                    err=True,
                )
                return INTERRUPTED
        return max(self.exits)

    def _file(self, path: Path) -> Report:
        from newsletter.audience.importer import import_csv

        with (
            held_interruption() as let_through,
            progress_bar(_size(path), f"importing {path.name}") as on_bytes,
        ):

            def on_progress(progress: Progress) -> None:
                on_bytes(progress.bytes_read)
                let_through()  # the batch is committed and counted

            return import_csv(
                self.store,
                path,
                consent=self.consent,
                mapping=self.mapping,
                tags=self.tags,
                suppress=self.suppress,
                dry_run=self.dry_run,
                actor=self.actor,
                now=datetime.now(UTC),
                on_progress=on_progress,
            )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # import_csv says what is wrong with it
        return 0


def show(report: Report) -> None:
    """Print what became of a file: the counts to stdout, what to look at to stderr."""
    note = "; a dry run, nothing was written" if report.dry_run else ""
    click.echo(f"{shown(report.path)} ({report.form}): {plural(report.read, 'row')} read{note}")
    for name, meaning in COUNTS.items():
        number = getattr(report, name)
        if number:
            told = f"   {meaning}" if meaning else ""
            click.echo(f"  {name.replace('_', ' '):<12}{number:>10,}{told}")
    for warning in report.warnings:
        click.echo(f"warning: {warning}", err=True)
    for reject in report.rejects[:SHOWN_REJECTS]:
        click.echo(f"{shown(report.path)}: {reject}", err=True)
    more = report.rejected - min(SHOWN_REJECTS, len(report.rejects))
    if more > 0:
        click.echo(f"… and {more:,} more", err=True)
    if report.rejects_file is not None:
        file = shown(report.rejects_file)
        click.echo(
            f"the rejected rows are in {file}: mend them there and import that file", err=True
        )
