"""The keys of `newsletter.toml` about sending: the transport, its server, how fast, what stops it.

Secrets have no place here: see `newsletter.config.secrets`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from newsletter.config.form import (
    Section,
    day,
    host,
    key,
    line,
    mail_address,
    mail_addresses,
    per_domain,
    web_address,
)


class TransportConfig(Section, frozen=True, kw_only=True):
    """How mail leaves."""

    kind: Annotated[
        Literal["outbox", "smtp", "sendgrid"],
        key("`outbox` writes files and sends nothing; `smtp`; `sendgrid`."),
    ] = "outbox"


class OutboxConfig(Section, frozen=True, kw_only=True):
    """The transport `outbox`: a Maildir for each issue."""

    folder: Annotated[str, key("Where, from the workspace on.", check=line)] = "outbox"


class SmtpConfig(Section, frozen=True, kw_only=True):
    """The transport `smtp`. The password comes from NEWSLETTER_SMTP_PASSWORD."""

    host: Annotated[str, key("Name of the server.", check=host)] = "localhost"
    port: (
        Annotated[
            int, key("Port; default: 587 for starttls, 465 for tls, 25 for none.", ge=1, le=65535)
        ]
        | None
    ) = None
    security: Annotated[
        Literal["starttls", "tls", "none"],
        key("`starttls` and `tls` verify the certificate; `none` is for this machine only."),
    ] = "starttls"
    ca_file: (
        Annotated[str, key("Certificates to trust (PEM); default: the system's.", check=line)]
        | None
    ) = None
    username: Annotated[str, key("Name for AUTH.", check=line)] | None = None
    envelope_from: (
        Annotated[str, key("Where bounces go; default: the From line.", check=mail_address)] | None
    ) = None
    verp: Annotated[
        bool,
        key(
            "Whether the address that bounces go to names the delivery: bounces+…@, for bounces "
            "that do not return the message. The mailbox must take what stands behind the +."
        ),
    ] = False
    helo: Annotated[str, key("Name in EHLO; default: this machine's.", check=host)] | None = None
    connections: Annotated[int, key("Most connections at once.", ge=1, le=200)] = 10
    messages_per_connection: Annotated[
        int, key("A connection is renewed after so many; 0: never.", ge=0)
    ] = 0
    timeout: Annotated[int, key("Seconds to wait for an answer.", ge=1, le=3600)] = 60


class SendgridConfig(Section, frozen=True, kw_only=True):
    """The transport `sendgrid`. The key comes from NEWSLETTER_SENDGRID_KEY."""

    region: Annotated[Literal["global", "eu"], key("Where SendGrid keeps the data.")] = "global"
    personalizations: Annotated[int, key("Most recipients of one request.", ge=1, le=1000)] = 1000
    threads: Annotated[int, key("Most requests at once.", ge=1, le=64)] = 8
    timeout: Annotated[int, key("Seconds to wait for an answer.", ge=1, le=3600)] = 30
    url: (
        Annotated[str, key("Another address of the API, as of a test server.", check=web_address)]
        | None
    ) = None


class RatesConfig(Section, frozen=True, kw_only=True):
    """How fast mail may leave; what is left out has no limit. Windows are of UTC."""

    per_second: Annotated[int, key("Most messages a second.", ge=1)] | None = None
    per_hour: Annotated[int, key("Most messages an hour.", ge=1)] | None = None
    per_day: Annotated[int, key("Most messages a day.", ge=1)] | None = None
    each_domain: (
        Annotated[int, key("Most messages a second to one receiving domain.", ge=1)] | None
    ) = None
    domains: Annotated[
        dict[str, int],
        key('Most messages a second to named domains, as in "example.com" = 20.', check=per_domain),
    ] = msgspec.field(default_factory=dict)
    warm_up_from: (
        Annotated[str, key('First day of a warm-up plan, as in "2026-03-01".', check=day)] | None
    ) = None
    warm_up_first_day: Annotated[int, key("Messages on the first day of the plan.", ge=1)] = 200
    warm_up_percent: Annotated[
        int, key("Each day's share of the day before; 200 doubles.", ge=101, le=1000)
    ] = 200


class DeliveryConfig(Section, frozen=True, kw_only=True):
    """What happens to messages that are refused."""

    attempts: Annotated[
        int, key("A delivery that is refused for now fails after so many tries.", ge=1, le=100)
    ] = 6
    retry_after: Annotated[
        int, key("Seconds before the second try; each further wait is twice as long.", ge=1)
    ] = 60
    pause_at_failures: Annotated[
        int, key("The campaign pauses when so many percent failed; 100: never.", ge=1, le=100)
    ] = 10
    pause_after: Annotated[int, key("… but not before so many messages have an outcome.", ge=1)] = (
        50
    )
    alert: Annotated[
        tuple[str, ...],
        key("Addresses of the editors who are told when sending stops.", check=mail_addresses),
    ] = ()


class DkimConfig(Section, frozen=True, kw_only=True):
    """Sign with DKIM (RFC 6376), for SMTP without a relay that signs. All three, or none."""

    domain: Annotated[str, key("The signing domain, d=.", check=host)] | None = None
    selector: Annotated[str, key("The selector, s=.", check=host)] | None = None
    key_file: (
        Annotated[str, key("RSA key (PEM), from the workspace on; never commit it.", check=line)]
        | None
    ) = None
