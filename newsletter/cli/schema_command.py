"""`newsletter schema`: what editors and their tools may write, generated from the code."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["config", "issue"]))
def command(what: str) -> None:
    """Print a JSON Schema: of the configuration, or of an issue's front matter.

    Editors such as VS Code complete and check newsletter.toml with it.
    """
    if what == "config":
        from newsletter.config import config_schema

        schema = config_schema()
    else:
        from newsletter.issue.keys import front_matter_schema

        schema = front_matter_schema()
    click.echo(json.dumps(schema, ensure_ascii=False, indent=2))
