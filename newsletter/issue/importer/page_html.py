"""Read a published web page that was saved as HTML.

By lxml, which forgives every fault of markup. Fetches nothing: pictures and links
stay addresses. Scripts, menus, footers and sharing buttons are taken out first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from newsletter.issue.importer.blocks import (
    Block,
    Image,
    Kind,
    Note,
    Page,
    Place,
    entry_or,
    lines_of,
    tidy_marks,
)
from newsletter.issue.importer.decode import refuse, refuse_long
from newsletter.issue.importer.html_furniture import content_root, take_furniture_out
from newsletter.issue.importer.links import ALTERED, resolved
from newsletter.issue.prose import Prose, Run

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_ITALIC = re.compile(r"font-style\s*:\s*(?:italic|oblique)", re.IGNORECASE)
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "em", "font", "i", "img", "ins"}
    | {"kbd", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt"}
    | {"u", "var", "wbr", "picture", "source", "label", "del", "strike", "acronym", "data", "o:p"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "dt"})
_MAX_TAGS = 150_000
_LONG_LINE = 20_000  # of a page without line ends: columns would tell nothing there
_SPACE = re.compile(r"[ \t\n\r\f]+")


def read(text: str) -> Page:
    """Turn the page into blocks.

    Raises:
        Unreadable: there are more of them than a page with an issue has.
    """
    if text.count("<") > _MAX_TAGS:
        raise refuse(f"the page has more than {_MAX_TAGS:,} tags", "is it the right file?")
    tree = _parsed(text)
    if tree is None:
        return Page()
    base = _base(tree)
    stated, titles = _metadata(tree)
    shared = _shared_picture(tree, base)
    take_furniture_out(tree)
    walk = _Walk(text.split("\n"), base)
    walk.read(content_root(tree))
    images = tuple(walk.images) or shared
    titles += tuple(
        (heading.text_content(), Place(heading.sourceline or 1)) for heading in tree.iter("h1")
    )
    return Page(
        blocks=tuple(walk.blocks),
        images=images,
        notes=tuple(walk.notes),
        titles=titles,
        stated=stated,
    )


def _parsed(text: str) -> HtmlElement | None:
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        return html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return None


def _base(tree: HtmlElement) -> str | None:
    for path in (
        "//base/@href",
        "//link[@rel='canonical']/@href",
        "//meta[@property='og:url']/@content",
    ):
        for address in tree.xpath(path):
            if str(address).startswith(("https://", "http://")):
                return str(address)
    return None


def _metadata(
    tree: HtmlElement,
) -> tuple[dict[str, tuple[str, Place]], tuple[tuple[str, Place], ...]]:
    titles = [
        (element.text_content(), Place(element.sourceline or 1)) for element in tree.iter("title")
    ]
    stated: dict[str, tuple[str, Place]] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or "").lower()
        value, place = meta.get("content") or "", Place(meta.sourceline or 1)
        if name == "og:title":
            titles.append((value, place))
        if name in ("article:published_time", "dc.date", "date"):
            stated.setdefault("date", (value[:10], place))
    for time in tree.xpath("//time[@datetime][contains(@class, 'published')]"):
        stated.setdefault("date", (time.get("datetime")[:10], Place(time.sourceline or 1)))
    return stated, tuple(titles)


def _shared_picture(tree: HtmlElement, base: str | None) -> tuple[Image, ...]:
    """The picture that the page names for sharing: only where the text has none."""
    for meta in tree.xpath("//meta[@property='og:image'][@content]"):
        return (Image(place=Place(meta.sourceline or 1), address=meta.get("content")),)
    return ()


class _Walk:
    """One pass over the elements, in reading order; no recursion, however deep they nest."""

    def __init__(self, lines: list[str], base: str | None) -> None:
        self.lines = lines
        self.base = base
        self.blocks: list[Block] = []
        self.images: list[Image] = []
        self.notes: list[Note] = []
        self.runs: list[Run] = []
        self.open: list[Any] = []
        self.serials: list[int] = []  # parallel to `open`: how many elements came before
        self.count = 0
        self.written = self.all_strong = False  # of the text since the last block ended
        self.strong = self.emphasis = 0
        self.href: str | None = None
        self.line = 1

    def read(self, root: HtmlElement) -> None:
        from lxml import etree

        for event, element in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                self._enter(element)
                self._text(element.text)
            else:
                self._leave(element)
                if element is not root:
                    self._text(element.tail)
        self._flush()

    def _enter(self, element: Any) -> None:
        refuse_long(max(len(self.blocks), len(self.runs)))
        tag = element.tag
        if tag not in _INLINE:
            self._flush()
        if not self.runs:
            self.line = element.sourceline or self.line
        self.open.append(element)
        self.count += 1
        self.serials.append(self.count)
        self.strong += _marks_strong(element)
        self.emphasis += _marks_emphasis(element)
        if tag == "br":
            self._break()
        elif tag == "img":
            self._image(element)
        elif tag == "a" and element.get("href") is not None:
            self._link(element)

    def _leave(self, element: Any) -> None:
        if element.tag not in _INLINE:
            self._flush()
        self.open.pop()
        self.serials.pop()
        self.strong -= _marks_strong(element)
        self.emphasis -= _marks_emphasis(element)
        if element.tag == "a":
            self.href = None

    def _text(self, text: str | None) -> None:
        if text:
            text = _SPACE.sub(" ", text)
            if text.strip():
                self.all_strong = self.strong > 0 and (self.all_strong or not self.written)
                self.written = True
            self.runs.append(Run(text, self.strong > 0, self.emphasis > 0, self.href))

    def _break(self) -> None:
        """A line end; within a list entry only behind a strong headline, else a blank."""
        ends = self.all_strong or not any(element.tag == "li" for element in self.open)
        self.runs.append(Run("\n" if ends else " ", self.strong > 0, self.emphasis > 0, self.href))

    def _image(self, element: Any) -> None:
        address = next(
            (
                value
                for name in ("data-src", "data-lazy-src", "src")
                if (value := (element.get(name) or "").strip())
            ),
            "",
        )
        small = {element.get("width"), element.get("height")} & {"0", "1"}
        names = f"{element.get('class') or ''} {address}".lower()
        if (
            not address
            or small
            or any(word in names for word in ("logo", "icon", "emoji", "avatar"))
        ):
            return
        alt = _SPACE.sub(" ", element.get("alt") or "").strip()
        place = Place(element.sourceline or 1, 1, self._excerpt(element.sourceline or 1))
        self.images.append(Image(place=place, address=address, alt=alt))

    def _link(self, element: Any) -> None:
        self.href = resolved(element.get("href"), self.base)
        words = _SPACE.sub(" ", element.text_content()).strip()
        if self.href is None and words and not _is_entry_of_contents(element, words):
            message = (
                f"the link of “{words[:60]}” was dropped: it leads to “{element.get('href')[:80]}”"
            )
            hint = "put the full https:// address into the issue file, if readers need it"
            self.notes.append(Note(ALTERED, self._place(words), message, hint))

    def _flush(self) -> None:
        prose, self.runs = _collapsed(self.runs), []
        self.written = self.all_strong = False
        refuse_long(len(self.blocks) + prose.text.count("\n"))
        for line in lines_of(tidy_marks(prose.runs)):
            kind, content = entry_or(self._kind(), line)
            if content:
                place = self._place(content.text)
                self.blocks.append(
                    Block(kind=kind, prose=content, place=place, group=self._group())
                )

    def _kind(self) -> Kind:
        tags = {element.tag for element in self.open}
        if "figcaption" in tags or any(
            "caption" in (element.get("class") or "") and element.tag == "p"
            for element in self.open
        ):
            return Kind.CAPTION
        if "li" in tags or "dd" in tags:
            return Kind.ENTRY
        return Kind.HEADING if tags & _HEADINGS else Kind.TEXT

    def _group(self) -> int:
        """The innermost list that is open; outside of lists the innermost element."""
        around = zip(self.open, self.serials, strict=True)
        lists = [serial for element, serial in around if element.tag in ("ul", "ol", "dl")]
        return (lists or self.serials or [0])[-1]

    def _place(self, text: str) -> Place:
        """The line on which *text* begins, as far as the page writes it plainly."""
        words = text[:20]
        for number in range(self.line, min(self.line + 5, len(self.lines) + 1)):
            if len(self.lines[number - 1]) > _LONG_LINE:
                break
            at = self.lines[number - 1].find(words)
            if at >= 0:
                return Place(number, at + 1, self.lines[number - 1])
        return Place(self.line, 1, self._excerpt(self.line))

    def _excerpt(self, line: int) -> str | None:
        return self.lines[line - 1] if 0 < line <= len(self.lines) else None


def _is_entry_of_contents(link: Any, words: str) -> bool:
    """A whole line that leads to a place of the same page, as a headline to its bullet."""
    line = _SPACE.sub(" ", link.getparent().text_content()).strip()
    return str(link.get("href")).startswith("#") and line == words


def _marks_strong(element: Any) -> bool:
    return element.tag in ("strong", "b") or _BOLD.search(element.get("style") or "") is not None


def _marks_emphasis(element: Any) -> bool:
    if element.tag in ("em", "i", "cite"):
        return True
    return _ITALIC.search(element.get("style") or "") is not None


def _collapsed(runs: list[Run]) -> Prose:
    """Blanks that meet count as one, as in a browser; a no-break space is not one of them."""
    joined: list[Run] = []
    blank = True
    for run in runs:
        text = run.text.lstrip(" ") if blank else run.text
        if text:
            blank = text[-1] in " \n"
            joined.append(Run(text, run.strong, run.emphasis, run.href))
    return Prose.of(joined)
