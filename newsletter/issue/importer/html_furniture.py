"""Tell the furniture of an HTML page by its elements, before anything is read.

Goes by what an element is called, and by how much of the page it holds: what holds
most of the text is never furniture.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NEVER = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "footer",
        "aside",
        "button",
        "select",
        "textarea",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "audio",
        "video",
        "canvas",
        "map",
        "dialog",
        "head",
        "title",
    }
)
_ROLES = frozenset(
    {"navigation", "search", "banner", "contentinfo", "complementary", "dialog", "menu"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_FURNITURE_NAME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sharedaddy|share|sharing|social|related"
    r"|jp-relatedposts|sidebar|footer|cookie|comments?|respond|skip-link|screen-reader-text"
    r"|pagination|post-navigation|subscribe|signup|popup|modal)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_ROOTS = (
    "//*[contains(concat(' ', @class, ' '), ' entry-content ')]",
    "//article",
    "//main",
    "//*[@role='main']",
    "//*[@id='content']",
)


def take_furniture_out(tree: HtmlElement) -> None:
    """Remove scripts, menus, footers and sharing buttons from *tree*."""
    for element in list(tree.iter()):
        if element.getparent() is not None and element.tag in _NEVER:
            element.drop_tree()
    whole = _characters(tree)
    for element in list(tree.iter()):
        # A wrapper named “content-sidebar”, or a form around the page, is not furniture.
        if _is_named_furniture(element) and 2 * _characters(element) < whole:
            element.drop_tree()


def _characters(element: Any) -> int:
    return len(element.text_content())


def _is_named_furniture(element: Any) -> bool:
    if element.tag in ("html", "body", "main", "article") or element.tag in _HEADINGS:
        return False
    if element.tag == "form":
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return (
        element.get("role") in _ROLES
        or element.get("hidden") is not None
        or _HIDDEN.search(element.get("style") or "") is not None
        or _FURNITURE_NAME.search(names) is not None
    )


def content_root(tree: HtmlElement) -> HtmlElement:
    """The smallest usual container that holds most of the page's text."""
    whole = _characters(tree)
    for path in _ROOTS:
        for element in tree.xpath(path):
            if 2 * _characters(element) > whole:
                return element
    return tree
