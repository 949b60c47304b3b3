"""Read the rows of a CSV file, whatever its encoding and delimiter, in constant memory.

Looks through the whole file first, because a wrong byte may stand in its last line:
so the encoding is known before the first row is taken. A broken row is yielded as
`Broken` and reading goes on after it. Refuses what is no CSV file at all.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from newsletter.errors import StorageError, UsageError
from newsletter.issue.folder import shown

MAX_LINE = 65_536  # characters; a person's row has some hundred
MAX_RECORD_LINES = 100  # lines that one quoted field may span
MAX_COLUMNS = 500
DELIMITERS = ",;\t"
_CHUNK = 1 << 20

_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "save the sheet as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (b"\x1f\x8b", "compressed", "unpack it first: gunzip FILE"),
    (b"%PDF", "a PDF", "export the list as CSV"),
    (b"SQLite format 3\x00", "a database", "export the list as CSV"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Nature:
    """What a look through the whole file has shown."""

    encoding: str
    has_bad_bytes: bool  # they are read as lone surrogates; `row` rejects those
    size: int  # bytes
    sha256: bytes
    warnings: tuple[str, ...] = ()


class Row(list[str]):
    """The fields of one record, and the *line* it begins in."""

    __slots__ = ("line",)
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A record that is no CSV; *text* is its beginning."""

    line: int
    text: str
    reason: str


class BrokenRecord(Exception):  # noqa: N818 - a finding on its way, not an error of the world
    """Raised through csv.reader, which then begins anew with the next line."""


# ── the file as a whole ─────────────────────────────────────────────────────


def look_through(path: Path) -> Nature:
    """Find out encoding, size and hash.

    Raises:
        UsageError: the file is empty, binary, or has a first line that never ends.
        StorageError: it cannot be read.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UsageError(  # it is read twice
            f"{shown(path)} is no file but a pipe or a device", hint="save it as a file first"
        )
    try:
        with path.open("rb") as file:
            return _nature(path, file)
    except IsADirectoryError as error:
        raise UsageError(f"{shown(path)} is a folder", hint="name a CSV file") from error
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {shown(path)}") from error
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror or error}") from error


def _nature(path: Path, file: io.BufferedReader) -> Nature:
    head = file.read(_CHUNK)
    _refuse_binary(path, head)
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    encoding = marked or _unmarked_utf16(head) or "utf-8"
    if encoding.startswith("utf-8"):
        if _is_binary(head):
            raise UsageError(f"{shown(path)} is not text", hint="export the list as CSV")
        if len(head) == _CHUNK and b"\n" not in head and b"\r" not in head:
            raise UsageError(
                f"the first line of {shown(path)} does not end: it is no CSV file",
                hint="its first line should name the columns, as in: email,name",
            )
    scan = _Scan(encoding)
    digest = hashlib.sha256()
    size = 0
    chunk = head
    while chunk:
        digest.update(chunk)
        size += len(chunk)
        scan.feed(chunk)
        chunk = file.read(_CHUNK)
    scan.finish()
    if scan.is_damaged:
        raise UsageError(
            f"{shown(path)} begins as {encoding.upper()} but is damaged", hint="save it as UTF-8"
        )
    return scan.nature(path, size, digest.digest())


def _refuse_binary(path: Path, head: bytes) -> None:
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UsageError(f"{shown(path)} is empty", hint="it should begin with: email,name")
    for magic, what, hint in _BINARY:
        if head.startswith(magic):
            raise UsageError(f"{shown(path)} is {what}", hint=hint)


def _is_binary(head: bytes) -> bool:
    """Control characters all over; a few may stand in bad rows. A tiny file has no header then."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return len(head) >= 512 and controls > len(head) // 20


def _unmarked_utf16(head: bytes) -> str | None:
    """UTF-16 without its mark: every other byte of Latin text is zero."""
    sample = head[:4096]
    for encoding, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(sample) > 3 and sample[offset::2].count(0) > 0.4 * len(sample):
            return encoding
    return None


class _Scan:
    """Decode everything once, count what is no UTF-8."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.is_damaged = False
        self._is_utf8 = encoding.startswith("utf-8")
        errors = "surrogateescape" if self._is_utf8 else "strict"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._lines = 0
        self._bad_line = 0
        self._bad = 0
        self._beyond_ascii = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        if self.is_damaged or (self._is_utf8 and chunk.isascii() and not self._pending()):
            self._lines += chunk.count(b"\n")
            return
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            self.is_damaged = True
            return
        if self._is_utf8 and not text.isascii():
            self._judge(text)
        self._lines += text.count("\n")

    def finish(self) -> None:
        self.feed(b"", final=True)

    def _pending(self) -> bool:
        return bool(self._decoder.getstate()[0])

    def _judge(self, text: str) -> None:
        bad = 0
        try:
            text.encode()
        except UnicodeEncodeError as error:
            if not self._bad:
                self._bad_line = self._lines + text.count("\n", 0, error.start) + 1
            bad = len(text) - len(text.encode("utf-8", "ignore").decode())
        self._bad += bad
        self._beyond_ascii += len(text) - len(text.encode("ascii", "ignore")) - bad

    def nature(self, path: Path, size: int, sha256: bytes) -> Nature:
        encoding, warnings = self.encoding, []
        if self._bad and self._bad >= self._beyond_ascii and encoding == "utf-8":
            # Windows-1252 hardly ever looks like UTF-8 by chance, and never often.
            encoding = "cp1252"
            warnings.append(
                f"{shown(path)} is not UTF-8 (line {self._bad_line:,}): read as Windows-1252; "
                "look whether names are right, or save it as UTF-8"
            )
        elif self._bad:
            warnings.append(
                f"{shown(path)} is UTF-8 with bytes that are not, first in line "
                f"{self._bad_line:,}: these rows are rejected"
            )
        return Nature(
            encoding=encoding,
            has_bad_bytes=bool(self._bad),
            size=size,
            sha256=sha256,
            warnings=tuple(warnings),
        )


# ── its rows ────────────────────────────────────────────────────────────────


class Rows:
    """The header and the records of a file; a context manager that closes it."""

    def __init__(self, path: Path, nature: Nature) -> None:
        self.path = path
        self.header: list[str] = []
        self.header_line = 1
        self._raw = path.open("rb", buffering=0)
        errors = "surrogateescape" if nature.has_bad_bytes else "strict"
        # newline="": line breaks inside quotes are the field's own.
        self._file = io.TextIOWrapper(
            io.BufferedReader(self._raw, _CHUNK),
            encoding=nature.encoding,
            errors=errors,
            newline="",
        )
        self._record: list[str] = []  # the lines of the record that is being read
        self._again: list[str] = []  # lines to read once more, last first
        self._line = 0
        try:
            self.delimiter = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Rows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def bytes_read(self) -> int:
        return self._raw.tell()

    def __iter__(self) -> Iterator[Row | Broken]:
        """Yield the records below the header; empty lines are passed over."""
        reader = csv.reader(self._lines(), delimiter=self.delimiter)
        while True:
            start = self._line + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except (BrokenRecord, csv.Error) as error:
                yield self._broken(start, error)
                reader = csv.reader(self._lines(), delimiter=self.delimiter)
                continue
            self._record.clear()
            if fields:
                row = Row(fields)
                row.line = start
                yield row

    def _broken(self, start: int, error: Exception) -> Broken:
        """Give up the first line of the record; the others may be sound."""
        first, *others = self._record or [""]
        self._again += reversed(others)
        self._line = start
        self._record.clear()
        reason = str(error) if isinstance(error, BrokenRecord) else f"it is no CSV: {error}"
        return Broken(line=start, text=first[:1_000].rstrip("\r\n"), reason=reason)

    def _lines(self) -> Iterator[str]:
        readline, record, again = self._file.readline, self._record, self._again
        while True:
            line = again.pop() if again else readline(MAX_LINE)
            if not line:
                if record:  # csv.reader asks for more only where a quote is open
                    raise BrokenRecord("a quotation mark opens in this line and never closes")
                return
            self._line += 1
            record.append(line)
            if len(line) >= MAX_LINE:
                self._pass_over(line)
                raise BrokenRecord(f"the line has more than {MAX_LINE:,} characters")
            if len(record) > MAX_RECORD_LINES:
                raise BrokenRecord("a quotation mark opens in this line and does not close")
            yield line

    def _pass_over(self, line: str) -> None:
        """Read to the end of a long *line*, once: it is longer than MAX_LINE from then on."""
        if len(line) == MAX_LINE:
            self._record[-1] = line + "…"
            while line and not line.endswith(("\n", "\r")):
                line = self._file.readline(MAX_LINE)

    def _read_header(self) -> str:
        """Read the first line that is not empty, and find the delimiter in it."""
        forced = ""
        while line := self._file.readline(MAX_LINE):
            self._line += 1
            text = line.strip("\r\n \ufeff")
            if len(line) >= MAX_LINE:
                raise UsageError(
                    f"line {self._line} of {shown(self.path)} does not end: it is no CSV file",
                    hint="its first line should name the columns, as in: email,name",
                )
            if len(text) == 5 and text.lower().startswith("sep="):  # Excel's own way to say it
                forced = text[4]
            elif text:
                return self._split_header(text, forced)
        raise UsageError(f"{shown(self.path)} is empty", hint="it should begin with: email,name")

    def _split_header(self, text: str, forced: str) -> str:
        unquoted = re.sub(r'"[^"]*"', "", text)
        delimiter = forced or max(DELIMITERS, key=unquoted.count)
        self.header_line = self._line
        names = next(csv.reader([text], delimiter=delimiter), [])
        self.header = [name.strip() for name in names]
        if len(self.header) > MAX_COLUMNS:
            raise UsageError(
                f"{shown(self.path)} has {len(self.header):,} columns",
                hint=f"a list of people has fewer than {MAX_COLUMNS}: is it the right file?",
            )
        return delimiter
