"""Look into pages: their links, their ids, what they load."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit

from lxml import html as lxml_html
from lxml.html import HtmlElement

from newsletter.site.pages import HTML
from newsletter.site.site import Site

_LINKS = (("a", "href"), ("link", "href"), ("img", "src"), ("form", "action"))


def tree(html: bytes | str) -> HtmlElement:
    text = html.decode() if isinstance(html, bytes) else html
    return lxml_html.document_fromstring(text)


def links(html: bytes | str) -> Iterator[tuple[str, str]]:
    """Element and address of whatever leads somewhere."""
    for tag, attribute in _LINKS:
        for element in tree(html).iter(tag):
            if element.get(attribute) is not None:
                yield tag, element.get(attribute)


def html_pages(site: Site) -> dict[str, bytes]:
    return {p.path: p.read() for p in site.pages.values() if p.media_type == HTML}


def inside(site: Site, path: str, link: str) -> tuple[str, str] | None:
    """Where a *link* on the page at *path* leads: a path below the root and a fragment.

    None: it leaves the site. An address below the root is found whatever host it names.
    """
    base = urlsplit(site.config.site_url + path)
    target = urlsplit(urljoin(base.geturl(), link))
    if target.scheme == "mailto" or target.netloc != base.netloc:
        return None
    if link.startswith("http") and not target.path.startswith(site.root):
        return None  # the same host, another site
    assert target.path.startswith(site.root), link
    return "/" + unquote(target.path.removeprefix(site.root)), target.fragment


DYNAMIC = {"/subscribe/"}  # answered by the web server


def broken_links(site: Site, pages: dict[str, bytes]) -> list[tuple[str, str]]:
    """Links within the site that lead to no page of *pages* or the site, or to no place in it."""
    broken = []
    ids = {
        path: {element.get("id") for element in tree(html).iter() if element.get("id")}
        for path, html in pages.items()
    }
    for path, html in pages.items():
        for _, link in links(html):
            target = inside(site, path, link)
            if target is None or target[0] in DYNAMIC:
                continue
            there = target[0] in site.pages or target[0] in pages
            if not there or (target[1] and target[1] not in ids[target[0]]):
                broken.append((path, link))
    return broken
