"""Open a connection to the SMTP server: greeting, EHLO, TLS, AUTH; one question, one answer.

The slow part of SMTP, shared by campaigns, single messages and `doctor`. Refuses to go on
in the clear where TLS is configured, to believe a word that was said before TLS, and to show
the password to anyone but a verified server or this machine.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import socket
import ssl
from collections import deque
from dataclasses import dataclass, replace
from typing import cast

from newsletter.delivery.transports.smtp_replies import Capabilities, ReplyError, ReplyReader
from newsletter.delivery.transports.smtp_server import SmtpServer, greeting_name, is_this_machine
from newsletter.errors import TransportError

MAX_COMMAND = 512  # octets (RFC 5321 §4.5.3.1.4)
QUIT_TIMEOUT = 2.0  # seconds; nothing depends on the answer
_MAX_UNREAD = 100  # replies that nobody asked for


class UnreachableError(TransportError):
    """The server cannot be reached or takes nothing at this moment; trying again may help."""


class Dialogue(asyncio.Protocol):
    """Ask, and wait for the answer."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.lost: str | None = None  # why the connection is gone
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._reader = ReplyReader()
        self._replies: deque[bytes] = deque()
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self._reader.read(data))
            if len(self._replies) > _MAX_UNREAD:
                raise ReplyError("the server talks without being asked")
        except ReplyError as error:
            self._end(str(error))
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection was lost: {error}" if error else "the connection was closed")

    @property
    def has_unread(self) -> bool:
        """Whether something was said that answers nothing."""
        return bool(self._replies) or self._reader.is_within_reply

    async def ask(self, command: bytes) -> bytes:
        """Send *command*, CRLF included, and return the reply. Raises UnreachableError."""
        if self.has_unread:
            raise self._unreachable("it talks without being asked")
        if self.transport.is_closing():
            raise self._unreachable(self.lost or "the connection was closed")
        self.transport.write(command)
        return await self.reply()

    async def reply(self) -> bytes:
        """Wait for the next reply. Raises UnreachableError: there is none in time."""
        try:
            async with asyncio.timeout(self.server.timeout):
                while not self._replies:
                    if self.lost is not None:
                        raise self._unreachable(self.lost)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise self._unreachable(f"no answer in {self.server.timeout:g} seconds") from None
        return self._replies.popleft()

    async def quit(self) -> None:
        """Take leave, without insisting on an answer, and close."""
        try:
            async with asyncio.timeout(QUIT_TIMEOUT):
                if self.lost is None:
                    await self.ask(b"QUIT\r\n")
        except (TimeoutError, UnreachableError):
            pass
        self.transport.abort()

    def _end(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
            self.transport.abort()
        self._news.set()

    def _unreachable(self, reason: str) -> UnreachableError:
        return UnreachableError(f"{self.server}: {reason}", hint="is the server in good order?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A connection on which the next command may be MAIL."""

    transport: asyncio.Transport
    dialogue: Dialogue
    capabilities: Capabilities

    @property
    def description(self) -> str:
        """One line for people, as in “smtp.example.org:587, TLS 1.3, PIPELINING”."""
        server = self.dialogue.server
        tls = self.transport.get_extra_info("ssl_object")
        words = [str(server)]
        words.append("in the clear" if tls is None else tls.version().replace("TLSv", "TLS "))
        words.append("PIPELINING" if self.capabilities.pipelining else "no PIPELINING")
        if server.username is not None:
            words.append(f"authenticated as {server.username}")
        return ", ".join(words)


async def open_connection(server: SmtpServer) -> Opened:
    """Connect, greet, encrypt and authenticate as configured.

    Raises:
        UnreachableError: trying again may help.
        TransportError: it will not: certificate, password, no STARTTLS.
    """
    dialogue = Dialogue(server)
    await _connect(server, dialogue)
    try:
        greeting = await dialogue.reply()
        if not greeting.startswith(b"220"):
            raise _refused(server, greeting)
        capabilities = await _greet(server, dialogue)
        if server.security == "starttls":
            capabilities = await _start_tls(server, dialogue, capabilities)
        if server.username is not None:
            await _authenticate(server, dialogue, capabilities)
    except BaseException:
        dialogue.transport.abort()
        raise
    return Opened(transport=dialogue.transport, dialogue=dialogue, capabilities=capabilities)


async def _connect(server: SmtpServer, dialogue: Dialogue) -> None:
    tls = server.tls if server.security == "tls" else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(server.timeout):
            await loop.create_connection(
                lambda: dialogue,
                server.host,
                server.port,
                ssl=tls,
                server_hostname=server.host if tls else None,
            )
    except OSError as error:  # TimeoutError and those of ssl among them
        raise _connection_error(server, error) from error


async def _start_tls(
    server: SmtpServer, dialogue: Dialogue, capabilities: Capabilities
) -> Capabilities:
    if not capabilities.starttls:
        raise TransportError(
            f"{server} offers no STARTTLS, and mail does not go there in the clear",
            hint="set smtp.security to “tls” and smtp.port to 465 if the server wants that;"
            " if it used to offer STARTTLS, somebody may be listening in",
        )
    reply = await dialogue.ask(b"STARTTLS\r\n")
    if not reply.startswith(b"220"):
        raise _refused(server, reply)
    if dialogue.has_unread:  # CVE-2011-0411: said in the clear, heard as if under TLS
        raise TransportError(
            f"{server} talked on in the clear after STARTTLS: somebody may be tampering",
            hint="try from another network; tell whoever runs the server",
        )
    assert server.tls is not None
    try:
        async with asyncio.timeout(server.timeout):
            transport = await asyncio.get_running_loop().start_tls(
                dialogue.transport, dialogue, server.tls, server_hostname=server.host
            )
    except OSError as error:
        raise _connection_error(server, error) from error
    if transport is None:
        raise UnreachableError(f"{server}: the connection was closed")
    dialogue.transport = transport
    # RFC 3207 §4.2: nothing that was advertised before counts.
    return await _greet(server, dialogue)


async def named(server: SmtpServer) -> SmtpServer:
    """*server* with the name to greet it by, which the system may have to ask the DNS for."""
    if server.helo is not None:
        return server
    name = await asyncio.get_running_loop().run_in_executor(None, socket.getfqdn)
    return replace(server, helo=name)


async def _greet(server: SmtpServer, dialogue: Dialogue) -> Capabilities:
    name = (await named(server)).helo or ""
    address = dialogue.transport.get_extra_info("sockname")
    argument = greeting_name(name, str(address[0]) if address else "").encode("ascii")
    reply = await dialogue.ask(b"EHLO %b\r\n" % argument)
    if reply.startswith(b"250"):
        return Capabilities.of(reply)
    if reply.startswith(b"5"):  # RFC 5321 §4.1.4: a server from before EHLO
        reply = await dialogue.ask(b"HELO %b\r\n" % argument)
        if reply.startswith(b"250"):
            return Capabilities()
    raise _refused(server, reply)


async def _authenticate(server: SmtpServer, dialogue: Dialogue, capabilities: Capabilities) -> None:
    encrypted = dialogue.transport.get_extra_info("ssl_object") is not None
    if not encrypted and not is_this_machine(server.host):
        raise TransportError(
            f"the password does not go to {server} in the clear",
            hint="set smtp.security to “starttls” or “tls”",
        )
    if "PLAIN" in capabilities.auth:
        reply = await _auth_plain(dialogue, server.plain_response())
    elif "LOGIN" in capabilities.auth:
        reply = await _auth_login(server, dialogue)
    else:
        offers = ", ".join(sorted(capabilities.auth)) or "no way to log in"
        raise TransportError(
            f"{server} offers {offers}, not AUTH PLAIN or LOGIN",
            hint="remove smtp.username if the server wants no password",
        )
    if reply.startswith(b"4"):
        raise _refused(server, reply)
    if not reply.startswith(b"235"):
        raise TransportError(
            f"{server} does not accept the user name and the password: {server.shown(reply)}",
            hint="check smtp.username and NEWSLETTER_SMTP_PASSWORD",
        )


async def _auth_plain(dialogue: Dialogue, response: bytes) -> bytes:
    command = b"AUTH PLAIN %b\r\n" % response
    if len(command) <= MAX_COMMAND:
        return await dialogue.ask(command)
    reply = await dialogue.ask(b"AUTH PLAIN\r\n")  # RFC 4954 §4
    return await dialogue.ask(response + b"\r\n") if reply.startswith(b"334") else reply


async def _auth_login(server: SmtpServer, dialogue: Dialogue) -> bytes:
    assert server.username is not None
    assert server.password is not None
    reply = await dialogue.ask(b"AUTH LOGIN\r\n")
    for answer in (server.username, server.password.reveal()):
        if not reply.startswith(b"334"):
            break
        reply = await dialogue.ask(base64.b64encode(answer.encode()) + b"\r\n")
    return reply


def _refused(server: SmtpServer, reply: bytes) -> UnreachableError:
    return UnreachableError(
        f"{server} takes no mail at this moment: {server.shown(reply)}",
        hint="wait, or ask whoever runs the server",
    )


def _connection_error(server: SmtpServer, error: OSError) -> TransportError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(
            f"{server} is not who it should be: {error.verify_message}",
            hint="check smtp.host; for a certificate of your own set smtp.ca_file",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return TransportError(
            f"{server} does not agree on TLS: {(error.reason or str(error)).replace('_', ' ')}",
            hint="smtp.security “starttls” goes with port 587 or 25, “tls” with 465",
        )
    if isinstance(error, TimeoutError) and not error.args:
        reason = f"no answer in {server.timeout:g} seconds"
    else:
        # asyncio writes its own text, with every address that it tried.
        numbers = dict.fromkeys(map(int, re.findall(r"\[Errno (\d+)\]", str(error))))
        reason = ", ".join(map(os.strerror, numbers)) or error.strerror or str(error)
        reason = reason or "the connection was closed"
    return UnreachableError(
        f"{server} cannot be reached: {reason}", hint="check smtp.host and smtp.port"
    )
