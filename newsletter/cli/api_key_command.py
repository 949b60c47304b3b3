"""`newsletter api-key`: the commands that make and end keys of the JSON API."""

from __future__ import annotations

import click

from newsletter.cli.lazy import LazyGroup

# name → first line of its help; a test keeps these equal to the commands' docstrings.
COMMANDS = {
    "create": "Make a key, and show it once.",
    "list": "List the keys, without their texts.",
    "revoke": "End a key for good.",
}


@click.group("api-key", cls=LazyGroup, summaries=COMMANDS, package="newsletter.cli.api_key")
def command() -> None:
    """Make, list and revoke keys of the JSON API.

    A program sends its key as “Authorization: Bearer nk_…”. Only a hash of it is kept.
    """
