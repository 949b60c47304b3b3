"""What the site's templates see: plain data, addresses ready to be printed.

Links between pages carry the path of `site.url` and not its host, so that the site works
at whatever address it is looked at; what leaves it (canonical, feeds) is absolute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from urllib.parse import urlsplit

from newsletter.config import Config
from newsletter.site.editions import PDF, SiteEdition


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """*root* is the path of the site, "/" or "/digest/"; *url* the same with its host."""

    title: str
    description: str
    about: str
    language: str
    root: str
    url: str
    is_static: bool
    is_open: bool
    has_calendar: bool  # of slots, to subscribe to
    consent_wording: str
    confirm_within_days: int
    publisher_name: str
    publisher_address: str
    publisher_contact: str
    publisher_website: str | None
    privacy_href: str
    year: int | None  # of the newest edition


@dataclass(frozen=True, kw_only=True)
class LinkView:
    text: str
    href: str


@dataclass(frozen=True, kw_only=True)
class HeroView:
    href: str
    url: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class EditionView:
    """*lead* is the first headline; `headlines[k].href` leads to its bullet."""

    label: str
    title: str
    day: str  # "2023-12-26"
    date_text: str  # "December 26, 2023"
    href: str
    url: str
    pdf_href: str | None
    pdf_size: str  # "174 kB"
    subject: str
    preheader: str
    lead: str
    headlines: tuple[LinkView, ...]
    hero: HeroView | None


@dataclass(frozen=True, kw_only=True)
class VolumeView:
    number: int
    name: str  # "Volume 2"
    years: str  # "2022–2023"
    href: str
    path: str  # below the site's root: "archive/vol-2/"
    editions: tuple[EditionView, ...]


def site_view(config: Config, editions: Sequence[SiteEdition], *, is_static: bool) -> SiteView:
    root = root_of(config)
    publisher = config.publisher
    privacy = publisher.privacy_url
    return SiteView(
        title=config.newsletter.title,
        description=config.newsletter.description,
        about=config.newsletter.about,
        language=config.newsletter.language,
        root=root,
        url=f"{config.site_url}/",
        is_static=is_static,
        is_open=config.subscribe.open,
        has_calendar=config.schedule.is_set and not is_static,
        consent_wording=config.consent_wording,
        confirm_within_days=config.subscribe.confirm_within_days,
        publisher_name=publisher.name,
        publisher_address=publisher.address,
        publisher_contact=publisher.contact,
        publisher_website=publisher.website,
        privacy_href=(
            root + privacy.removeprefix(f"{config.site_url}/")
            if privacy.startswith(f"{config.site_url}/")
            else privacy
        ),
        year=editions[0].date.year if editions else None,
    )


def root_of(config: Config) -> str:
    """The path of `site.url`, with a slash at both ends."""
    return urlsplit(config.site_url).path.rstrip("/") + "/"


def edition_view(edition: SiteEdition, config: Config) -> EditionView:
    href = root_of(config) + edition.path
    url = f"{config.site_url}/{edition.path}"
    hero = edition.hero
    return EditionView(
        label=edition.label,
        title=edition.title,
        day=edition.date.isoformat(),
        date_text=in_words(edition.date),
        href=href,
        url=url,
        pdf_href=href + PDF if PDF in edition.files else None,
        pdf_size=f"{max(1, round(edition.pdf_bytes / 1000)):,} kB",
        subject=edition.subject,
        preheader=edition.preheader,
        lead=edition.headlines[0].text if edition.headlines else edition.subject,
        headlines=tuple(
            LinkView(text=one.text, href=f"{href}#{one.anchor}" if one.anchor else href)
            for one in edition.headlines
        ),
        hero=None
        if hero is None
        else HeroView(
            href=href + hero.file,
            url=url + hero.file,
            alt=hero.alt,
            width=hero.width,
            height=hero.height,
        ),
    )


def volumes(editions: Sequence[SiteEdition], config: Config) -> list[VolumeView]:
    """The editions by volume, the newest first."""
    return [
        _volume(number, list(group), config)
        for number, group in groupby(editions, key=lambda edition: edition.number.volume)
    ]


def _volume(number: int, editions: list[SiteEdition], config: Config) -> VolumeView:
    years = sorted({edition.date.year for edition in editions})
    path = f"archive/vol-{number}/"
    return VolumeView(
        number=number,
        name=f"Volume {number}",
        years=str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}",
        href=root_of(config) + path,
        path=path,
        editions=tuple(edition_view(edition, config) for edition in editions),
    )


def in_words(day: date) -> str:
    """ "December 26, 2023": as in the editions."""
    return f"{day:%B} {day.day}, {day.year}"
