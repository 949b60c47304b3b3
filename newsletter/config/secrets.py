"""Secrets: from the environment, or from a file that the environment names. Nowhere else.

A Secret hides itself in repr, str and tracebacks; only `reveal` gives the text.
"""

from __future__ import annotations

import os
from pathlib import Path

from newsletter.errors import ConfigError

MAX_BYTES = 10_000


class Secret:
    """A text that is never shown."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written down")


def secret(variable: str, *, purpose: str) -> Secret:
    """Read *variable*, else the file that *variable*_FILE names.

    Raises:
        ConfigError: neither is set, or what is there cannot be a secret; says so without it.
    """
    text = os.environ.get(variable)
    where = variable
    if text is None and (name := os.environ.get(f"{variable}_FILE")):
        where = f"the file that {variable}_FILE names"
        try:
            with Path(name).open("rb") as file:
                text = file.read(MAX_BYTES).decode("utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigError(f"{where} cannot be read: {reason}") from None
    if text is None:
        raise ConfigError(
            f"{purpose} is not set",
            hint=f"put it into the variable {variable}, or its file's name into {variable}_FILE",
        )
    text = text.strip()
    if not text or not text.isprintable():
        raise ConfigError(f"{where} is empty or holds control characters; it is {purpose}")
    return Secret(text)
