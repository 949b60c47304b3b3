"""Exceptions for a bad world: a missing file, a broken configuration, a server that says no.

Bad *content* is never an exception: it becomes diagnostics, all of them (see
`newsletter.diagnostics`). Every message here says what went wrong, which one,
and what to do; the command line prints it as it is and exits with 2.
"""

from __future__ import annotations


class NewsletterError(Exception):
    """The one exception that users of the package need to catch.

    *message* says what and which one; *hint* says what to do.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NewsletterError):
    """The request cannot be met as it was put: no such issue, a folder that exists already."""


class ConfigError(NewsletterError):
    """`newsletter.toml` or the vocabulary beside it is missing, malformed or incomplete."""


class TemplateError(NewsletterError):
    """A template in `templates/` is missing or broken; the message names file and line."""


class StorageError(NewsletterError):
    """The disk or the database refused: read-only, full, locked."""


class ContentError(NewsletterError):
    """An issue with errors was asked to be composed; `newsletter check` lists them."""


class TransportError(NewsletterError):
    """Mail could not be handed over."""


class RecipientRejected(TransportError):  # noqa: N818 - what the server says
    """This one address can never be mailed; the others are not concerned."""
