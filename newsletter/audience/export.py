"""Write the list out: CSV for spreadsheets and for import elsewhere, JSON Lines for programs.

Streams: memory does not grow with the list. A CSV cell that a spreadsheet would take
for a formula gets an apostrophe in front, which our import takes off again. Erased
people are not there; a suppression that only a hash is left of stays behind.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TextIO

import sqlalchemy as sa

from newsletter.audience.model import ConsentKind, Status, Subscriber
from newsletter.audience.reading import everyone, iterate
from newsletter.store.tables import consent, subscriber, suppression

CHUNK = 2_000  # people held at a time
STRANGERS = 20_000  # each time the database looks through the whole list once

COLUMNS = (
    *("email", "name", "language", "timezone", "format", "status", "tags", "source"),
    *("created_at", "consent_wording", "consent_at", "consent_ip", "consent_page"),
    *("confirmed_at", "suppressed", "left_at"),
)

# OWASP “CSV Injection”, and the full-width forms that spreadsheets read the same way.
# Apostrophes before one are counted in, so that taking one off always gives the cell back.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GIVEN = (ConsentKind.REQUESTED, ConsentKind.CONFIRMED, ConsentKind.IMPORTED, ConsentKind.ADDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Person:
    subscriber: Subscriber
    consents: list[sa.Row[Any]]  # oldest first
    suppression: Any | None  # its row: reason, source, at


def write_csv(conn: sa.Connection, out: TextIO, *, select: sa.Select[Any] | None = None) -> int:
    """Write the people of *select* (see `everyone`) and return how many; everybody by default.

    The whole list ends with the addresses that are suppressed without being on it.
    Open *out* with newline="".
    """
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    number = 0
    for person in _people(conn, select):
        writer.writerow([safe(cell) for cell in _cells(person)])
        number += 1
    if select is None:
        at = {name: place for place, name in enumerate(COLUMNS)}
        for row in _strangers(conn):
            cells = [""] * len(COLUMNS)
            cells[at["email"]] = safe(row.identity)
            cells[at["suppressed"]] = row.reason
            cells[at["left_at"]] = _moment(row.at)
            writer.writerow(cells)
            number += 1
    return number


def write_jsonl(conn: sa.Connection, out: TextIO, *, select: sa.Select[Any] | None = None) -> int:
    """Write an object a line, with every consent; otherwise as `write_csv`."""
    number = 0
    for person in _people(conn, select):
        out.write(json.dumps(_object(person), ensure_ascii=False) + "\n")
        number += 1
    if select is None:
        for row in _strangers(conn):
            found = {"email": row.identity, "status": None, "suppressed": _suppressed(row)}
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
            number += 1
    return number


def safe(cell: str) -> str:
    """*cell*, with an apostrophe in front where a spreadsheet would see a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


# ── rows ────────────────────────────────────────────────────────────────────


def _people(conn: sa.Connection, select: sa.Select[Any] | None) -> Iterator[_Person]:
    chosen = (everyone() if select is None else select).where(
        subscriber.c.status != Status.ERASED.value
    )
    people = iterate(conn, chosen, chunk=CHUNK)
    while chunk := list(islice(people, CHUNK)):
        first, last = chunk[0].id, chunk[-1].id
        consents = _consents(conn, first, last)
        suppressions = _suppressions(conn, first, last)
        for person in chunk:
            yield _Person(
                subscriber=person,
                consents=consents.get(person.id, []),
                suppression=suppressions.get(person.id),
            )


def _consents(conn: sa.Connection, first: int, last: int) -> dict[int, list[sa.Row[Any]]]:
    found: dict[int, list[sa.Row[Any]]] = {}
    query = sa.select(consent).where(consent.c.subscriber_id.between(first, last))
    for row in conn.execute(query.order_by(consent.c.id)):
        found.setdefault(row.subscriber_id, []).append(row)
    return found


def _suppressions(conn: sa.Connection, first: int, last: int) -> dict[int, Any]:
    query = (
        sa.select(subscriber.c.id, suppression.c.reason, suppression.c.source, suppression.c.at)
        .join(suppression, suppression.c.identity_hash == subscriber.c.identity_hash)
        .where(subscriber.c.id.between(first, last), suppression.c.lifted_at.is_(None))
    )
    return {row.id: row for row in conn.execute(query)}


def _strangers(conn: sa.Connection) -> Iterator[sa.Row[Any]]:
    """Suppressed addresses that are not on the list, in order."""
    # A join, because SQLite would read the whole list for each row of a NOT EXISTS.
    listed = suppression.outerjoin(
        subscriber, subscriber.c.identity_hash == suppression.c.identity_hash
    )
    last = -1
    while True:
        page = (
            sa.select(suppression)
            .select_from(listed)
            .where(
                suppression.c.id > last,
                suppression.c.identity.is_not(None),
                suppression.c.lifted_at.is_(None),
                subscriber.c.id.is_(None),
            )
            .order_by(suppression.c.id)
            .limit(STRANGERS)
        )
        rows = conn.execute(page).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


# ── their forms ─────────────────────────────────────────────────────────────


def _cells(person: _Person) -> list[str]:
    who, suppressed = person.subscriber, person.suppression
    given = next((row for row in reversed(person.consents) if row.kind in _GIVEN), None)
    cells = [who.email, who.name, who.language, who.timezone, who.format, who.status.value]
    cells += [_joined(who.tags), who.source, _moment(who.created_at)]
    if given is None:
        cells += [""] * 5
    else:
        is_confirmed = given.kind == ConsentKind.CONFIRMED
        confirmed_at = given.confirmed_at or (given.at if is_confirmed else None)
        cells += [given.wording, _moment(given.at), given.ip or "", given.page or ""]
        cells.append(_moment(confirmed_at))
    if suppressed is None:
        return [*cells, "", ""]
    return [*cells, suppressed.reason, _moment(suppressed.at)]


def _object(person: _Person) -> dict[str, Any]:
    who = person.subscriber
    return {
        "email": who.email,
        "name": who.name,
        "language": who.language,
        "timezone": who.timezone,
        "format": who.format,
        "status": who.status.value,
        "tags": list(who.tags),
        "source": who.source,
        "created_at": _moment(who.created_at),
        "updated_at": _moment(who.updated_at),
        "suppressed": None if person.suppression is None else _suppressed(person.suppression),
        "consents": [
            {
                "kind": row.kind,
                "wording": row.wording,
                "at": _moment(row.at),
                "ip": row.ip,
                "page": row.page,
                "confirmed_at": _moment(row.confirmed_at) or None,
                "source": row.source,
            }
            for row in person.consents
        ],
    }


def _suppressed(row: Any) -> dict[str, str]:
    return {"reason": row.reason, "source": row.source, "at": _moment(row.at)}


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _joined(tags: tuple[str, ...]) -> str:
    """Tags as one cell; quoted where a tag holds a quotation mark."""
    if not tags:
        return ""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(tags)
    return line.getvalue()
