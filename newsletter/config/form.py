"""What the keys of `newsletter.toml` are made of: a description, a default, the form of a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from newsletter.email_address import normalized

Check = Callable[[Any], Any]


def key(
    description: str,
    *,
    check: Check | None = None,
    pattern: str | None = None,
    ge: int | None = None,
    le: int | None = None,
) -> msgspec.Meta:
    """Describe one key: its meaning, a *check* of its value, its *pattern* or its bounds."""
    form = {"pattern": pattern} if pattern is not None else {"ge": ge, "le": le}
    meta: msgspec.Meta = msgspec.Meta(description=description, extra={"check": check}, **form)
    return meta


def meta_of(kind: Any) -> msgspec.Meta:
    """The `key(…)` of a field's type, optional or not."""
    described = kind if hasattr(kind, "__metadata__") else get_args(kind)[0]
    meta: msgspec.Meta = described.__metadata__[0]
    return meta


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of newsletter.toml."""

    def contradictions(self) -> Iterable[tuple[str, str]]:
        """Name keys that are sound by themselves and not together, and what is wrong with them."""
        return ()


# ── checks: each returns the value, or raises ValueError that says what is wrong ────


def line(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("it holds a control character or a line break")
    return value.strip()


def lines(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line(value) for value in values)


def web_address(value: str) -> str:
    value = line(value)
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("it is not an absolute https:// address")
    if re.search(r"[\s<>\"']", value):
        raise ValueError("it holds a space, a quote or an angle bracket")
    if not value.isascii():  # it stands in mail headers
        raise ValueError("it holds letters outside ASCII: write the host as xn--…, the rest as %…")
    return value


def mail_address(value: str) -> str:
    return normalized(line(value), ascii_only=True)  # it stands in mail headers


def mail_addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(mail_address(value) for value in values)


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("it is not a time zone; write it as in America/New_York") from error
    return value


def day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise ValueError('it is not a day; write it as in "2026-03-01"') from error


def host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", value):
        raise ValueError("it is not the name or the number of a host")
    return value


def per_domain(values: dict[str, int]) -> dict[str, int]:
    for name, rate in values.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name):
            raise ValueError(f"“{name}” is not a domain")
        if rate < 1:
            raise ValueError(f"{name} has a rate below 1 a second")
    return {name.lower(): rate for name, rate in values.items()}


def database_url(value: str) -> str:
    value = line(value)
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError("it is no URL") from error
    if parts.scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("it does not begin with sqlite:/// or postgresql://")
    if parts.password or "password" in parts.query.lower():
        raise ValueError(
            "it holds a password, and this file is not for secrets: set NEWSLETTER_DATABASE_URL"
        )
    return value
