"""The keys of `newsletter.toml` about the public side: the web server, sign-up, what comes back.

Secrets have no place here: see `newsletter.config.secrets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from newsletter.config.form import Section, host, key, line, lines, mail_address


def _proxies(values: tuple[str, ...]) -> tuple[str, ...]:
    """Names are refused: nobody resolves them, and a proxy that is not known hides all readers."""
    from ipaddress import ip_network  # only where somebody asks for it: commands start at once

    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise ValueError(
                f"“{value}” is neither an IP address nor a network as in 10.0.0.0/8"
            ) from error
    return values


class WebConfig(Section, frozen=True, kw_only=True):
    """The web server: `newsletter serve`, and the one inside `newsletter run`."""

    host: Annotated[
        str, key("Address to listen on; let a proxy with TLS stand before it.", check=host)
    ] = "127.0.0.1"
    port: Annotated[int, key("Port to listen on.", ge=1, le=65535)] = 8000
    in_run: Annotated[bool, key("Whether `newsletter run` serves the pages too.")] = True
    trusted_proxies: Annotated[
        tuple[str, ...],
        key(
            "Addresses of proxies, or networks as in 10.0.0.0/8, whose X-Forwarded-For and "
            "X-Forwarded-Proto count.",
            check=_proxies,
        ),
    ] = ("127.0.0.1", "::1")


class SubscribeConfig(Section, frozen=True, kw_only=True):
    """How readers come onto the list by themselves."""

    open: Annotated[bool, key("Whether the form and the API take new readers.")] = True
    wording: (
        Annotated[
            str,
            key(
                "What a reader agrees to, as it stands beside the button; it is kept with every "
                "consent. Default: a sentence with the title.",
                check=line,
            ),
        ]
        | None
    ) = None
    confirm_within_days: Annotated[
        int, key("A request that is not confirmed in so many days is void.", ge=1, le=90)
    ] = 7
    per_address_hours: Annotated[
        int, key("An address gets one mail in so many hours, however often it is asked.", ge=1)
    ] = 12
    per_ip_per_hour: Annotated[
        int,
        key(
            "Requests an hour from one IP address (of IPv6: one /64), by the form and by keys that "
            "stand in pages. A key that a server keeps to itself has ten times as many.",
            ge=1,
        ),
    ] = 20
    proof_of_work: Annotated[
        int,
        key(
            "Bits that a browser works out before the form is taken; 0: none. 16 take about a "
            "second. Without JavaScript one waits a moment instead.",
            ge=0,
            le=24,
        ),
    ] = 0
    from_name: (
        Annotated[str, key("From of confirmations and welcomes; default: sender.name.", check=line)]
        | None
    ) = None
    from_email: (
        Annotated[
            str,
            key(
                "Address of the same, best apart from the newsletter's; default: sender.email.",
                check=mail_address,
            ),
        ]
        | None
    ) = None


class PrivacyConfig(Section, frozen=True, kw_only=True):
    """What the privacy page says besides what the system itself knows."""

    controller: (
        Annotated[
            str, key("Who decides what is kept; default: publisher and its address.", check=line)
        ]
        | None
    ) = None
    contact: (
        Annotated[
            str, key("Address for questions of privacy; default: publisher.contact.", check=line)
        ]
        | None
    ) = None
    authority: (
        Annotated[str, key("Where people may complain: the supervisory authority.", check=line)]
        | None
    ) = None
    processors: Annotated[
        tuple[str, ...],
        key("Who else sees addresses, as in “Example Hosting, Springfield”.", check=lines),
    ] = ()
    paragraphs: Annotated[tuple[str, ...], key("Further paragraphs of your own.", check=lines)] = ()


_SENDGRID_KEY = re.compile(r"[A-Za-z0-9+/=\s-]{80,400}")


def _public_key(value: str) -> str:
    if not _SENDGRID_KEY.fullmatch(value):
        raise ValueError("it is not the verification key that SendGrid shows")
    return value


class FeedbackConfig(Section, frozen=True, kw_only=True):
    """What comes back: bounces, complaints, answers, events of SendGrid.

    The password of IMAP comes from NEWSLETTER_IMAP_PASSWORD.
    """

    mailbox: Annotated[
        Literal["none", "maildir", "imap"], key("Where bounces and answers to them arrive.")
    ] = "none"
    maildir: Annotated[str, key("Folder of `maildir`, from the workspace on.", check=line)] = (
        "bounces"
    )
    imap_host: Annotated[str, key("Name of the IMAP server.", check=host)] | None = None
    imap_port: (
        Annotated[int, key("Port; default: 993 for tls, else 143.", ge=1, le=65535)] | None
    ) = None
    imap_security: Annotated[
        Literal["tls", "starttls", "none"],
        key("`tls` and `starttls` verify the certificate; `none` is for this machine only."),
    ] = "tls"
    imap_ca_file: (
        Annotated[str, key("Certificates to trust (PEM); default: the system's.", check=line)]
        | None
    ) = None
    imap_username: Annotated[str, key("Name to log in with.", check=line)] | None = None
    imap_folder: Annotated[str, key("Folder that is read.", check=line)] = "INBOX"
    imap_done: Annotated[
        str, key("Folder that mail is moved to once it is read; made if it is missing.", check=line)
    ] = "Processed"
    every_minutes: Annotated[
        int, key("How often `newsletter run` looks into the mailbox.", ge=1, le=1440)
    ] = 5
    sendgrid_key: (
        Annotated[
            str,
            key(
                "SendGrid's verification key of the signed event webhook; it is public. Without "
                "it the webhook is closed.",
                check=_public_key,
            ),
        ]
        | None
    ) = None

    def contradictions(self) -> Iterable[tuple[str, str]]:
        if self.mailbox == "imap":
            for name in ("imap_host", "imap_username"):
                if getattr(self, name) is None:
                    yield name, "is missing, and mailbox is “imap”"
