"""Atom (RFC 4287), JSON Feed 1.1, the sitemap and robots.txt.

An entry's id is the address of its edition: that never changes, because the mail that
readers keep leads there. Knows no clock: a feed is as old as its newest edition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from html import escape
from typing import Any

from newsletter.config import Config
from newsletter.site.editions import PDF, SiteEdition
from newsletter.site.views import root_of

ATOM, JSON_FEED, SITEMAP, ROBOTS = "feed.atom", "feed.json", "sitemap.xml", "robots.txt"
ENTRIES = 30  # of a feed, the newest

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
_SITEMAP_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

# Pages that act for one reader; no search engine has any business there.
PERSONAL = ("unsubscribe/", "preferences/", "confirm/", "api/")


def atom(config: Config, editions: Sequence[SiteEdition]) -> bytes:
    """The feed in Atom."""
    from lxml import etree

    shown = editions[:ENTRIES]
    home = f"{config.site_url}/"
    feed = etree.Element("feed", nsmap={None: _ATOM_NAMESPACE})
    feed.set("{http://www.w3.org/XML/1998/namespace}lang", config.newsletter.language)
    _add(feed, "id", home)
    _add(feed, "title", config.newsletter.title)
    _add(feed, "subtitle", config.newsletter.description)
    _add(feed, "updated", _moment(_newest(config, shown)))
    _add(_add(feed, "author"), "name", config.publisher.name)
    _add(feed, "link", rel="self", type="application/atom+xml", href=home + ATOM)
    _add(feed, "link", rel="alternate", type="text/html", href=home)
    _add(feed, "icon", home + "favicon.svg")
    _add(feed, "rights", f"© {config.publisher.name}")
    for edition in shown:
        url = home + edition.path
        entry = _add(feed, "entry")
        _add(entry, "id", url)
        _add(entry, "title", edition.subject)
        _add(entry, "published", _moment(_dated(edition)))
        _add(entry, "updated", _moment(_updated(edition)))
        _add(entry, "link", rel="alternate", type="text/html", href=url)
        if PDF in edition.files:
            size = str(edition.pdf_bytes)
            _add(
                entry, "link", rel="enclosure", type="application/pdf", href=url + PDF, length=size
            )
        _add(entry, "summary", edition.preheader)
        _add(entry, "content", _content(edition, url), type="html")
    return _xml(feed)


def json_feed(config: Config, editions: Sequence[SiteEdition]) -> bytes:
    """The feed in JSON Feed 1.1 (jsonfeed.org)."""
    home = f"{config.site_url}/"
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": config.newsletter.title,
        "home_page_url": home,
        "feed_url": home + JSON_FEED,
        "description": config.newsletter.description,
        "icon": home + "favicon.svg",
        "language": config.newsletter.language,
        "authors": [_author(config)],
        "items": [_item(edition, home + edition.path) for edition in editions[:ENTRIES]],
    }
    return (json.dumps(feed, ensure_ascii=False, indent=2) + "\n").encode()


def sitemap(config: Config, pages: Iterable[tuple[str, datetime | None]]) -> bytes:
    """The sitemap (sitemaps.org) of *pages*: paths below the root, and when each changed."""
    from lxml import etree

    urls = etree.Element("urlset", nsmap={None: _SITEMAP_NAMESPACE})
    for path, changed in pages:
        url = _add(urls, "url")
        _add(url, "loc", f"{config.site_url}{path}")
        if changed is not None:
            _add(url, "lastmod", _moment(changed))
    return _xml(urls)


def robots(config: Config) -> bytes:
    """robots.txt (RFC 9309). Counts only where the site is at the root of its host."""
    root = root_of(config)
    lines = ["User-agent: *", *(f"Disallow: {root}{path}" for path in PERSONAL), ""]
    return "\n".join([*lines, f"Sitemap: {config.site_url}/{SITEMAP}", ""]).encode()


def _item(edition: SiteEdition, url: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": url,
        "url": url,
        "title": edition.subject,
        "content_html": _content(edition, url),
        "summary": edition.preheader,
        "date_published": _moment(_dated(edition)),
        "date_modified": _moment(_updated(edition)),
    }
    if edition.hero is not None:
        item["image"] = url + edition.hero.file
    if PDF in edition.files:
        pdf = {"url": url + PDF, "mime_type": "application/pdf"}
        item["attachments"] = [{**pdf, "size_in_bytes": edition.pdf_bytes}]
    return item


def _author(config: Config) -> dict[str, str]:
    author = {"name": config.publisher.name}
    if config.publisher.website:
        author["url"] = config.publisher.website
    return author


def _content(edition: SiteEdition, url: str) -> str:
    """What is in it, as HTML: the preheader, and each headline with a link to its bullet."""
    items = "".join(
        f'<li><a href="{escape(f"{url}#{one.anchor}" if one.anchor else url)}">'
        f"{escape(one.text)}</a></li>"
        for one in edition.headlines
    )
    links = [f'<a href="{escape(url)}">Read {escape(edition.label)}</a>']
    if PDF in edition.files:
        links.append(f'<a href="{escape(url + PDF)}">PDF</a>')
    headlines = f"<ol>{items}</ol>" if items else ""
    return f"<p>{escape(edition.preheader)}</p>{headlines}<p>{' · '.join(links)}</p>"


def _dated(edition: SiteEdition) -> datetime:
    return datetime.combine(edition.date, time(), UTC)


def _updated(edition: SiteEdition) -> datetime:
    """When it came into the archive, or the day it bears: an entry is not updated before that."""
    return max(edition.published_at, _dated(edition))


def _newest(config: Config, editions: Sequence[SiteEdition]) -> datetime:
    """Of a feed without entries: the beginning of the newsletter, for want of a clock."""
    beginning = datetime(config.newsletter.first_year or 1970, 1, 1, tzinfo=UTC)
    return max((_updated(edition) for edition in editions), default=beginning)


def _moment(at: datetime) -> str:
    """As in RFC 3339, to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _add(parent: Any, tag: str, text: str = "", **attributes: str) -> Any:
    from lxml import etree

    element = etree.SubElement(parent, tag, {name: _clean(v) for name, v in attributes.items()})
    if text:
        element.text = _clean(text)
    return element


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def _xml(root: Any) -> bytes:
    from lxml import etree

    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data
