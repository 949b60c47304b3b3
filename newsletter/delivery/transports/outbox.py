"""Transport `outbox`: a Maildir for each issue, for looking, testing and passing on.

`outbox/vol-2-24/` for an issue, `outbox/test/` for tests and alerts. A file's name follows
from the address, so that doing it again overwrites and never duplicates. What is reported
as accepted is on the disk. Sends nothing to anybody.
"""

from __future__ import annotations

import asyncio
import glob
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.config import Workspace
from newsletter.delivery.maildir import Maildir
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Delivery, Outcome, Result
from newsletter.delivery.transport import Feed
from newsletter.errors import RecipientRejected, StorageError
from newsletter.issue.folder import shown
from newsletter.issue.number import IssueNumber

BATCH = 100  # messages between two looks at the event loop: some hundredths of a second

_TEST = "test"


class Outbox:
    """Write messages into folders below *folder*."""

    name = "outbox"
    works_apart = wants_tokens = False
    window = BATCH

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        """Write what *feed* gives until it is over.

        Raises:
            StorageError: full, read-only, not a folder; every delivery taken is reported.
        """
        maildir = self._maildir(IssueNumber.parse(mailing.frozen.number).folder)
        while True:
            # Nothing is awaited while a batch is held, so nothing can be cancelled half-way.
            batch = feed.take_up_to(BATCH)
            if batch:
                with self._explained():
                    _hand_over(feed, mailing, maildir, batch)
                await asyncio.sleep(0)
            elif not await feed.wait():
                return

    async def deliver(self, email: str, message: bytes) -> Result:
        """Write *message* into `test/`. Raises StorageError."""
        name = f"{_stem(email)}-{_digest(message)}.eml"
        maildir = self._maildir(_TEST)
        with self._explained():
            maildir.write(name, message)
            maildir.secure()
            maildir.show(name)
            maildir.confirm()
        return Result(outcome=Outcome.ACCEPTED, reply=f"in {shown(self.folder / _TEST)}")

    async def probe(self) -> str:
        """Write a file and delete it. Raises StorageError."""
        maildir = self._maildir(_TEST)
        with self._explained():
            maildir.write("probe", b"probe")
            maildir.secure()
            maildir.discard("probe")
        return f"{shown(self.folder)} can be written; nothing is sent to anybody"

    def _maildir(self, name: str) -> Maildir:
        with self._explained():
            return Maildir(self.folder / name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"the outbox {shown(self.folder)} cannot be written: {error.strerror}",
                hint="make room, or name a folder that is yours to write in outbox.folder; "
                "then run the command again",
            ) from error


def outbox_of(workspace: Workspace) -> Outbox:
    """The outbox that newsletter.toml names."""
    return Outbox(workspace.root / workspace.config.outbox.folder)


def file_name(email: str) -> str:
    """Readable and unique: what is safe of the address, and a hash of all of it."""
    return f"{_stem(email)}.eml"


def files_of(workspace: Workspace, email: str) -> list[Path]:
    """The messages to *email* that lie in the outbox, tests too: what an erasure leaves behind."""
    pattern = f"*/*/{glob.escape(_stem(email))}*"
    return sorted(outbox_of(workspace).folder.glob(pattern))


def _hand_over(feed: Feed, mailing: Mailing, maildir: Maildir, batch: list[Delivery]) -> None:
    """Write, secure, show, confirm. Whatever happens, each delivery of *batch* is reported."""
    held = {delivery.subscriber_id: delivery for delivery in batch}
    names: dict[int, str] = {}
    put: list[Delivery] = []
    try:
        for delivery in batch:
            try:
                message = mailing.message(delivery)
            except RecipientRejected as error:
                feed.refused_for_good(held.pop(delivery.subscriber_id), error.message)
                continue
            names[delivery.subscriber_id] = file_name(delivery.email)
            maildir.write(names[delivery.subscriber_id], message)
        maildir.secure()
        for subscriber_id, name in names.items():
            feed.handing_over(held[subscriber_id])
            maildir.show(name)
            put.append(held.pop(subscriber_id))
    finally:
        for subscriber_id, delivery in held.items():  # none, unless something failed
            if subscriber_id in names:
                maildir.discard(names[subscriber_id])
            feed.returned(delivery)
        _confirm(feed, maildir, put)


def _confirm(feed: Feed, maildir: Maildir, put: list[Delivery]) -> None:
    try:
        maildir.confirm()
    except OSError:
        for delivery in put:
            feed.uncertain(delivery, "written, but the disk did not confirm it")
        raise
    for delivery in put:
        feed.accepted(delivery)


def _stem(email: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9@+_-]+", ".", email).strip(".")[:80]
    return f"{readable}-{_digest(email.encode())}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]
