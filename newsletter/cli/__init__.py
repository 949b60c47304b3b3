"""The command line: `newsletter …`. Assembles objects, prints, sets the exit code.

Decides nothing about issues or mail. Data goes to stdout, progress and messages
to stderr. Exit 0: fine; 1: findings in the content; 2: usage or world. Commands
are imported when they are called, so `newsletter --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from newsletter import __version__
from newsletter.cli.lazy import LazyGroup
from newsletter.errors import ContentError, NewsletterError, UsageError

# name → first line of its help; a test keeps these equal to the commands' docstrings.
COMMANDS = {
    "init": "Lay out a new workspace in FOLDER.",
    "new": "Make the folder of the next issue, ready to fill in.",
    "import": "Turn published pages or drafts (text, HTML, Markdown, Word) into issues.",
    "check": "Check issues against the house rules.",
    "explain": "Explain a rule, or list them all.",
    "preview": "Write a page that shows an issue in every form, side by side.",
    "render": "Compose an issue into e-mail, text, web page and PDF.",
    "subscribers": "Keep the list: who may be mailed, why, and who never again.",
    "approve": "Approve an issue: exactly these bytes may be sent at its slot.",
    "unapprove": "Take an approval back, so that nothing is sent.",
    "schedule": "Show the slots to come, what stands in each, and who must do what by when.",
    "run": "Send at each slot what is approved, until it is stopped.",
    "serve": "Serve the public pages: archive, sign-up, preferences, API, webhooks.",
    "stop": "Stop what is held at its slot, before it is sent.",
    "skip": "Send nothing at the slot of DAY; what is approved waits for the next one.",
    "postpone": "Move the slot of DAY to another time; the others stay where they are.",
    "send-late": "Send what is approved at the slot of DAY, which was late, stopped or skipped.",
    "test": "Send an issue to a few addresses to look at.",
    "send": "Send an issue to the subscribers.",
    "status": "Show how sending goes, or went.",
    "stats": "Show what became of each issue, and how the list grew.",
    "pause": "Pause a campaign, from any terminal.",
    "resume": "Go on with a campaign that is paused or was stopped.",
    "cancel": "End a campaign for good.",
    "reconcile": "List and settle deliveries whose outcome was missed.",
    "resend": "Try failed messages of a campaign again.",
    "feedback": "Look into the bounce mailbox once: bounces, complaints, wishes to leave.",
    "publish": "Put back issues into the archive without sending them.",
    "unpublish": "Take issues out of the archive that were put there by hand.",
    "site": "Build the archive as a static site, and see what stands in it.",
    "api-key": "Make, list and revoke keys of the JSON API.",
    "doctor": "See whether everything is ready to send.",
    "schema": "Print a JSON Schema: of the configuration, or of an issue's front matter.",
}


@click.group(
    cls=LazyGroup,
    summaries=COMMANDS,
    package="newsletter.cli",
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
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            "the folder that you are in is not there any more", hint="go to another: cd"
        ) from error
    context.obj = start


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal with an old encoding shows "?", not a crash
            stream.reconfigure(errors="replace")
    try:
        code = newsletter.main(arguments, prog_name="newsletter", standalone_mode=False)
        if sys.stdout is not None:  # closed by >&-
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
    except OSError as error:  # a full disk behind stdout; whatever else the world comes up with
        where = "the output" if error.filename is None else str(error.filename)
        click.echo(f"error: {where} cannot be used: {error.strerror or error}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)
