"""The transport against a server that is not ours: aiosmtpd, which does not pipeline."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from newsletter.config.secrets import Secret
from newsletter.delivery.model import Outcome
from newsletter.delivery.transports.smtp import Smtp
from newsletter.delivery.transports.smtp_server import SmtpServer
from newsletter.errors import TransportError
from tests.delivery.certificates import Certificates
from tests.delivery.list_feed import a_mailing, readers
from tests.delivery.smtp_server import SmtpFeed

COUNT = 60
MAILING = a_mailing("<p>Dear reader</p>", "Dear reader\n.\nFrom here\n")


class Mailbox:
    """Keeps what it takes; refuses every tenth recipient."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address.partition("@")[0].endswith("9"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        assert recipient not in self.kept
        self.kept[recipient] = envelope.original_content
        return f"250 2.0.0 Ok: queued as {recipient.partition('@')[0]}"


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_campaign_with_starttls_and_a_password(tmp_path, password):
    certificates = Certificates(tmp_path)
    context = certificates.server("localhost")
    mailbox = Mailbox()

    def authenticate(server, session, envelope, mechanism, data):
        right = (data.login, data.password) == (b"editor", b"right")
        return AuthResult(success=right, handled=False)

    async def run() -> SmtpFeed:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: SMTP(
                mailbox,
                hostname="mx.example.org",
                tls_context=context,
                require_starttls=True,
                auth_required=True,
                authenticator=authenticate,
                loop=loop,
            ),
            "127.0.0.1",
            0,
        )
        settings = SmtpServer(
            host="localhost",
            port=listening.sockets[0].getsockname()[1],
            security="starttls",
            envelope_from="a@example.org",
            username="editor",
            password=Secret(password),
            tls=ssl.create_default_context(cafile=certificates.ca_file),
            connections=4,
            timeout=5,
        )
        feed = SmtpFeed(readers(COUNT))
        async with listening, asyncio.timeout(20):
            if password == "wrong":
                with pytest.raises(TransportError, match="535"):
                    await Smtp(settings).run(feed, MAILING)
                return feed
            await Smtp(settings).run(feed, MAILING)
            message = b"Subject: test\n\n.\n"
            result = await Smtp(settings).deliver("editor@example.org", message)
            assert result.outcome is Outcome.ACCEPTED
        return feed

    feed = asyncio.run(run())
    assert not feed.held
    if password == "wrong":
        assert len(feed.waiting) == COUNT
        assert not mailbox.kept
        return
    refused = {place for place in range(COUNT) if place % 10 == 9}
    assert feed.places(Outcome.REFUSED_FOR_GOOD) == refused
    assert feed.places(Outcome.ACCEPTED) == set(range(COUNT)) - refused
    assert mailbox.kept.pop("editor@example.org") == b"Subject: test\r\n\r\n.\r\n"
    messages = {person.email: MAILING.message(person) for person in readers(COUNT)}
    assert len(mailbox.kept) == COUNT - len(refused)
    assert mailbox.kept.items() <= messages.items()
    assert feed.replies(Outcome.ACCEPTED)[0] == "reader0"
