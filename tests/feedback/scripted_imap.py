"""An IMAP server that says what a test wants it to: one connection after the other."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HANG = b"(hang)"  # no answer
DROP = b"(drop)"  # what stands before it is said, then the connection is closed

_USUAL = {
    "GREETING": b"* OK ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n%T OK done\r\n",
    "LOGIN": b"%T OK logged in\r\n",
    "SELECT": b"* 1 EXISTS\r\n%T OK [READ-WRITE] done\r\n",
    "UID SEARCH": b"* SEARCH 7\r\n%T OK done\r\n",
    "UID FETCH": b"%T OK done\r\n",
    "UID MOVE": b"%T OK done\r\n",
    "UID STORE": b"%T OK done\r\n",
    "LOGOUT": b"* BYE\r\n%T OK done\r\n",
}

Answer = bytes | Callable[[str], bytes]


@dataclass
class Script:
    """What is answered to which command (%T: its tag), and what was asked."""

    answers: dict[str, Answer]
    port: int = 0
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if not self._say(connection, "GREETING", "", ""):
            return
        for raw in connection.makefile("rb"):
            line = raw.decode("utf-8", "replace").strip()
            tag, _, command = line.partition(" ")
            self.asked.append(command)
            name = re.match(r"(?:UID )?\w+", command)
            if not self._say(connection, name[0].upper() if name else "", tag, command):
                return

    def _say(self, connection: socket.socket, name: str, tag: str, command: str) -> bool:
        answer = self.answers.get(name, b"%T BAD what?\r\n")
        if not isinstance(answer, bytes):
            answer = answer(command)
        if answer == HANG:
            self.ended.wait(60)
            return False
        connection.sendall(answer.removesuffix(DROP).replace(b"%T", tag.encode()))
        return not answer.endswith(DROP)


@contextmanager
def scripted(**answers: Answer) -> Iterator[Script]:
    """Serve the usual answers but for *answers*: UID_FETCH stands for “UID FETCH”."""
    own = {name.replace("_", " "): answer for name, answer in answers.items()}
    script = Script(answers={**_USUAL, **own})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script.port = listener.getsockname()[1]
        thread = threading.Thread(target=script.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield script
        finally:
            script.ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def fetched(data: bytes, *, uid: int = 7, behind: bool = False) -> bytes:
    """The answer to a FETCH of one message; its UID stands before the text or *behind* it."""
    before, after = (b"", b" UID %d" % uid) if behind else (b"UID %d " % uid, b"")
    return (
        b'* 1 FETCH (%bINTERNALDATE " 2-Mar-2026 09:53:00 +0100" BODY[]<0> {%d}\r\n'
        % (before, len(data))
        + data
        + b"%b)\r\n%%T OK done\r\n" % after
    )
