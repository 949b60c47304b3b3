"""`newsletter api-key list`: who may use the API, and for what."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import workspace_at

if TYPE_CHECKING:
    from newsletter.audience.api_keys import ApiKey


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.pass_obj
def command(start: str, as_json: bool) -> None:
    """List the keys, without their texts.

    Revoked ones too: who made them and when is kept.
    """
    from newsletter.audience.api_keys import list_keys
    from newsletter.store.engine import open_store

    with open_store(workspace_at(start)) as store, store.read() as conn:
        keys = list_keys(conn)
    if as_json:
        click.echo(json.dumps([_as_record(key) for key in keys], ensure_ascii=False, indent=2))
        return
    for key in keys:
        click.echo(_line(key))
    if not keys:
        click.echo("there is no key; newsletter api-key create makes one", err=True)


def _line(key: ApiKey) -> str:
    since = f"since {key.created_at:%Y-%m-%d}"
    until = "" if key.revoked_at is None else f", revoked {key.revoked_at:%Y-%m-%d}"
    origins = f"  {' '.join(key.origins)}" if key.origins else ""
    return f"{key.name}  {' '.join(sorted(key.scopes))}  {since}{until}{origins}"


def _as_record(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "scopes": sorted(key.scopes),
        "origins": list(key.origins),
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "revoked_at": None if key.revoked_at is None else key.revoked_at.isoformat(),
    }
