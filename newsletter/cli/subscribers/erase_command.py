"""`newsletter subscribers erase`: a person's data goes, a hash stays so that they stay away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from newsletter.cli.shared import LINE, actor, workspace_at
from newsletter.cli.subscribers.transaction import NOT_MAILED, tell_other_spellings
from newsletter.config import Workspace
from newsletter.issue.folder import shown


@click.command("erase")
@click.argument("email", type=LINE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def command(start: str, email: str, yes: bool) -> None:
    """Delete a person's data for good.

    Address, name, tags, IP addresses and pages go; that they agreed and left stays
    as a bare number. A keyed hash keeps the address suppressed, so no import brings
    it back. Files that still hold the address are named: delete those lines yourself.
    """
    from newsletter.audience.subscribers import erase, find
    from newsletter.store.engine import open_store

    workspace = workspace_at(start)
    with open_store(workspace) as store:
        with store.read() as conn:
            person = find(conn, email)
        email = email if person is None else person.email
        if not yes:
            click.confirm(f"Delete all data of {email}? This cannot be taken back", abort=True)
        with store.begin() as conn:
            erased = erase(conn, email, now=datetime.now(UTC), actor=actor(workspace, about=email))
            tell_other_spellings(conn, email, NOT_MAILED)
        removed = store.compact()
    click.echo("erased" if erased else "was erased before")
    for backup in removed:
        click.echo(f"deleted with it: {shown(backup)}, a copy of the database", err=True)
    for place in _still_in(workspace, email):
        click.echo(f"still in {place}", err=True)


def _still_in(workspace: Workspace, email: str) -> Iterator[str]:
    """Name the files below subscribers/ that hold the address, and its messages in the outbox."""
    from newsletter.delivery.transports.outbox import files_of

    wanted = re.compile(rf"(?<![\w.+-]){re.escape(email.strip())}(?![\w-]|\.\w)", re.IGNORECASE)
    files = sorted(workspace.subscribers.rglob("*")) if workspace.subscribers.is_dir() else []
    for path in files:
        line = _line_with(path, wanted) if path.is_file() else None
        if line is not None:
            yield f"{shown(path)}:{line}"
    for path in files_of(workspace, email):
        yield shown(path)


def _line_with(path: Path, wanted: re.Pattern[str]) -> int | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return next((n for n, line in enumerate(file, start=1) if wanted.search(line)), None)
    except OSError:
        return None
