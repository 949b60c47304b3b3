"""Transport `smtp`: messages leave over SMTP (RFC 5321), pipelined, encrypted, authenticated.

Takes 250 after the final dot as acceptance and nothing else. Refuses to send in the clear
to another machine, and to guess: an answer that is missing makes a delivery uncertain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.config import Workspace
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Outcome, Result
from newsletter.delivery.transport import Feed
from newsletter.delivery.transports.smtp_envelope import mail_and_rcpt
from newsletter.delivery.transports.smtp_opening import (
    Opened,
    UnreachableError,
    named,
    open_connection,
)
from newsletter.delivery.transports.smtp_pool import Pool
from newsletter.delivery.transports.smtp_replies import queue_id
from newsletter.delivery.transports.smtp_server import SmtpServer, smtp_server_of
from newsletter.errors import RecipientRejected


def smtp_of(workspace: Workspace) -> Smtp:
    """Make the transport from newsletter.toml and the environment.

    Raises:
        ConfigError: the password is missing, or the configuration cannot work.
    """
    return Smtp(smtp_server_of(workspace))


@dataclass(frozen=True)
class Smtp:
    """Connections to one server; see `newsletter.delivery.transport.Transport`."""

    server: SmtpServer

    @property
    def name(self) -> str:
        return "smtp"

    @property
    def works_apart(self) -> bool:
        return True

    @property
    def wants_tokens(self) -> bool:
        return True

    @property
    def window(self) -> int:
        return self.server.connections

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        # Once for all connections: each would ask by itself.
        await Pool(await named(self.server), feed, mailing).run()

    async def deliver(self, email: str, message: bytes) -> Result:
        message = _dotted(message)
        opened = await open_connection(self.server)
        try:
            return await self._hand_over(opened, email, message)
        except RecipientRejected as error:
            return Result(outcome=Outcome.REFUSED_FOR_GOOD, reply=error.message)
        finally:
            await opened.dialogue.quit()

    async def probe(self) -> str:
        opened = await open_connection(self.server)
        await opened.dialogue.quit()
        return opened.description

    async def _hand_over(self, opened: Opened, email: str, message: bytes) -> Result:
        mail, rcpt = mail_and_rcpt(
            self.server.envelope_from, email, len(message), opened.capabilities
        )
        for command, code in ((mail, b"25"), (rcpt, b"25"), (b"DATA\r\n", b"354")):
            reply = await opened.dialogue.ask(command)
            if not reply.startswith(code):
                return self._refused(reply, otherwise=Outcome.REFUSED_FOR_NOW)
        try:
            reply = await opened.dialogue.ask(message + b".\r\n")
        except UnreachableError as error:
            return Result(outcome=Outcome.UNCERTAIN, reply=error.message)
        if not reply.startswith(b"250"):
            return self._refused(reply, otherwise=Outcome.UNCERTAIN)
        return Result(
            outcome=Outcome.ACCEPTED,
            reply=self.server.shown(reply),
            provider_id=queue_id(reply),
        )

    def _refused(self, reply: bytes, *, otherwise: Outcome) -> Result:
        outcomes = {b"4": Outcome.REFUSED_FOR_NOW, b"5": Outcome.REFUSED_FOR_GOOD}
        return Result(outcome=outcomes.get(reply[:1], otherwise), reply=self.server.shown(reply))


def _dotted(message: bytes) -> bytes:
    """*message* in lines that end with CRLF, with a dot in front of every first dot (§4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message).removesuffix(b"\r\n")
    return re.sub(rb"(?m)^\.", b"..", lines) + b"\r\n"
