"""`newsletter site`: the archive on the web."""

from __future__ import annotations

import click

from newsletter.cli.lazy import LazyGroup

# name → first line of its help; a test keeps these equal to the commands' docstrings.
COMMANDS = {
    "build": "Write the archive as files for any web server.",
    "list": "List what stands in the archive.",
}


@click.group("site", cls=LazyGroup, summaries=COMMANDS, package="newsletter.cli.site")
def command() -> None:
    """Build the archive as a static site, and see what stands in it."""
