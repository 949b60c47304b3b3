"""What the page of a frozen edition says: headlines, picture, words. Read from the page itself.

The data block for search engines and the Open Graph names are what every edition has
in the same form, whatever designers did to its looks. Where they took them out, the
page still stands in the archive, with fewer words on the pages that lead to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_INLINE = frozenset("a abbr b cite em i mark small span strong sub sup time".split())
_NO_TEXT = frozenset(("script", "style", "template", "noscript", "nav"))
_SAME_IN_ALL = "lead"  # class of what the newsletter says of itself: no word of an issue
_ANCHOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class Headline:
    text: str
    anchor: str  # of its bullet in the page, without “#”; may be empty


@dataclass(frozen=True, kw_only=True)
class Hero:
    """The picture; *file* lies beside the page. Size in pixels."""

    file: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class FrozenPage:
    headlines: tuple[Headline, ...]
    hero: Hero | None
    text: str  # of its <main>, one space between words


def read_page(page: bytes) -> FrozenPage:
    """Read an edition's `web.html`. Raises ValueError where it is no HTML at all."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    root = etree.fromstring(page, parser)
    if root is None:
        raise ValueError("the page is empty")
    main = root.find(".//main")
    return FrozenPage(
        headlines=tuple(_headlines(root)),
        hero=_hero(root),
        text=" ".join("".join(_words(root if main is None else main)).split()),
    )


def _headlines(root: Any) -> Iterable[Headline]:
    for script in root.iterfind(".//script[@type='application/ld+json']"):
        try:
            parts = json.loads(script.text or "")["hasPart"]
            for part in parts:
                anchor = str(part.get("url", "")).rpartition("#")[2]
                yield Headline(
                    text=str(part["headline"]),
                    anchor=anchor if _ANCHOR.fullmatch(anchor) else "",
                )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue


def _hero(root: Any) -> Hero | None:
    said = {
        name: meta.get("content", "")
        for meta in root.iterfind(".//meta[@property]")
        if (name := meta.get("property")).startswith("og:image")
    }
    try:
        return Hero(
            file=said["og:image"].rpartition("/")[2],
            alt=said.get("og:image:alt", ""),
            width=int(said["og:image:width"]),
            height=int(said["og:image:height"]),
        )
    except (KeyError, ValueError):
        return None


def _words(element: Any) -> Iterable[str]:
    """The text below *element*; blocks are apart even where no space is between their tags."""
    is_block = element.tag not in _INLINE
    if is_block:
        yield " "
    if not _is_unread(element):
        yield element.text or ""
        for child in element:
            yield from _words(child)
            yield child.tail or ""
    if is_block:
        yield " "


def _is_unread(element: Any) -> bool:
    return (
        element.tag in _NO_TEXT
        or element.get("class") == _SAME_IN_ALL
        or element.get("aria-hidden") == "true"
    )
