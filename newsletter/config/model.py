"""The keys of `newsletter.toml`, each with its meaning, default and form.

Frozen once read. Secrets have no place here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from newsletter.config.form import (
    Section,
    database_url,
    key,
    line,
    mail_address,
    meta_of,
    web_address,
)
from newsletter.config.public import FeedbackConfig, PrivacyConfig, SubscribeConfig, WebConfig
from newsletter.config.schedule import ReviewConfig, ScheduleConfig
from newsletter.config.sending import (
    DeliveryConfig,
    DkimConfig,
    OutboxConfig,
    RatesConfig,
    SendgridConfig,
    SmtpConfig,
    TransportConfig,
)


class NewsletterConfig(Section, frozen=True, kw_only=True):
    """What the newsletter is."""

    title: Annotated[str, key("Name in masthead, subject and archive.", check=line)]
    description: Annotated[str, key("One sentence: what it is about, for whom.", check=line)]
    about: Annotated[
        str,
        key("The standard text under every issue: what this is and who compiles it.", check=line),
    ]
    language: Annotated[
        str,
        key("Language of the issues, as in BCP 47.", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
    ] = "en"
    first_year: (
        Annotated[
            int,
            key(
                "The year of Volume 1, where a volume is a year; dates are then checked.",
                ge=1900,
                le=2200,
            ),
        ]
        | None
    ) = None


class PublisherConfig(Section, frozen=True, kw_only=True):
    """Who answers for it. All four are demanded by law in every message."""

    name: Annotated[str, key("Legal name of the sender.", check=line)]
    address: Annotated[str, key("Postal address.", check=line)]
    contact: Annotated[str, key("Address for questions and complaints.", check=mail_address)]
    privacy_url: Annotated[str, key("Privacy policy.", check=web_address)]
    website: Annotated[str, key("The publisher's own site.", check=web_address)] | None = None


class SenderConfig(Section, frozen=True, kw_only=True):
    """The From line and what receiving servers identify the list by."""

    name: Annotated[str, key("Display name of the From line.", check=line)]
    email: Annotated[
        str,
        key("Address of the From line; keep it apart from transactional mail.", check=mail_address),
    ]
    reply_to: Annotated[str | None, key("Where answers go; default: From.", check=mail_address)] = (
        None
    )
    list_id: (
        Annotated[
            str,
            key(
                "List-Id (RFC 2919); default: “newsletter.” and the domain of the From line.",
                pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
            ),
        ]
        | None
    ) = None


class SiteConfig(Section, frozen=True, kw_only=True):
    """Where editions are read on the web."""

    url: Annotated[
        str, key("Base address; editions stand below it: …/vol-2-20/.", check=web_address)
    ]


class FooterConfig(Section, frozen=True, kw_only=True):
    """The legal lines under every message."""

    reason: Annotated[
        str, key("Why the reader receives this: when and how they subscribed.", check=line)
    ]


class PrintConfig(Section, frozen=True, kw_only=True):
    """The PDF."""

    paper: Annotated[Literal["letter", "a4"], key("Paper size.")] = "letter"


class DatabaseConfig(Section, frozen=True, kw_only=True):
    """Where subscribers and deliveries are kept."""

    url: (
        Annotated[
            str,
            key(
                "sqlite:///file.db or postgresql://user@host/name, without a password; default: "
                "a file in .newsletter/. NEWSLETTER_DATABASE_URL goes before it.",
                check=database_url,
            ),
        ]
        | None
    ) = None


class CheckConfig(Section, frozen=True, kw_only=True):
    """Thresholds of the rules, in words unless they say characters."""

    headline_min_words: Annotated[int, key("Fewest words of a headline.", ge=1)] = 4
    headline_max_words: Annotated[int, key("Most words of a headline.", ge=1)] = 14
    headline_max_characters: Annotated[int, key("Most characters of a headline.", ge=1)] = 80
    bullet_min_words: Annotated[int, key("Fewest words of a bullet.", ge=1)] = 45
    bullet_max_words: Annotated[int, key("Most words of a bullet.", ge=1)] = 150
    sentence_max_words: Annotated[int, key("Most words of a sentence.", ge=1)] = 55
    issue_min_words: Annotated[int, key("Fewest words of an issue.", ge=1)] = 300
    issue_max_words: Annotated[int, key("Most words: the PDF has two pages.", ge=1)] = 600
    ignore: Annotated[tuple[str, ...], key("Rules that are never run, as in NL203.")] = ()


class Config(Section, frozen=True, kw_only=True):
    """The whole of newsletter.toml."""

    newsletter: NewsletterConfig
    publisher: PublisherConfig
    sender: SenderConfig
    site: SiteConfig
    footer: FooterConfig
    schedule: ScheduleConfig = msgspec.field(default_factory=ScheduleConfig)
    review: ReviewConfig = msgspec.field(default_factory=ReviewConfig)
    print: PrintConfig = msgspec.field(default_factory=PrintConfig)
    database: DatabaseConfig = msgspec.field(default_factory=DatabaseConfig)
    transport: TransportConfig = msgspec.field(default_factory=TransportConfig)
    outbox: OutboxConfig = msgspec.field(default_factory=OutboxConfig)
    smtp: SmtpConfig = msgspec.field(default_factory=SmtpConfig)
    sendgrid: SendgridConfig = msgspec.field(default_factory=SendgridConfig)
    rates: RatesConfig = msgspec.field(default_factory=RatesConfig)
    delivery: DeliveryConfig = msgspec.field(default_factory=DeliveryConfig)
    dkim: DkimConfig = msgspec.field(default_factory=DkimConfig)
    web: WebConfig = msgspec.field(default_factory=WebConfig)
    subscribe: SubscribeConfig = msgspec.field(default_factory=SubscribeConfig)
    privacy: PrivacyConfig = msgspec.field(default_factory=PrivacyConfig)
    feedback: FeedbackConfig = msgspec.field(default_factory=FeedbackConfig)
    check: CheckConfig = msgspec.field(default_factory=CheckConfig)

    @property
    def list_id(self) -> str:
        return self.sender.list_id or "newsletter." + self.sender.email.rpartition("@")[2]

    @property
    def site_url(self) -> str:
        return self.site.url.rstrip("/")

    @property
    def consent_wording(self) -> str:
        """What a reader agrees to on the public pages."""
        return self.subscribe.wording or (
            f"Send me “{self.newsletter.title}” by e-mail. I can leave at any time, with one click."
        )


def config_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of newsletter.toml."""
    schema = msgspec.json.schema(Config)
    for table in msgspec.structs.fields(Config):
        forms = schema["$defs"][table.type.__name__]["properties"]
        for field in msgspec.structs.fields(table.type):
            # Optional here means left out: TOML has no null.
            form = forms[field.name].get("anyOf", [forms[field.name]])[0]
            forms[field.name] = {**form, "description": meta_of(field.type).description}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "newsletter.toml",
        **schema,
    }
