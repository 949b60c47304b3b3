"""The keys of `newsletter.toml`, each with its meaning, default and form.

Frozen once read. Secrets have no place here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from newsletter.email_address import normalized

Check = Callable[[str], str]


def key(
    description: str,
    *,
    check: Check | None = None,
    pattern: str | None = None,
    ge: int | None = None,
    le: int | None = None,
) -> msgspec.Meta:
    """Describe one key: its meaning, a *check* of its text, its *pattern* or its bounds."""
    form = {"pattern": pattern} if pattern is not None else {"ge": ge, "le": le}
    meta: msgspec.Meta = msgspec.Meta(description=description, extra={"check": check}, **form)
    return meta


def line(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("it holds a control character or a line break")
    return value.strip()


def web_address(value: str) -> str:
    value = line(value)
    parts = urlsplit(value)
    local = parts.hostname in ("localhost", "127.0.0.1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("it is not an absolute https:// address")
    if re.search(r"[\s<>\"']", value):
        raise ValueError("it holds a space, a quote or an angle bracket")
    if not value.isascii():  # it stands in mail headers
        raise ValueError("it holds letters outside ASCII: write the host as xn--…, the rest as %…")
    return value


def mail_address(value: str) -> str:
    return normalized(line(value), ascii_only=True)  # it stands in mail headers


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("it is not a time zone; write it as in America/New_York") from error
    return value


def database_url(value: str) -> str:
    value = line(value)
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError("it is no URL") from error
    if parts.scheme.partition("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("it does not begin with sqlite:/// or postgresql://")
    if parts.password or "password" in parts.query.lower():
        raise ValueError(
            "it holds a password, and this file is not for secrets: set NEWSLETTER_DATABASE_URL"
        )
    return value


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of newsletter.toml."""


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


class ScheduleConfig(Section, frozen=True, kw_only=True):
    """When editions go out."""

    at: Annotated[
        str,
        key("Local time of day, off the full hour.", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    ] = "09:53"
    timezone: Annotated[str, key("IANA time zone of `at`.", check=time_zone)] = "UTC"


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
    print: PrintConfig = msgspec.field(default_factory=PrintConfig)
    database: DatabaseConfig = msgspec.field(default_factory=DatabaseConfig)
    check: CheckConfig = msgspec.field(default_factory=CheckConfig)

    @property
    def list_id(self) -> str:
        return self.sender.list_id or "newsletter." + self.sender.email.rpartition("@")[2]

    @property
    def site_url(self) -> str:
        return self.site.url.rstrip("/")


def meta_of(kind: Any) -> msgspec.Meta:
    """The `key(…)` of a field's type, optional or not."""
    described = kind if hasattr(kind, "__metadata__") else get_args(kind)[0]
    meta: msgspec.Meta = described.__metadata__[0]
    return meta


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
