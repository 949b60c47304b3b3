"""The journal: what became of each delivery in a sender's hands, readable after kill -9.

A file in memory (mmap): setting a mark costs a tenth of a microsecond and survives the
process. It is divided into blocks of up to 1,000 places, one for each claim, numbered as
they are written; a place is 8 bytes, the subscriber's id and the mark together, so that
no crash can part them. A block is written again only when the database has its results.

Refuses to be evidence for more than it can know: after a power cut or a reboot pages may
be old, and only the mark ACCEPTED counts, which no later page can take back.
"""

from __future__ import annotations

import mmap
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from newsletter.config import Workspace
from newsletter.delivery.lock import lock_file
from newsletter.errors import StorageError

PLACES = 1_000  # of a block
BLOCKS = 256  # a delivery whose answer is slow holds its block: as many slow ones as this

_PLACE = struct.Struct("<Q")  # the mark is the first byte, the other 7 are the subscriber's id
_CELL = _PLACE.size
_FIRST = 4_096  # where the blocks begin
_STRIDE = 8_192
_HEAD = struct.Struct("<QII")  # of a block: batch number, places, CRC-32
_CELLS = 64  # where a block's places begin
SIZE = _FIRST + BLOCKS * _STRIDE  # octets of the file, all allocated at once
_TITLE = struct.Struct("<16s32sQ36sI")  # magic, journal id, campaign, boot id, CRC-32
_MAGIC = b"newsletter 0001\n"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Mark(IntEnum):
    CLAIMED = 0  # nothing has left
    HANDED_OVER = 1  # the answer is awaited
    ACCEPTED = 2
    REFUSED = 3  # explicitly; may be handed over again


MARKS: Final = (Mark.CLAIMED, Mark.HANDED_OVER, Mark.ACCEPTED, Mark.REFUSED)


def journal_path(workspace: Workspace, campaign_id: int) -> Path:
    return workspace.root / ".newsletter" / "journal" / str(campaign_id)


def boot_id() -> str:
    """Name this run of the machine; "" where it has none, which counts as another one."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()[:36]
    except (OSError, ValueError):
        return ""


class Journal:
    """A new, empty journal of a running sender, locked while it is open."""

    def __init__(self, path: Path, lock: int, cells: mmap.mmap, journal_id: str) -> None:
        self.id = journal_id
        self.cells = cells  # cells[place] is the mark of a place
        self._path = path
        self._lock = lock
        self._batch = 0
        self._free = list(range(BLOCKS - 1, -1, -1))
        self._open = [0] * BLOCKS  # places without a result in the database

    @classmethod
    def create(cls, path: Path, campaign_id: int) -> Journal:
        """Make a journal in the place of any other one.

        Raises:
            StorageError: the folder cannot be written, the disk is full.
        """
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        journal_id = secrets.token_hex(16)
        descriptor = -1
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            scratch.unlink(missing_ok=True)
            descriptor = lock_file(scratch, create=True)
            # Room on the disk now: a page that has none later would kill the process.
            os.posix_fallocate(descriptor, 0, SIZE)
            os.pwrite(descriptor, _title(journal_id, campaign_id), 0)
            os.fsync(descriptor)
            scratch.replace(path)
            _sync_folder(path.parent)
            cells = mmap.mmap(descriptor, SIZE)
        except (OSError, StorageError) as error:
            if descriptor >= 0:
                os.close(descriptor)
            _remove(scratch)
            if isinstance(error, StorageError):
                raise
            raise StorageError(
                f"the journal {path} cannot be written: {error.strerror}",
                hint="make room, and make the folder writable for you; nothing was sent",
            ) from error
        return cls(path, descriptor, cells, journal_id)

    @property
    def is_full(self) -> bool:
        return not self._free

    def write(self, subscriber_ids: Sequence[int]) -> range:
        """Note a claim, before it is committed; return the places, in the same order.

        Raises ValueError for no ids, or more than a block has places for.
        """
        if not 0 < len(subscriber_ids) <= PLACES:
            raise ValueError(f"a block has 1 to {PLACES} places")
        block = self._free.pop()
        start = _FIRST + block * _STRIDE
        cells = struct.pack(f"<{len(subscriber_ids)}Q", *[number << 8 for number in subscriber_ids])
        self._batch += 1
        # In this order: whatever a kill interrupts, a block is the old one, none, or the new one.
        self.cells[start : start + _HEAD.size] = bytes(_HEAD.size)
        self.cells[start + _CELLS : start + _CELLS + len(cells)] = cells
        self.cells[start : start + _HEAD.size] = _head(self._batch, cells)
        self._open[block] = len(subscriber_ids)
        first = start + _CELLS
        return range(first, first + len(cells), _CELL)

    def settle(self, places: Iterable[int]) -> None:
        """The database has the results of these places: their blocks may be used again."""
        is_open = self._open
        for place in places:
            block = (place - _FIRST) // _STRIDE
            is_open[block] -= 1
            if not is_open[block]:
                self._free.append(block)

    def close(self) -> None:
        self.cells.close()
        os.close(self._lock)

    def remove(self) -> None:
        """Delete the file: nothing is in anybody's hands any more."""
        _remove(self._path)


# ── after a crash ───────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a journal that was left behind says."""

    id: str
    campaign_id: int
    is_of_this_boot: bool
    marks: dict[int, Mark]  # by subscriber; after a reboot only ACCEPTED ones


def read(path: Path, *, boot: str | None = None) -> Record | None:
    """Read the journal at *path*. None: there is none, or it is not whole.

    *boot* stands for this run of the machine; default: `boot_id`.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            f"the journal {path} cannot be read: {error.strerror}",
            hint="make it readable for you; it says what the last sender had in its hands",
        ) from error
    if len(data) != SIZE:
        return None
    magic, journal_id, campaign_id, then, crc = _TITLE.unpack_from(data)
    if magic != _MAGIC or crc != zlib.crc32(data[: _TITLE.size - 4]):
        return None
    here = boot_id() if boot is None else boot
    is_of_this_boot = bool(here) and then.rstrip(b"\0") == here.encode()
    return Record(
        id=journal_id.decode("ascii"),
        campaign_id=campaign_id,
        is_of_this_boot=is_of_this_boot,
        marks=_newest_marks(data) if is_of_this_boot else _accepted_anywhere(data),
    )


def _newest_marks(data: bytes) -> dict[int, Mark]:
    """The newest block wins: what an older one says of a subscriber is in the database."""
    found: dict[int, Mark] = {}
    for _, cells in sorted(_blocks(data)):
        for (cell,) in _PLACE.iter_unpack(cells):
            found[cell >> 8] = MARKS[cell & 3]
    return found


def _accepted_anywhere(data: bytes) -> dict[int, Mark]:
    found: dict[int, Mark] = {}
    for start in range(_FIRST, SIZE, _STRIDE):
        cells = data[start + _CELLS : start + _CELLS + PLACES * _CELL]
        for (cell,) in _PLACE.iter_unpack(cells):
            if cell & 0xFF == Mark.ACCEPTED:
                found[cell >> 8] = Mark.ACCEPTED
    return found


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Batch number and places of every block that was written to its end."""
    for start in range(_FIRST, SIZE, _STRIDE):
        batch, number, _ = _HEAD.unpack_from(data, start)
        if 0 < number <= PLACES:
            cells = data[start + _CELLS : start + _CELLS + number * _CELL]
            if data[start : start + _HEAD.size] == _head(batch, cells):
                yield batch, cells


def _head(batch: int, cells: bytes) -> bytes:
    ids = bytearray(cells)
    ids[::_CELL] = bytes(len(cells) // _CELL)  # marks change, ids do not
    number = len(cells) // _CELL
    return _HEAD.pack(batch, number, zlib.crc32(ids, batch & 0xFFFFFFFF))


def _title(journal_id: str, campaign_id: int) -> bytes:
    data = _TITLE.pack(_MAGIC, journal_id.encode(), campaign_id, boot_id().encode(), 0)[:-4]
    return data + struct.pack("<I", zlib.crc32(data))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # what is left is replaced by the next sender
