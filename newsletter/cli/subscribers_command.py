"""`newsletter subscribers`: the commands that keep the list."""

from __future__ import annotations

import click

from newsletter.cli.lazy import LazyGroup

# name → first line of its help; a test keeps these equal to the commands' docstrings.
COMMANDS = {
    "import": "Take subscribers from CSV files.",
    "export": "Write the list, or all that is known about one person.",
    "add": "Add one person who asked for it.",
    "remove": "Take a person off the list.",
    "list": "List subscribers.",
    "show": "Show one person: status, consent, history, and what was sent to them.",
    "tag": "Give a person tags, or take them away.",
    "suppress": "Never mail an address again, whoever imports it.",
    "unsuppress": "Lift a suppression, with a reason.",
    "erase": "Delete a person's data for good.",
    "stats": "Count the list.",
}


@click.group("subscribers", cls=LazyGroup, summaries=COMMANDS, package="newsletter.cli.subscribers")
def command() -> None:
    """Keep the list: who may be mailed, why, and who never again.

    Every change is recorded with the name of who made it: NEWSLETTER_ACTOR, else
    the user.email of git, else your login name.
    """
