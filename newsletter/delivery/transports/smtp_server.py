"""The server that mail leaves through: what is configured about it, and its secrets.

Refuses to name itself to the server with something that is no name, to show the password in
any text, and to talk in the clear to another machine.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from typing import Literal

from newsletter.compose.address import ascii_address
from newsletter.config import Workspace
from newsletter.config.secrets import Secret, secret
from newsletter.delivery.reply import masked
from newsletter.delivery.transports import smtp_replies
from newsletter.errors import ConfigError, RecipientRejected

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_MAX_VERP_LOCAL = 31  # RFC 5321 §4.5.3.1.1 allows 64; “+” and a token take up to 33
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?=[A-Za-z]){_LABEL}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """Where to connect and how to behave there; all times in seconds."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    envelope_from: str  # ASCII
    verp: bool = False  # envelope_from names the delivery behind a +
    helo: str | None = None
    username: str | None = None
    password: Secret | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    connections: int = 10
    messages_per_connection: int = 0  # 0: no limit
    timeout: float = 60
    patience: float = 60  # without any success, before it is given up
    idle: float = 30  # a connection without work is closed after it
    grace: float = 5  # for answers, when sending is stopped
    back_off: float = 0.5  # before the second attempt; each further one waits twice as long
    longest_back_off: float = 15
    growth: float = 5  # after it, if all goes well, one more connection is used

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def shown(self, reply: bytes) -> str:
        """*reply* for people: short, without addresses, nor the password if it is repeated."""
        return masked(smtp_replies.shown(reply, self._spellings()))

    def plain_response(self) -> bytes:
        """The one message of AUTH PLAIN (RFC 4616 §2), in base64."""
        assert self.username is not None
        assert self.password is not None
        return base64.b64encode(f"\0{self.username}\0{self.password.reveal()}".encode())

    def _spellings(self) -> tuple[str, ...]:
        if self.password is None:
            return ()
        password = self.password.reveal()
        return (
            self.plain_response().decode(),
            base64.b64encode(password.encode()).decode(),
            password,
        )


def smtp_server_of(workspace: Workspace) -> SmtpServer:
    """Read the tables smtp and sender of newsletter.toml, the password and the certificates.

    Raises:
        ConfigError: the password is missing, or would go over a network in the clear.
    """
    config = workspace.config.smtp
    if config.security == "none" and not is_this_machine(config.host):
        raise ConfigError(
            f"smtp.security is “none”, and {config.host} is another machine: the mail and its"
            " addresses would go there in the clear",
            hint="set smtp.security to “starttls” or “tls”",
        )
    try:
        envelope_from = ascii_address(config.envelope_from or workspace.config.sender.email)
    except RecipientRejected as error:
        raise ConfigError(
            f"bounces cannot go to smtp.envelope_from: {error.message}",
            hint="set smtp.envelope_from to an address in ASCII",
        ) from error
    if config.verp and len(envelope_from.partition("@")[0]) > _MAX_VERP_LOCAL:
        raise ConfigError(
            f"smtp.verp leaves {_MAX_VERP_LOCAL} characters before the @ of smtp.envelope_from",
            hint="choose a shorter one, as in bounces@…",
        )
    password = None
    if config.username is not None:
        password = secret("NEWSLETTER_SMTP_PASSWORD", purpose="the password of the SMTP server")
    return SmtpServer(
        host=config.host.removesuffix("."),  # as in a certificate
        port=config.port or _PORTS[config.security],
        security=config.security,
        envelope_from=envelope_from,
        verp=config.verp,
        helo=config.helo,
        username=config.username,
        password=password,
        tls=None if config.security == "none" else _tls_context(workspace, config.ca_file),
        connections=config.connections,
        messages_per_connection=config.messages_per_connection,
        timeout=config.timeout,
    )


def _tls_context(workspace: Workspace, ca_file: str | None) -> ssl.SSLContext:
    path = None if ca_file is None else workspace.root / ca_file
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            f"smtp.ca_file = {ca_file} cannot be used: {reason}",
            hint="name a file with certificates in PEM, from the workspace on",
        ) from error


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def greeting_name(name: str, own_address: str) -> str:
    """*name* for EHLO if it is one, else this machine's address as a literal (RFC 5321 §4.1.3)."""
    if _DOMAIN.fullmatch(name):
        return name
    for text in (name, own_address):
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            continue
        return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
    return "[127.0.0.1]"
