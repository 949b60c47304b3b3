"""Judge and apply a chunk of candidates in the database, by a handful of statements.

The chunk goes into a temporary table; each row gets an outcome there; then every
outcome is applied at once (see `statements`). No row makes its own trip to the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.audience.importer import statements as sql
from newsletter.audience.importer.row import COLUMNS, IDENTITY, LINE, REASON, Candidate
from newsletter.audience.leaving import GRAVITY
from newsletter.store.tables import microseconds

RANK = {reason.value: rank for rank, reason in enumerate(GRAVITY, start=1)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """What is recorded of the import itself; *basis* is the consent it rests on, or ""."""

    source: str
    basis: str
    actor: str
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcomes:
    """Rows of a chunk by what became of them."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    left_alone: int = 0
    suppressed: int = 0


class Seen:
    """Whose row this import has met: the first of a file counts, a second adds only tags.

    Keeps a bit for each subscriber that was there before, and none for those it adds:
    they have higher numbers.
    """

    def __init__(self, newest: int) -> None:
        self._newest = newest
        self._bits = bytearray(newest // 8 + 1)
        self._fresh: list[int] = []  # met since `settle`

    def is_repeated(self, subscriber_id: int) -> bool:
        if subscriber_id > self._newest:
            return True
        place, bit = subscriber_id >> 3, 1 << (subscriber_id & 7)
        if self._bits[place] & bit:
            return True
        self._bits[place] |= bit
        self._fresh.append(subscriber_id)
        return False

    def settle(self) -> None:
        """The transaction is committed: who was met in it stays met."""
        self._fresh.clear()

    def undo(self) -> None:
        """The transaction is undone, and its rows come again."""
        for subscriber_id in self._fresh:
            self._bits[subscriber_id >> 3] &= ~(1 << (subscriber_id & 7))
        self._fresh.clear()


class Chunk:
    """Candidates that are held in memory together, one for each address."""

    def __init__(self) -> None:
        self.candidates: dict[str, Candidate] = {}
        self.tags: dict[str, tuple[str, ...]] = {}
        self.repeated = 0

    def add(self, candidate: Candidate, tags: tuple[str, ...]) -> None:
        """The first row of an address counts, unless a later one has a (graver) reason."""
        identity = candidate[IDENTITY]
        earlier = self.candidates.setdefault(identity, candidate)
        if earlier is not candidate:
            self.repeated += 1
            if RANK.get(candidate[REASON], 0) > RANK.get(earlier[REASON], 0):
                self.candidates[identity] = candidate
        if tags:
            known = self.tags.get(identity)
            self.tags[identity] = tags if known is None else (*known, *tags)

    def load(self, conn: sa.Connection) -> None:
        """Put the candidates into the temporary tables."""
        rows = list(self.candidates.values())
        tags = [
            (self.candidates[identity][LINE], tag)
            for identity, names in self.tags.items()
            for tag in set(names)
        ]
        is_sqlite = conn.dialect.name == "sqlite"
        forms = sql.FORMS[conn.dialect.name]
        for statement in sql.CREATE:
            conn.exec_driver_sql(statement.format(**forms))
        if not is_sqlite:
            for statement in sql.PREPARE_POSTGRESQL:
                conn.exec_driver_sql(statement)
        load = _load_sqlite if is_sqlite else _load_postgresql
        load(conn, "incoming", COLUMNS[: len(rows[0])], rows)
        load(conn, "incoming_tag", ("line", "tag"), tags)

    def judge(self, conn: sa.Connection, seen: Seen) -> None:
        """Give each loaded candidate its outcome."""
        for statement in sql.RESOLVE:
            conn.execute(sa.text(statement))
        repeated = [
            {"line": line}
            for line, subscriber_id in conn.execute(sa.text(sql.KNOWN))
            if seen.is_repeated(subscriber_id)
        ]
        if repeated:
            conn.execute(sa.text(sql.REPEATED), repeated)
        for statement in sql.JUDGE:
            conn.execute(sa.text(statement))

    def apply(self, conn: sa.Connection, origin: Origin) -> Outcomes:
        """Write what follows from the outcomes, and count them."""
        given = {
            "now": microseconds(origin.now),
            "actor": origin.actor,
            "source": origin.source,
            "basis": origin.basis,
        }
        counts = dict(zip(sql.OUTCOMES, conn.execute(sa.text(sql.COUNT)).one(), strict=True))
        added = _apply(conn, counts, given, has_tags=bool(self.tags))
        outcomes = Outcomes(
            added=added,
            updated=counts["update"],
            # Somebody else may have added them since we looked.
            unchanged=counts["same"] + counts["known"] + counts["new"] - added,
            repeated=counts["repeated"] + self.repeated,
            left_alone=counts["left"],
            suppressed=counts["suppress"],
        )
        self._note(conn, outcomes, given)
        return outcomes

    def _note(self, conn: sa.Connection, outcomes: Outcomes, given: dict[str, Any]) -> None:
        parts = [
            f"{number} {word}"
            for word in ("added", "updated", "suppressed")
            if (number := getattr(outcomes, word))
        ]
        if parts:
            lines = [candidate[LINE] for candidate in self.candidates.values()]
            place = f"lines {min(lines)}–{max(lines)}"
            detail = f"{given['source']}, {place}: {', '.join(parts)}"
            conn.execute(sa.text(sql.NOTE), {**given, "detail": detail})


def _apply(
    conn: sa.Connection, counts: dict[str, int], given: dict[str, Any], *, has_tags: bool
) -> int:
    """Write what the outcomes ask for; return how many people are new."""
    added = 0
    if counts["new"]:
        added = conn.execute(sa.text(sql.ADD), given).rowcount
        conn.execute(sa.text(sql.ADD_CONSENT), given)
    if has_tags:
        conn.execute(sa.text(sql.ADD_TAGS))
    if counts["update"]:
        for statement in sql.UPDATE:
            conn.execute(sa.text(statement), given)
    if counts["suppress"] or counts["same"]:
        conn.execute(sa.text(sql.VOID))
    if counts["suppress"]:
        for statement in sql.LEAVE:
            conn.execute(sa.text(statement), given)
    if counts["suppress"] or counts["new"]:
        conn.execute(sa.text(sql.ADD_SUPPRESSION), given)
    return added


def _load_sqlite(
    conn: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    conn.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
    if rows:
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        conn.exec_driver_sql(insert, list(rows))


def _load_postgresql(
    conn: sa.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    import psycopg

    conn.exec_driver_sql(f"TRUNCATE {table}")
    driver: Any = conn.connection.driver_connection
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise sa.exc.OperationalError("COPY", None, error) from error
