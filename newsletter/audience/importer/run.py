"""Import one file: read, judge and apply it batch by batch; report what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from datetime import datetime
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from newsletter.audience.fields import tag_of
from newsletter.audience.importer.cells import is_plain_text, without_address
from newsletter.audience.importer.chunk import Chunk, Origin, Outcomes, Seen
from newsletter.audience.importer.columns import Columns, resolve
from newsletter.audience.importer.peers import Field
from newsletter.audience.importer.read_ahead import ReadAhead
from newsletter.audience.importer.reading import Broken, Nature, Row, Rows, look_through
from newsletter.audience.importer.rejects import RejectsFile
from newsletter.audience.importer.report import Progress, Reject, Report
from newsletter.audience.importer.row import Problem, RowReader
from newsletter.audience.importer.taken import note_taken
from newsletter.audience.model import Reason
from newsletter.audience.reading import hasher_of
from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown
from newsletter.store.engine import Store
from newsletter.store.tables import subscriber

BATCH_ROWS = 50_000  # a transaction: larger ones write each page of an index less often
CHUNK_ROWS = 10_000  # held in memory at a time, and as many being read
CHUNK_BYTES = 8_000_000  # of the file: fewer rows, where they are long
SHOWN_REJECTS = 20
_TRIES = 5  # of a batch that was in somebody's way
_STEP = 100  # rows between two looks at how long they are

_Rejected = tuple[Reject, Sequence[str]]  # and the row, for the rejects file
_Read = tuple[Chunk, list[_Rejected]]


def import_csv(
    store: Store,
    path: Path,
    *,
    consent: str,
    mapping: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    suppress: Reason | None = None,
    dry_run: bool = False,
    actor: str,
    now: datetime,
    on_progress: Callable[[Progress], None] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Report:
    """Take the people of a CSV file into the list, *batch_rows* rows a transaction.

    *consent* is the basis on which they are mailed; every row that would join the list
    needs it. *mapping* is of column → field (`parse_mapping`), *tags* are given to all,
    *suppress* makes the file a list of addresses never to be mailed. What the file says
    replaces what was known, what it leaves empty does not; tags are added. The same file
    again changes nothing. Ctrl-C undoes the batch in hand and returns the report with
    `interrupted`. *dry_run* does everything in one transaction and undoes it: nobody
    else can write meanwhile.

    Raises:
        UsageError: no CSV file, a header that cannot be understood, no consent.
        StorageError: the database, the file or its folder refuses; whole batches are kept.
    """
    nature = look_through(path)
    basis = _basis(consent)
    given_tags = _checked_tags(tags)
    origin = Origin(source=f"import of {_kept_name(path)}", basis=basis, actor=actor, now=now)
    with ExitStack() as stack:
        rows = stack.enter_context(Rows(path, nature))
        columns = resolve(rows.header, path, mapping=mapping, suppress=suppress)
        if columns.everyone is None and not basis and not _MAY_DO_WITHOUT & columns.at.keys():
            raise UsageError(
                f"on what consent are the people of {shown(path)} mailed?",
                hint='say it, as in: --consent "asked on paper at the spring meeting"',
            )
        with store.read() as conn:
            hasher = hasher_of(conn)
            newest = conn.scalar(sa.select(sa.func.max(subscriber.c.id))) or 0
        reader = RowReader(
            columns,
            hasher,
            basis=basis,
            tags=given_tags,
            now=now,
            has_bad_bytes=nature.has_bad_bytes,
        )
        rejects_file = stack.enter_context(RejectsFile(path, rows.header))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        run = _Run(
            *(rows, nature, reader, rejects_file, Seen(newest), origin, on_progress),
            is_dry_run=dry_run,
        )
        chunks = ReadAhead(pool, run.chunks(min(batch_rows, CHUNK_ROWS)))
        interrupted = False
        try:
            if dry_run:
                run.rehearse(store, chunks)
            else:
                run.perform(store, chunks, max(1, batch_rows // CHUNK_ROWS))
        except KeyboardInterrupt:
            interrupted = True
            chunks.wait()
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(
                f"{shown(path)} cannot be read to its end, or was changed meanwhile",
                hint="what was taken is kept: run the same command again",
            ) from error
        return run.report(columns, interrupted=interrupted)


_MAY_DO_WITHOUT = {Field.STATUS, Field.SUPPRESSED, Field.CONSENT_WORDING}


class _Undo(Exception):  # noqa: N818 - leaves a transaction that was only to be tried
    pass


class _Run:
    """The state of one import: what was counted is what was committed."""

    def __init__(
        self,
        rows: Rows,
        nature: Nature,
        reader: RowReader,
        rejects_file: RejectsFile,
        seen: Seen,
        origin: Origin,
        on_progress: Callable[[Progress], None] | None,
        *,
        is_dry_run: bool,
    ) -> None:
        self._rows = rows
        self._nature = nature
        self._reader = reader
        self._rejects_file = rejects_file
        self._seen = seen
        self._origin = origin
        self._on_progress = on_progress
        self._is_dry_run = is_dry_run
        self._counts = {field.name: 0 for field in fields(Outcomes)}
        self._rejected = 0
        self._shown: list[Reject] = []
        # None until the end: after an interruption the same command writes them all.
        self._rejects_path: Path | None = None

    def perform(self, store: Store, chunks: ReadAhead[_Read], chunks_a_batch: int) -> None:
        """Apply the chunks, several a transaction; on PostgreSQL one, so that it can come again."""
        size = 1 if store.dialect == "postgresql" else chunks_a_batch
        while found := self._take(chunks):
            for outcomes, rejects in self._batch(store, found, chunks, size):
                self._count(outcomes, rejects)
            self._tell()
        with store.begin() as conn:
            name, sha256 = _kept_name(self._rows.path), self._nature.sha256
            note_taken(conn, name, sha256, self._read, self._origin.now)
        self._rejects_path = self._rejects_file.finish()

    def _batch(
        self, store: Store, first: _Read, chunks: ReadAhead[_Read], size: int
    ) -> list[tuple[Outcomes, list[Reject]]]:
        """Apply *first* and what follows it, *size* chunks in all, in one transaction.

        It is tried again where somebody who changes the same people at the same time was
        in the way: the database has undone it whole.
        """
        tries = 1
        while True:
            try:
                with store.begin() as conn:
                    done = [self._apply(conn, first, chunks)]
                    while len(done) < size and (found := self._take(chunks)):
                        done.append(self._apply(conn, found, chunks))
            except StorageError as error:
                if tries == _TRIES or not _is_clash(error):
                    raise
                self._seen.undo()
                tries += 1
            else:
                self._seen.settle()
                return done

    def _take(self, chunks: ReadAhead[_Read]) -> _Read | None:
        """The next chunk; its rejects are written down, once."""
        found = chunks.take()
        if found is not None and not self._is_dry_run:
            self._rejects_file.write(found[1])  # it gets its name when everything is committed
        return found

    def rehearse(self, store: Store, chunks: ReadAhead[_Read]) -> None:
        """Do it all, in a transaction that is undone."""
        try:
            with store.begin() as conn:
                while found := self._take(chunks):
                    self._count(*self._apply(conn, found, chunks))
                    self._tell()
                raise _Undo
        except _Undo:
            pass

    def report(self, columns: Columns, *, interrupted: bool) -> Report:
        notes = [columns.peer.note] if columns.peer.note else []
        if columns.unused:
            names = ", ".join(f"“{name[:40]}”" for name in columns.unused[:10])
            more = f" and {len(columns.unused) - 10} more" if len(columns.unused) > 10 else ""
            notes.append(f"columns that are not kept: {names}{more}")
        return Report(
            path=self._rows.path,
            form=columns.peer.name,
            dry_run=self._is_dry_run,
            interrupted=interrupted,
            read=self._read,
            rejected=self._rejected,
            rejects=tuple(self._shown),
            rejects_file=self._rejects_path,
            warnings=(*self._nature.warnings, *notes, *self._reader.warnings.texts()),
            **self._counts,
        )

    @property
    def _read(self) -> int:
        return self._rejected + sum(self._counts.values())

    def chunks(self, size: int) -> Iterator[_Read]:
        """Read the file, *size* rows at a time at most."""
        rows = iter(self._rows)
        while some := list(islice(rows, min(size, _STEP))):
            start = self._rows.bytes_read()
            while len(some) < size and self._rows.bytes_read() - start < CHUNK_BYTES:
                more = list(islice(rows, min(size - len(some), _STEP)))
                if not more:
                    break
                some += more
            yield self._chunk(some)

    def _chunk(self, rows: Sequence[Row | Broken]) -> _Read:
        people = Chunk()
        rejects: list[_Rejected] = []
        read, columns = self._reader, self._reader.columns
        for row in rows:
            if isinstance(row, Row):
                try:
                    people.add(*read(row, row.line))
                except Problem as problem:
                    column = columns.name_of(problem.field)
                    reject = Reject(line=row.line, column=column, reason=problem.reason)
                    rejects.append((reject, row))
            else:
                reject = Reject(line=row.line, column="", reason=row.reason)
                rejects.append((reject, row.text.split(self._rows.delimiter)))
        return people, rejects

    def _apply(
        self, conn: sa.Connection, found: _Read, chunks: ReadAhead[_Read]
    ) -> tuple[Outcomes, list[Reject]]:
        people, rejects = found
        outcomes = Outcomes()
        if people.candidates:
            people.load(conn)
            people.judge(conn, self._seen)
            # Loading and reading are Python's, and would only take turns; from here on the
            # database is busy by itself.
            chunks.start()
            outcomes = people.apply(conn, self._origin)
        else:
            chunks.start()
        return outcomes, [reject for reject, _ in rejects]

    def _count(self, outcomes: Outcomes, rejects: Sequence[Reject]) -> None:
        for name in self._counts:
            self._counts[name] += getattr(outcomes, name)
        self._rejected += len(rejects)
        self._shown += rejects[: SHOWN_REJECTS - len(self._shown)]

    def _tell(self) -> None:
        if self._on_progress is not None:
            size = self._nature.size
            done = min(self._rows.bytes_read(), size)
            self._on_progress(Progress(bytes_read=done, bytes_total=size, rows=self._read))


def _is_clash(error: StorageError) -> bool:
    """A deadlock or a serialization failure (PostgreSQL, appendix A, class 40)."""
    state = getattr(getattr(error.__cause__, "orig", None), "sqlstate", None)
    return state in ("40P01", "40001")


def _basis(consent: str) -> str:
    basis = consent.strip()
    if not is_plain_text(basis):
        raise UsageError("the consent is too long or holds control characters")
    return basis


def _checked_tags(tags: Sequence[str]) -> list[str]:
    try:
        return sorted({tag_of(tag) for tag in tags})
    except ValueError as error:
        raise UsageError(str(error)) from error


def _kept_name(path: Path) -> str:
    """What consent, audit and `import_file` say of the file: kept for ever, so no address."""
    name = path.name[:200]
    return without_address(name) if name.isprintable() else "a file"
