"""Compose apart: in another process, so that the one that sends stays small; or without a word.

The libraries that compose keep some seventy megabytes; a sender may run for days. What
the checks found is printed as `shared.composed_issue` does, or left unsaid. Sends nothing.
"""

from __future__ import annotations

import signal
from datetime import date
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import MappingProxyType
from typing import TYPE_CHECKING

from newsletter.cli.shared import composed_issue, plural
from newsletter.config import Workspace
from newsletter.diagnostics import Severity, count
from newsletter.errors import ContentError, NewsletterError, StorageError
from newsletter.issue.check import check_folder
from newsletter.issue.folder import IssueFolder, shown

if TYPE_CHECKING:
    from newsletter.compose.edition import Edition


def composed_apart(folder: IssueFolder, workspace: Workspace, *, is_quiet: bool = False) -> Edition:
    """Check and compose the issue in *folder*, in another process.

    Raises:
        ContentError: it has errors; they are printed first, unless *is_quiet*.
        StorageError: the process was killed, as on a machine that is out of memory.
    """
    from newsletter.compose.edition import Edition

    context = get_context("spawn")
    answer, sender = context.Pipe(duplex=False)
    arguments = (sender, folder, workspace, is_quiet)
    process = context.Process(target=_compose, args=arguments, daemon=True)
    process.start()
    sender.close()  # so that its end is noticed here
    try:
        parts = answer.recv()
    except EOFError as error:
        raise StorageError(
            f"composing {shown(folder.path)} ended before it was done",
            hint="is there enough memory? It takes about 150 MB",
        ) from error
    finally:
        process.join()
    if isinstance(parts, NewsletterError):
        raise parts
    view, files, findings = parts
    return Edition(view=view, files=MappingProxyType(files), findings=findings)


def composed_quietly(folder: IssueFolder, workspace: Workspace) -> Edition:
    """Check and compose the issue in *folder*, here, and print nothing.

    Raises:
        ContentError: it has errors; it says how many.
        TemplateError, StorageError: as `compose`.
    """
    from newsletter.compose.edition import compose

    checked = check_folder(folder, workspace, today=date.today())  # noqa: DTZ011
    if checked.issue is None:
        errors = count(checked.diagnostics, Severity.ERROR)
        raise ContentError(f"{plural(errors, 'error')}, see newsletter check {folder.path.name}")
    return compose(checked.issue, folder, workspace)


def _compose(sender: Connection, folder: IssueFolder, workspace: Workspace, is_quiet: bool) -> None:
    """Send the parts of the edition, or the error; what is unforeseen goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches both; only one talks about it
    name = str(folder.path) if folder.inside is None else folder.path.name
    try:
        if is_quiet:
            edition = composed_quietly(folder, workspace)
        else:
            _, edition = composed_issue(name, workspace)
    except NewsletterError as error:
        sender.send(error)
        return
    sender.send((edition.view, dict(edition.files), edition.findings))
