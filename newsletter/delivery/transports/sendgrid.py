"""Transport `sendgrid`: SendGrid's v3 API, up to 1,000 deliveries in one request.

Makes the requests' workers, and sends single messages outside the ledger. Decides
nothing about outcomes: see `newsletter.delivery.transports.sendgrid_worker`.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from newsletter.config import Workspace
from newsletter.config.secrets import Secret, secret
from newsletter.config.sending import SendgridConfig
from newsletter.delivery.mailing import Mailing
from newsletter.delivery.model import Outcome, Result
from newsletter.delivery.reply import masked
from newsletter.delivery.transport import Feed
from newsletter.delivery.transports.sendgrid_client import Answer, Missed, NotSent, SendGridClient
from newsletter.delivery.transports.sendgrid_errors import VARIABLE, refusal, unreachable
from newsletter.delivery.transports.sendgrid_request import (
    RequestTemplate,
    request_of,
    sandbox_request,
)
from newsletter.delivery.transports.sendgrid_throttle import Throttle
from newsletter.delivery.transports.sendgrid_worker import Worker
from newsletter.errors import ConfigError, RecipientRejected, TransportError


def sendgrid_of(workspace: Workspace) -> SendGrid:
    """Make the transport of *workspace*.

    Raises:
        ConfigError: there is no key, or none that could be one.
    """
    key = secret(VARIABLE, purpose="the SendGrid API key")
    if not re.fullmatch(r"[!-~]+", key.reveal()):
        raise ConfigError(
            f"{VARIABLE} holds a space or a letter outside ASCII, as no SendGrid API key does"
        )
    config = workspace.config
    return SendGrid(key=key, config=config.sendgrid, from_email=config.sender.email)


@dataclass(frozen=True, kw_only=True)
class SendGrid:
    """See `newsletter.delivery.transport.Transport`. *from_email* is for `probe`."""

    key: Secret
    config: SendgridConfig
    from_email: str

    @property
    def name(self) -> str:
        return "sendgrid"

    @property
    def works_apart(self) -> bool:
        return True

    @property
    def wants_tokens(self) -> bool:
        return False

    @property
    def window(self) -> int:
        return self.config.threads * self.config.personalizations

    async def run(self, feed: Feed, mailing: Mailing) -> None:
        """Hand over what *feed* gives; see Transport."""
        template = RequestTemplate(mailing)
        threads = self.config.threads
        throttle = Throttle(threads, asyncio.get_running_loop().time)
        # Left in this order: the client's end breaks off what a thread still waits for.
        with ThreadPoolExecutor(threads, "sendgrid") as pool, self._client() as client:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(threads):
                        worker = Worker(feed, template, client, pool, throttle)
                        group.create_task(worker.run(self.config.personalizations))
            except BaseExceptionGroup as failures:
                raise failures.exceptions[0] from None

    async def deliver(self, email: str, message: bytes) -> Result:
        """Hand over one whole message; see Transport."""
        try:
            request = request_of(email, message)
        except RecipientRejected as error:
            return Result(outcome=Outcome.REFUSED_FOR_GOOD, reply=error.message)
        try:
            answer = await self._post(request)
        except Missed as error:
            return Result(outcome=Outcome.UNCERTAIN, reply=str(error))
        if answer.status == 202:
            return Result(outcome=Outcome.ACCEPTED, provider_id=answer.message_id)
        if answer.status == 429:
            return Result(outcome=Outcome.REFUSED_FOR_NOW, reply=masked(answer.text))
        if answer.status in (400, 413):
            return Result(outcome=Outcome.REFUSED_FOR_GOOD, reply=masked(answer.text))
        if 300 <= answer.status < 500:
            raise refusal(answer)
        return Result(outcome=Outcome.UNCERTAIN, reply=masked(answer.text))

    async def probe(self) -> str:
        """Have SendGrid check a request in sandbox mode; see Transport."""
        host = self._client().host
        try:
            answer = await self._post(sandbox_request(self.from_email))
        except Missed as error:
            raise TransportError(
                f"SendGrid does not answer: {error}", hint="try again in a few minutes"
            ) from None
        if answer.status != 200:
            raise refusal(answer)
        where = f"{host}, region {self.config.region}"
        return f"SendGrid ({where}) took a request in sandbox mode: the key may send mail"

    async def _post(self, request: bytes) -> Answer:
        """Raises Missed, and TransportError for NotSent."""
        with self._client() as client:
            try:
                return await asyncio.to_thread(client.post, request)
            except NotSent as error:
                raise unreachable(str(error)) from None

    def _client(self) -> SendGridClient:
        config = self.config
        return SendGridClient(
            self.key, region=config.region, url=config.url, timeout=config.timeout
        )
