"""The mailbox on an IMAP server (RFC 3501), read without marking anything as read.

What was read moves to another folder: by MOVE (RFC 6851), else by a copy and a deletion
(RFC 4315). Without either of them it stays, marked as deleted; nothing of anybody else's is
expunged. What a person must see is flagged and stays unread. Bounded: messages of a look,
bytes of a message, seconds for an answer.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

from newsletter.config import Workspace
from newsletter.errors import ConfigError
from newsletter.feedback.imap_folder import folder_argument
from newsletter.feedback.imap_server import ImapServer, hang_up, imap_server_of
from newsletter.feedback.mailbox import (
    BATCH,
    MAX_MESSAGE,
    MAX_MESSAGES,
    Incoming,
    MailboxError,
)

_WINDOW = 5_000  # messages of one SEARCH: its answer is one line
_TODO = "UNFLAGGED UNDELETED"
# PEEK leaves \Seen alone; the partial fetch keeps a large attachment where it is.
_ITEMS = f"(UID INTERNALDATE BODY.PEEK[]<0.{MAX_MESSAGE}>)"
_UID = re.compile(rb"\bUID (\d+)")
_BODY = re.compile(rb"BODY\[\](?:<0>)? ?(?:\{\d+\}$|(?P<short>\"(?:[^\"\\]|\\.)*\"|NIL))", re.I)
_INTERNAL_DATE = re.compile(rb'INTERNALDATE "([^"]{20,40})"')


class ImapBox:
    """*folder* on *server*; what was read moves to the folder *done*, made if it is missing."""

    def __init__(self, server: ImapServer, *, folder: str, done: str) -> None:
        self._server = server
        self._folder = folder
        self._done = done
        self._client: imaplib.IMAP4 | None = None

    @property
    def name(self) -> str:
        return f"IMAP {self._server}, {self._folder}"

    def __enter__(self) -> Self:
        client = self._server.log_in()
        self._client = client
        try:
            with self._server.speaking():
                answer, said = _select(client, self._folder)
        except BaseException:
            hang_up(client)
            raise
        if answer != "OK":
            hang_up(client)
            raise MailboxError(
                f"{self._server} does not open the folder {self._folder}: "
                f"{self._server.shown(said)}",
                hint="check feedback.imap_folder, with what stands before it (“INBOX.…”) and its "
                "capital letters",
            )
        self._exists = int(said[0] or b"0")
        return self

    def __exit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError, ValueError):
                client.logout()  # no CLOSE: it would expunge
            hang_up(client)

    def batches(self) -> Iterator[list[Incoming]]:
        """As `Mailbox.batches`."""
        waiting = self._waiting()
        for start in range(0, len(waiting), BATCH):
            yield self._fetched(waiting[start : start + BATCH])

    def done(self, messages: Sequence[Incoming]) -> None:
        """As `Mailbox.done`."""
        keys, target = _set_of(messages), folder_argument(self._done)
        can_move = "MOVE" in self._open.capabilities
        command = "MOVE" if can_move else "COPY"
        answer, said = self._ask(command, keys, target)
        if answer != "OK":  # RFC 3501 §6.4.7: the folder is not there, perhaps
            with self._server.speaking():
                self._open.create(target)
            answer, said = self._ask(command, keys, target)
        if answer != "OK":
            raise MailboxError(
                f"{self._server} moves nothing to the folder {self._done}: "
                f"{self._server.shown(said)}",
                hint="make it by hand; some servers want feedback.imap_done = “INBOX.Processed”",
            )
        if not can_move:
            self._store(keys, r"(\Deleted)")
            if "UIDPLUS" in self._open.capabilities:
                self._ask("EXPUNGE", keys)

    def leave(self, messages: Sequence[Incoming]) -> None:
        """As `Mailbox.leave`."""
        self._store(_set_of(messages), r"(\Flagged)")

    @property
    def _open(self) -> imaplib.IMAP4:
        assert self._client is not None, "it is opened by “with”"
        return self._client

    def _ask(self, command: str, *arguments: str) -> tuple[str, list[Any]]:
        with self._server.speaking():
            return self._open.uid(command, *arguments)

    def _store(self, keys: str, flags: str) -> None:
        answer, said = self._ask("STORE", keys, "+FLAGS.SILENT", flags)
        if answer != "OK":
            raise MailboxError(
                f"{self._server} does not let messages be flagged: {self._server.shown(said)}",
                hint="give this user the right to write in the folder",
            )

    def _waiting(self) -> list[str]:
        """UIDs of what is to be read, oldest first."""
        found: list[int] = []
        for start in range(1, self._exists + 1, _WINDOW):
            window = f"{start}:{min(start + _WINDOW - 1, self._exists)}"
            answer, said = self._ask("SEARCH", f"{window} {_TODO}")
            if answer != "OK":
                raise MailboxError(
                    f"{self._server} does not search: {self._server.shown(said)}",
                    hint="is it in good order?",
                )
            with self._server.speaking():
                found += (int(uid) for line in said if line for uid in line.split())
            if len(found) >= MAX_MESSAGES:
                break
        return [str(uid) for uid in sorted(found)[:MAX_MESSAGES]]

    def _fetched(self, keys: list[str]) -> list[Incoming]:
        answer, said = self._ask("FETCH", ",".join(keys), _ITEMS)
        if answer == "OK":
            return list(_incoming(said, keys))
        if len(keys) > 1:  # one that the server cannot read spoils them all
            return [message for key in keys for message in self._fetched([key])]
        return [Incoming(key=keys[0], data=None, at=None)]


def imap_box_of(workspace: Workspace) -> ImapBox:
    """The mailbox that [feedback] describes.

    Raises:
        ConfigError: it cannot be used as it is; see `imap_server_of`.
    """
    config = workspace.config.feedback
    if config.imap_folder.lower() == config.imap_done.lower():
        raise ConfigError(
            f"feedback.imap_folder and feedback.imap_done are one folder: {config.imap_done}",
            hint="name another folder for what was read",
        )
    server = imap_server_of(workspace)
    return ImapBox(server, folder=config.imap_folder, done=config.imap_done)


def _select(client: imaplib.IMAP4, folder: str) -> tuple[str, Sequence[bytes | None]]:
    try:
        return client.select(folder_argument(folder))
    except imaplib.IMAP4.readonly:
        return "NO", [b"it is read-only"]


def _incoming(said: Sequence[Any], keys: Sequence[str]) -> Iterator[Incoming]:
    """Messages of an answer to FETCH: (what stands before a literal, the literal), what follows."""
    for place, item in enumerate(said):
        following = said[place + 1] if place + 1 < len(said) else b""
        if isinstance(item, tuple):
            before, data = bytes(item[0]), bytes(item[1])
            words = before + b" " + (following if isinstance(following, bytes) else b"")
        elif isinstance(item, bytes):
            before = words = item
            data = b""
        else:
            continue
        body, uid = _BODY.search(before), _UID.search(words)
        if body is None or uid is None or uid[1].decode() not in keys:
            continue  # news of another message
        if (short := body["short"]) is not None:
            data = b"" if short.upper() == b"NIL" else re.sub(rb"\\(.)", rb"\1", short[1:-1])
        yield Incoming(key=uid[1].decode(), data=data, at=_arrived(words))


def _arrived(words: bytes) -> datetime | None:
    date = _INTERNAL_DATE.search(words)
    if date is None:
        return None
    try:
        text = date[1].decode("ascii").strip()
        return datetime.strptime(text, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _set_of(messages: Sequence[Incoming]) -> str:
    return ",".join(message.key for message in messages)
