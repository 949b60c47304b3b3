"""The IMAP server of the bounce mailbox: what is configured about it, and how to log in.

Refuses to go on in the clear where TLS is configured, and to show the password to anyone
but a verified server or this machine. Raises MailboxError with words for people.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from newsletter.config import Workspace
from newsletter.config.secrets import Secret, secret
from newsletter.delivery.reply import masked
from newsletter.delivery.transports.smtp_server import is_this_machine
from newsletter.errors import ConfigError
from newsletter.feedback.imap_folder import quoted
from newsletter.feedback.mailbox import MailboxError

TIMEOUT = 30.0  # seconds for an answer
_PORTS = {"tls": 993, "starttls": 143, "none": 143}


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapServer:
    """Where to connect; *timeout* in seconds, for each answer."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str
    password: Secret
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    timeout: float = TIMEOUT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def log_in(self) -> imaplib.IMAP4:
        """Connect, encrypt, authenticate.

        Raises:
            MailboxError: it says what was in the way.
        """
        with self.speaking():
            client = self._connected()
            try:
                self._authenticate(client)
                # RFC 3501 §6.2.3: what was offered before may have changed.
                client.capabilities = _words(client.capability()[1])
            except BaseException:
                hang_up(client)
                raise
        return client

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn what imaplib raises into MailboxError."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise MailboxError(
                f"{self} is not who it should be: {error.verify_message}",
                hint="check feedback.imap_host; for a certificate of your own set "
                "feedback.imap_ca_file",
            ) from error
        except ssl.SSLError as error:
            raise MailboxError(
                f"{self} does not agree on TLS: {(error.reason or str(error)).replace('_', ' ')}",
                hint="feedback.imap_security “tls” goes with port 993, “starttls” with 143",
            ) from error
        except TimeoutError as error:
            raise MailboxError(
                f"{self}: no answer in {self.timeout:g} seconds", hint="is it in good order?"
            ) from error
        except OSError as error:
            raise MailboxError(
                f"{self} cannot be reached: {error.strerror or error}",
                hint="check feedback.imap_host and feedback.imap_port",
            ) from error
        except imaplib.IMAP4.error as error:
            raise MailboxError(
                f"{self} does not do as it should: {self.shown(error.args)}",
                hint="is it an IMAP server, and in good order?",
            ) from error
        except (ValueError, IndexError, KeyError) as error:  # imaplib, at answers that are none
            raise MailboxError(f"{self} does not speak IMAP") from error

    def shown(self, said: object) -> str:
        """What the server said, in short: without addresses, and without the password."""
        words = said if isinstance(said, list | tuple) else [said]
        text = " ".join(
            word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
            for word in words
        )
        return masked(text.replace(self.password.reveal(), "…")) or "without a word"

    def _connected(self) -> imaplib.IMAP4:
        if self.security == "tls":
            return imaplib.IMAP4_SSL(
                self.host, self.port, ssl_context=self.tls, timeout=self.timeout
            )
        client = imaplib.IMAP4(self.host, self.port, timeout=self.timeout)
        if self.security == "starttls":
            try:
                # Also refuses a server that greets with PREAUTH, in the clear (RFC 9051 §11.1).
                client.starttls(self.tls)
            except BaseException as error:
                hang_up(client)
                if isinstance(error, imaplib.IMAP4.error):
                    raise MailboxError(
                        f"{self} offers no STARTTLS, and the password does not go there in the "
                        "clear",
                        hint="set feedback.imap_security to “tls” and feedback.imap_port to 993 "
                        "if the server wants that",
                    ) from error
                raise
        return client

    def _authenticate(self, client: imaplib.IMAP4) -> None:
        name, password = self.username, self.password.reveal()
        try:
            # LOGIN takes ASCII only (RFC 3501 §9); PLAIN takes UTF-8 (RFC 4616 §2).
            if "AUTH=PLAIN" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())
            else:
                client.login(quoted(name), password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise MailboxError(
                f"{self} does not accept the user name and the password: {self.shown(error.args)}",
                hint="check feedback.imap_username and NEWSLETTER_IMAP_PASSWORD",
            ) from error
        except UnicodeEncodeError as error:
            raise MailboxError(
                f"{self} takes user names and passwords in ASCII only",
                hint="choose another password for this mailbox",
            ) from error


def hang_up(client: imaplib.IMAP4) -> None:
    """Close the connection without a word, whatever is left of it."""
    with suppress(OSError):
        client.shutdown()


def imap_server_of(workspace: Workspace) -> ImapServer:
    """Read the table feedback of newsletter.toml, the password and the certificates.

    Raises:
        ConfigError: something is missing, or would go over a network in the clear.
    """
    config = workspace.config.feedback
    if config.imap_host is None or config.imap_username is None:
        raise ConfigError(
            "feedback.imap_host and feedback.imap_username are needed for “imap”",
            hint="newsletter schema config lists every key and what it means",
        )
    if config.imap_security == "none" and not is_this_machine(config.imap_host):
        raise ConfigError(
            f"feedback.imap_security is “none”, and {config.imap_host} is another machine: the"
            " password would go there in the clear",
            hint="set feedback.imap_security to “tls” or “starttls”",
        )
    return ImapServer(
        host=config.imap_host.removesuffix("."),
        port=config.imap_port or _PORTS[config.imap_security],
        security=config.imap_security,
        username=config.imap_username,
        password=secret("NEWSLETTER_IMAP_PASSWORD", purpose="the password of the bounce mailbox"),
        tls=None if config.imap_security == "none" else _tls_context(workspace),
    )


def _tls_context(workspace: Workspace) -> ssl.SSLContext:
    ca_file = workspace.config.feedback.imap_ca_file
    try:
        return ssl.create_default_context(
            cafile=None if ca_file is None else workspace.root / ca_file
        )
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            f"feedback.imap_ca_file = {ca_file} cannot be used: {reason}",
            hint="name a file with certificates in PEM, from the workspace on",
        ) from error


def _words(lines: list[bytes | None] | list[bytes]) -> tuple[str, ...]:
    return tuple(b" ".join(filter(None, lines)).decode("ascii", "replace").upper().split())
