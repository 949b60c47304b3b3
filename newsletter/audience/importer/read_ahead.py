"""Read the next chunk of a file while the database is busy with the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

Chunk = TypeVar("Chunk")


class ReadAhead(Generic[Chunk]):
    """Take from *chunks* in a thread of *pool*, one at a time."""

    def __init__(self, pool: ThreadPoolExecutor, chunks: Iterator[Chunk]) -> None:
        self._pool = pool
        self._chunks = chunks
        self._coming: Future[Chunk | None] | None = None
        self.start()

    def start(self) -> None:
        """Begin to read the next chunk, unless that is on its way."""
        if self._coming is None:
            self._coming = self._pool.submit(next, self._chunks, None)

    def take(self) -> Chunk | None:
        """Wait for the next chunk; None at the end. Then `start` the one after it."""
        self.start()
        assert self._coming is not None
        found = self._coming.result()
        self._coming = None
        return found

    def wait(self) -> None:
        """Let what is being read come to its end."""
        if self._coming is not None:
            wait([self._coming])
