"""Keys of the JSON API: who may use it, for what, from which pages.

A key is shown once, when it is made, and only its SHA-256 is kept: 256 random bits need
no slow hash. Refuses to bring a revoked key back, and origins that browsers never send.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from newsletter.audience.fields import name_of
from newsletter.audience.history import write_audit
from newsletter.errors import UsageError
from newsletter.store.insert import add_new
from newsletter.store.tables import api_key

PREFIX = "nk_"  # so that a key that was published by mistake is found by who looks for such
_MAX_TEXT = 100  # characters of what may be a key at all
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class Scope(StrEnum):
    """What a key is for."""

    METRICS = "metrics"  # read /metrics
    STATUS = "status"  # see how a campaign goes
    SUBSCRIBE = "subscribe"  # ask for the newsletter on somebody's behalf


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key without its text. *origins* are of the pages whose scripts may use it."""

    id: int
    name: str
    scopes: frozenset[Scope]
    origins: tuple[str, ...]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


def create(
    conn: sa.Connection,
    name: str,
    scopes: Iterable[Scope],
    origins: Iterable[str] = (),
    *,
    now: datetime,
    actor: str,
) -> str:
    """Make a key and return its text, which nobody can show again.

    Raises:
        UsageError: a key of this name is in use, there is no scope, or an origin is none.
    """
    try:
        name = name_of(name)
    except ValueError as error:
        raise UsageError(str(error)) from error
    chosen = [scope.value for scope in sorted(set(scopes))]
    if not name or not chosen:
        raise UsageError("a key needs a name and at least one scope")
    text = PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name,
        "key_hash": _hash(text),
        "scopes": " ".join(chosen),
        "origins": " ".join(dict.fromkeys(map(origin_of, origins))),
        "created_at": now,
        "created_by": actor,
    }
    if not add_new(conn, api_key, row):
        raise UsageError(
            f"there is a key “{name}” already", hint=f"newsletter api-key revoke “{name}” ends it"
        )
    detail = f"{name}: {' '.join(chosen)}"
    write_audit(conn, "api_key.create", actor=actor, now=now, detail=detail)
    return text


def find_key(conn: sa.Connection, text: str) -> ApiKey | None:
    """Return the key with this text; None for any other text, and for a revoked one.

    One look-up by hash, whatever the text: the time tells nothing of what is kept.
    """
    digest = _hash(text[:_MAX_TEXT])
    query = sa.select(api_key).where(api_key.c.key_hash == digest, api_key.c.revoked_at.is_(None))
    row = conn.execute(query).one_or_none()
    return None if row is None or len(text) > _MAX_TEXT else _of_row(row)


def revoke(conn: sa.Connection, name: str, *, now: datetime, actor: str) -> None:
    """End the key of this name, for good and at once.

    Raises:
        UsageError: no key of this name is in use.
    """
    ended = (
        sa.update(api_key)
        .where(api_key.c.name == name, api_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if conn.execute(ended).rowcount != 1:
        raise UsageError(f"no key “{name}” is in use", hint="newsletter api-key list")
    write_audit(conn, "api_key.revoke", actor=actor, now=now, detail=name)


def list_keys(conn: sa.Connection) -> list[ApiKey]:
    """All keys, oldest first, revoked ones too."""
    return [_of_row(row) for row in conn.execute(sa.select(api_key).order_by(api_key.c.id))]


def origin_of(text: str) -> str:
    """*text* as a browser sends it in Origin (RFC 6454 §6.2): “https://host[:port]”.

    Raises:
        UsageError: it is none, or http and not of this machine.
    """
    try:
        parts = urlsplit(text.strip().rstrip("/").lower())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _no_origin(text) from error
    is_local = host in _LOCAL
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise _no_origin(text)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise _no_origin(text)
    if not (is_local or _HOST.fullmatch(host)):
        raise _no_origin(text)
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")


def _no_origin(text: str) -> UsageError:
    return UsageError(
        f"“{text[:100]}” is no origin",
        hint="write https://, the host and, if there is one, the port: https://www.example.org",
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _of_row(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(map(Scope, row.scopes.split())),
        origins=tuple(row.origins.split()),
        created_at=row.created_at,
        created_by=row.created_by,
        revoked_at=row.revoked_at,
    )
