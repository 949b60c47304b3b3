"""The command line: `newsletter …`. Assembles objects, prints, sets the exit code.

Decides nothing about issues or mail. Data goes to stdout, progress and messages
to stderr. Exit 0: fine; 1: findings in the content; 2: usage or world. Commands
are imported when they are called, so `newsletter --help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from newsletter import __version__
from newsletter.errors import ContentError, NewsletterError

# name → first line of its help; a test keeps these equal to the commands' docstrings.
COMMANDS = {
    "init": "Lay out a new workspace in FOLDER.",
    "new": "Make the folder of the next issue, ready to fill in.",
    "import": "Turn published pages or drafts (text, HTML, Markdown, Word) into issues.",
    "check": "Check issues against the house rules.",
    "explain": "Explain a rule, or list them all.",
    "preview": "Write a page that shows an issue in every form, side by side.",
    "render": "Compose an issue into e-mail, text, web page and PDF.",
    "send": "Send an issue to the subscribers.",
    "schema": "Print a JSON Schema: of the configuration, or of an issue's front matter.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"newsletter.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"Did you mean “{near[0]}”?" if near else "newsletter --help lists them."
            raise click.UsageError(f"There is no command “{args[0]}”. {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: newsletter init my-digest",
)
@click.option(
    "-C",
    "--workspace",
    "start",
    type=click.Path(file_okay=False),
    default=".",
    help="Work in the newsletter that this folder belongs to.",
)
@click.version_option(__version__, "-V", "--version", message="newsletter %(version)s")
@click.pass_context
def newsletter(context: click.Context, start: str) -> None:
    """A newsletter, published as code: draft in a folder, check, compose, send."""
    context.obj = start


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal with an old encoding shows "?", not a crash
            stream.reconfigure(errors="replace")
    try:
        code = newsletter.main(arguments, prog_name="newsletter", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        click.echo("stopped; what was finished is kept, nothing is half-done", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except NewsletterError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  hint: {error.hint}", err=True)
        sys.exit(1 if isinstance(error, ContentError) else 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)
