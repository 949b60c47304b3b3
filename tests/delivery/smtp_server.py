"""An SMTP server that misbehaves as it is told, and a feed: what one took, the other must know.

The server keeps every message whose final dot it saw, with its answer. A *script* decides,
per connection and command, what is said instead of the polite answer. `audit` compares.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from newsletter.delivery.model import Delivery, Outcome
from tests.delivery.list_feed import ListFeed

GREETING, EHLO, HELO, STARTTLS, AUTH = "GREETING", "EHLO", "HELO", "STARTTLS", "AUTH"
MAIL, RCPT, DATA, BODY, RSET, QUIT = "MAIL", "RCPT", "DATA", "BODY", "RSET", "QUIT"

POLITE = {
    GREETING: "220 mx.example.org ESMTP",
    HELO: "250 mx.example.org",
    STARTTLS: "220 go ahead",
    AUTH: "235 2.7.0 welcome",
    MAIL: "250 2.1.0 Ok",
    RCPT: "250 2.1.5 Ok",
    DATA: "354 End data with <CR><LF>.<CR><LF>",
    RSET: "250 2.0.0 Ok",
    QUIT: "221 2.0.0 Bye",
}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A command that waits for its answer."""

    connection: int  # from 0
    message: int  # of this connection, from 0: MAIL commands so far, less one
    command: str
    argument: str = ""


@dataclass(frozen=True, kw_only=True)
class Say:
    """An answer that is not the polite one. *text* may have several lines, each to end in CRLF."""

    text: str = ""
    close: bool = False  # the connection, after it
    silent: bool = False  # for ever, after it
    pieces: int = 0  # send so many bytes at a time; 0: all at once
    takes_it: bool = False  # BODY: keep the message, whatever is answered


Script = Callable[[Moment], Say | str | None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message whose final dot came."""

    connection: int
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    taken: bool
    answer: str


class GoneError(Exception):
    """The connection is over."""


@dataclass
class SmtpTestServer:
    """Listens on 127.0.0.1. With *pipelining* it answers groups of commands in one packet."""

    script: Script = lambda moment: None
    capabilities: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    mechanisms: str = "PLAIN LOGIN"
    seen: list[Seen] = field(default_factory=list)
    commands: list[tuple[int, str]] = field(default_factory=list)  # (connection, line)
    unfinished: list[bytes] = field(default_factory=list)  # messages without a final dot
    said_early: int = 0  # answers in pieces before whose end something else was said
    connections: int = 0
    open: int = 0
    most_open: int = 0
    port: int = 0

    async def __aenter__(self) -> SmtpTestServer:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(
            self._connected,
            "127.0.0.1",
            self.port,
            ssl=self.tls if self.implicit_tls else None,
            limit=2**22,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, self.connections = self.connections, self.connections + 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await _Visit(self, number, reader, writer).run()
        except (GoneError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()


class _Visit:
    """One connection."""

    def __init__(
        self,
        server: SmtpTestServer,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.server, self.number, self.reader, self.writer = server, number, reader, writer
        self.message = -1
        self.encrypted = server.implicit_tls
        self.reset()

    def reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []

    async def run(self) -> None:
        await self.say(GREETING, "")
        while True:
            line = (await self.line()).rstrip(b"\r\n").decode("utf-8", "replace")
            self.server.commands.append((self.number, line))
            command, _, argument = line.partition(" ")
            await self.obey(command.upper(), argument)

    async def line(self) -> bytes:
        line = await self.reader.readline()
        if not line.endswith(b"\n"):
            raise GoneError
        return line

    async def obey(self, command: str, argument: str) -> None:
        if command == EHLO:
            lines = ["mx.example.org", *self.server.capabilities]
            if self.server.tls is not None and not self.encrypted:
                lines.append("STARTTLS")
            elif self.encrypted or self.server.tls is None:
                lines.append(f"AUTH {self.server.mechanisms}")
            text = "\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}"
            await self.say(EHLO, argument, text)
        elif command == HELO:
            await self.say(HELO, argument)
        elif command == STARTTLS:
            if (await self.say(STARTTLS, argument)).startswith("220"):
                assert self.server.tls is not None
                await self.writer.start_tls(self.server.tls)
                self.encrypted = True
                self.reset()
        elif command == AUTH:
            await self.authenticate(argument)
        elif command in (MAIL, RCPT):
            await self.envelope(command, argument)
        elif command == DATA:
            await self.data(argument)
        elif command == RSET:
            self.reset()
            await self.say(RSET, argument)
        elif command == QUIT:
            await self.say(QUIT, argument)
            raise GoneError
        else:
            await self.say(command, argument, "500 5.5.2 what?")

    async def authenticate(self, argument: str) -> None:
        words = argument.split()
        questions = {"PLAIN": 1, "LOGIN": 2}[words[0]] - (len(words) - 1)
        for _ in range(questions):
            await self.send(b"334 \r\n")
            self.server.commands.append((self.number, (await self.line()).decode().strip()))
        await self.say(AUTH, argument)

    async def envelope(self, command: str, argument: str) -> None:
        address = argument.partition("<")[2].partition(">")[0]
        if command == MAIL:
            self.message += 1
            if self.sender is not None:
                await self.say("NESTED", argument, "503 5.5.1 nested MAIL command")
                return
            if (await self.say(MAIL, argument)).startswith("2"):
                self.sender = address
        elif self.sender is None:
            await self.say("EARLY", argument, "503 5.5.1 need MAIL command")
        elif (await self.say(RCPT, argument)).startswith("2"):
            self.recipients.append(address)

    async def data(self, argument: str) -> None:
        polite = POLITE[DATA] if self.recipients else "554 5.5.1 no valid recipients"
        if not (await self.say(DATA, argument, polite)).startswith("354"):
            return
        content = b""
        try:
            while (line := await self.line()) != b".\r\n":
                content += line.removeprefix(b".")
        except GoneError:
            self.server.unfinished.append(content)
            raise
        sender, recipients = self.sender or "", tuple(self.recipients)
        self.reset()
        # Kept before the answer is sent, as a real server would.
        answer = self.answer(BODY, "", "250 2.0.0 Ok: queued as Q" + str(len(self.server.seen)))
        taken = bool(recipients) and (answer.takes_it or answer.text.startswith("250"))
        self.server.seen.append(
            Seen(
                connection=self.number,
                sender=sender,
                recipients=recipients,
                content=content,
                taken=taken,
                answer=answer.text,
            )
        )
        await self.deliver(answer)

    def answer(self, command: str, argument: str, polite: str) -> Say:
        said = self.server.script(
            Moment(connection=self.number, message=self.message, command=command, argument=argument)
        )
        if said is None:
            return Say(text=polite)
        return Say(text=said, close=said.startswith("421")) if isinstance(said, str) else said

    async def say(self, command: str, argument: str, polite: str | None = None) -> str:
        answer = self.answer(command, argument, POLITE[command] if polite is None else polite)
        await self.deliver(answer)
        return answer.text

    async def deliver(self, answer: Say) -> None:
        data = answer.text.encode("utf-8", "surrogateescape") + (b"\r\n" if answer.text else b"")
        step = answer.pieces or len(data) or 1
        for at in range(0, len(data), step):
            if answer.pieces and at + step >= len(data):
                self.server.said_early += bool(self.reader._buffer)
            await self.send(data[at : at + step])
            if answer.pieces:
                await asyncio.sleep(0.001)
        if answer.close:
            raise GoneError
        if answer.silent:
            await asyncio.sleep(3600)

    async def send(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise GoneError
        self.writer.write(data)
        await self.writer.drain()


class SmtpFeed(ListFeed):
    """One message per connection between its final dot and the answer, and none handed back."""

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        super().__init__(deliveries)
        self.most_under_way = 0

    def take(self) -> Delivery | None:
        return None if self.over else super().take()

    def handing_over(self, delivery: Delivery) -> None:
        assert delivery.place not in self.announced
        super().handing_over(delivery)
        self.most_under_way = max(self.most_under_way, len(self.announced & self.held.keys()))

    def returned(self, delivery: Delivery) -> None:
        assert delivery.place not in self.announced
        super().returned(delivery)

    def close(self) -> None:
        """Give no more."""
        self.over = True
        self._changed.set()

    def replies(self, outcome: Outcome) -> dict[int, str]:
        return {place: text for place, (found, text) in self.ended.items() if found is outcome}


def audit(feed: SmtpFeed, server: SmtpTestServer, count: int, *, window: int) -> Counter[str]:
    """Nothing accepted that was not taken, nothing lost, nothing twice; return the outcomes."""
    assert not feed.held
    pending = [delivery.place for delivery in feed.waiting]
    assert sorted([*pending, *feed.ended]) == list(range(count)), "lost, or doubled"
    assert feed.most_under_way <= window

    took: list[int] = []
    for seen in server.seen:
        if seen.taken:
            (recipient,) = seen.recipients
            place = int(recipient.removeprefix("reader").partition("@")[0])
            assert f"\r\nTo: Reader {place} <{recipient}>\r\n".encode() in seen.content
            took.append(place)
    assert len(set(took)) == len(took), "somebody got it twice"
    accepted, uncertain = feed.places(Outcome.ACCEPTED), feed.places(Outcome.UNCERTAIN)
    assert accepted <= set(took), "accepted, but never taken"
    assert set(took) <= accepted | uncertain, "taken, but not recorded"
    outcomes = Counter(outcome.value for outcome, _ in feed.ended.values())
    outcomes.update(["pending"] * len(pending))
    return outcomes
