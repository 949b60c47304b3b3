"""Fixtures of the commands that send: a few subscribers, a limit on how many get mail today."""

from __future__ import annotations

from typing import Protocol


class Add(Protocol):
    """Put people on the list by the first part of their address at example.org."""

    def __call__(self, *names: str, tag: str | None = None) -> None: ...


class PerDay(Protocol):
    """Write rates.per_day into newsletter.toml; None takes it out."""

    def __call__(self, limit: int | None) -> None: ...
