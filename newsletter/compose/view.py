"""What the templates see: an Issue and its newsletter, in the words of the page.

One view for e-mail, text, web and print, so that the outputs cannot disagree.
Templates get plain data and no way to reach files, settings or the environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from newsletter.config import Config
from newsletter.issue.model import Issue, Item
from newsletter.issue.prose import Prose
from newsletter.issue.typography import curl

PREHEADER_MAX = 130  # characters; mail clients show 40 to 130


@dataclass(frozen=True, kw_only=True)
class HeroView:
    """*file* lies beside the web page; *url* is absolute. Size in pixels of the file."""

    file: str
    url: str
    alt: str
    credit: Prose
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """*anchor* names the bullet; the headline links to it."""

    position: int
    anchor: str
    headline: Prose
    bullet: Prose
    sources: Prose | None


@dataclass(frozen=True, kw_only=True)
class View:
    """Addresses are absolute; `site_url` has no slash at its end."""

    title: str
    volume: int
    number: str
    label: str  # "Vol 2.20"
    date: date
    date_text: str  # "October 31, 2023"
    language: str
    subject: str
    preheader: str
    note: str | None
    hero: HeroView | None
    items: tuple[ItemView, ...]
    description: str
    about: str
    reason: str
    site_url: str
    issue_url: str
    pdf_url: str
    publisher_name: str
    publisher_address: str
    publisher_contact: str
    publisher_website: str | None
    privacy_url: str
    paper: str


@dataclass(frozen=True, kw_only=True)
class PictureSize:
    """The hero as the edition carries it."""

    file: str
    width: int
    height: int


def view_of(issue: Issue, config: Config, picture: PictureSize | None) -> View:
    """Gather what the templates of one edition need; typed straight quotes become curly."""
    label = f"Vol {issue.number}"
    issue_url = f"{config.site_url}/{issue.number.folder}/"
    items = tuple(_item(position, item) for position, item in enumerate(issue.items, start=1))
    hero = None
    if issue.hero is not None and picture is not None:
        hero = HeroView(
            file=picture.file,
            url=issue_url + picture.file,
            alt=curl(issue.hero.alt),
            credit=curled(issue.hero.credit),
            width=picture.width,
            height=picture.height,
        )
    return View(
        title=config.newsletter.title,
        volume=issue.number.volume,
        number=str(issue.number),
        label=label,
        date=issue.date,
        date_text=f"{issue.date:%B} {issue.date.day}, {issue.date.year}",
        language=config.newsletter.language,
        subject=curl(issue.subject or default_subject(config.newsletter.title, label, items)),
        preheader=curl(issue.preheader or default_preheader(items)),
        note=curl(issue.note) if issue.note else None,
        hero=hero,
        items=items,
        description=config.newsletter.description,
        about=config.newsletter.about,
        reason=config.footer.reason,
        site_url=config.site_url,
        issue_url=issue_url,
        pdf_url=issue_url + "issue.pdf",
        publisher_name=config.publisher.name,
        publisher_address=config.publisher.address,
        publisher_contact=config.publisher.contact,
        publisher_website=config.publisher.website,
        privacy_url=config.publisher.privacy_url,
        paper=config.print.paper,
    )


def _item(position: int, item: Item) -> ItemView:
    return ItemView(
        position=position,
        anchor=f"item-{position}",
        headline=curled(item.headline),
        bullet=curled(item.bullet),
        sources=curled(item.sources) if item.sources else None,
    )


def default_subject(title: str, label: str, items: Sequence[ItemView]) -> str:
    """Name the edition by its first headline."""
    return f"{title} {label}: {items[0].headline.text}" if items else f"{title} {label}"


def default_preheader(items: Sequence[ItemView]) -> str:
    """Go on where the subject ends: the other headlines, as many as fit whole."""
    text = ""
    for item in items[1:]:
        longer = f"{text} · {item.headline.text}" if text else item.headline.text
        if text and len(longer) > PREHEADER_MAX:
            break
        text = longer
    return text


def curled(prose: Prose) -> Prose:
    """*prose* with curly quotes; a quote may open in one run and close in another."""
    text = curl(prose.text)
    for start, end in prose.addresses:
        text = text[:start] + prose.text[start:end] + text[end:]
    if text == prose.text:
        return prose
    runs, at = [], 0
    for run in prose.runs:
        runs.append(replace(run, text=text[at : at + len(run.text)]))
        at += len(run.text)
    return Prose.of(runs)
