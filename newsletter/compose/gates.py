"""Gates: what a composed edition must pass before anybody may see it.

They look at what would be sent, not at how it was made, so that a slip of a
template, of MJML or of premailer cannot reach a reader. Findings are diagnostics
on the edition's files, by the rules NL8xx; an error stops composing. Refuses to
repair.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.compose import slots
from newsletter.compose.slots import Slot
from newsletter.diagnostics import Diagnostic, Severity
from newsletter.errors import ContentError, TemplateError
from newsletter.issue.folder import shown
from newsletter.issue.rules import find_rule

EMAIL, PDF = "email.html", "issue.pdf"  # file names in an edition

# Gmail cuts a message at about 102 kB and hides the rest, the footer included.
WARN_BYTES = 60_000
MAX_BYTES = 80_000

MAX_PAGES = 2

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<([A-Za-z][\w:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_CSS_ADDRESS = re.compile(r"url\(\s*[\"']?([^\"')]*)|@import\s+[\"']([^\"']*)", re.IGNORECASE)
_LEFT_OVER = re.compile(
    r"</?mj-[\w-]*|\{\{|\{%|\{#|<%|%%[A-Za-z_]+%%|⟦[^⟧]{0,40}⟧?|https?://[\w.-]*\.invalid[^\s\"'<]*"
)

_LOADED = frozenset({"src", "background", "srcset", "poster", "data"})
_ACTIVE = re.compile(
    r"script|iframe|object|embed|form|input|button|link|base|video|audio|svg", re.IGNORECASE
)


@dataclass(frozen=True)
class _Finding:
    at: int
    message: str
    hint: str | None = None
    severity: Severity | None = None  # where it is not the rule's


def check_email(
    html: str, *, site_url: str, required: Set[Slot] = slots.REQUIRED
) -> tuple[Diagnostic, ...]:
    """Put *html* through every gate. Pictures may come from the host of *site_url* only."""
    gates: tuple[tuple[str, Iterator[_Finding]], ...] = (
        ("NL801", _size(html)),
        ("NL802", _left_over(html)),
        ("NL803", _links(html, site_url)),
        ("NL804", _pictures(html)),
        ("NL805", _third_party(html, site_url)),
        ("NL806", _slots(html, required)),
        ("NL807", _active(html)),
    )
    return tuple(
        _diagnostic(EMAIL, html, code, finding) for code, found in gates for finding in found
    )


def check_pages(pages: int) -> tuple[Diagnostic, ...]:
    """Judge the number of *pages* of the PDF."""
    if pages <= MAX_PAGES:
        return ()
    finding = _Finding(
        0,
        f"the PDF has {pages} pages, more than {MAX_PAGES}",
        "shorten the issue: long bullets, sources and the note take the most room",
    )
    return (_diagnostic(PDF, "", "NL808", finding),)


def count_slots(text: str, template: Path) -> Counter[Slot]:
    """Count the slots of *text*, which *template* gave. Raises TemplateError for an unknown one."""
    try:
        return slots.count(text)
    except ValueError as error:
        raise TemplateError(
            f"{shown(template)}: {error}", hint=f"slots are: {', '.join(Slot)}"
        ) from error


def refuse_typed_slots(view: object) -> None:
    """Raise ContentError where the issue or the configuration holds what would be filled in."""
    typed = slots.MARKER.search(repr(view))
    if typed is not None:
        raise ContentError(
            f"the issue or newsletter.toml holds “{typed[0]}”, which stands for a reader’s value",
            hint="write it differently",
        )


def _size(html: str) -> Iterator[_Finding]:
    size = len(html.encode())
    if size >= WARN_BYTES:
        yield _Finding(
            0,
            f"the e-mail has {size:,} bytes, {WARN_BYTES:,} are much and {MAX_BYTES:,} too many:"
            " Gmail would cut off its end",
            "shorten the issue, or make the template simpler",
            Severity.WARNING if size < MAX_BYTES else None,
        )


def _left_over(html: str) -> Iterator[_Finding]:
    for match in _LEFT_OVER.finditer(html):
        try:
            known = bool(slots.count(match[0]))
        except ValueError:
            known = False
        if not known:
            yield _Finding(
                match.start(),
                f"“{match[0]}” is left over in the e-mail",
                hint="MJML, Jinja or a slot that nothing filled: mend the template",
            )


def _links(html: str, site_url: str) -> Iterator[_Finding]:
    anchors = {
        value
        for _, _, name, value in _attributes(_blank_comments(html))
        if name in ("id", "name") and value
    }
    for at, _, name, value in _attributes(html):
        if name != "href":
            continue
        if value.startswith("#"):
            if value[1:] not in anchors:
                yield _Finding(at, f"the link {value} leads nowhere: no such anchor")
        elif not _is_absolute(value, site_url) and not re.match(r"mailto:[^\s@]+@[^\s@]+$", value):
            yield _Finding(
                at,
                f"the link “{value}” is not absolute",
                hint="in a mail a link is https://…, mailto:… or #anchor",
            )


def _pictures(html: str) -> Iterator[_Finding]:
    for match in _TAG.finditer(_blank_comments(html)):
        if match[1].lower() == "img" and not re.search(r"\salt\s*=", match[2]):
            yield _Finding(
                match.start(), "a picture has no alt text", hint='alt="" if it only decorates'
            )


def _third_party(html: str, site_url: str) -> Iterator[_Finding]:
    own = urlsplit(site_url).netloc
    loaded = [
        (at, address)
        for at, _, name, value in _attributes(html)
        if name in _LOADED
        for address in (_srcset(value) if name == "srcset" else [value])
    ]
    loaded += [(m.start(), m[1] or m[2] or "") for m in _CSS_ADDRESS.finditer(html)]
    for at, value in loaded:
        if not _is_absolute(value, site_url) or urlsplit(value).netloc != own:
            yield _Finding(
                at,
                f"the e-mail would load “{value}”",
                hint=f"a mail may load pictures from {own} only: opening it tells nobody else",
            )


def _srcset(value: str) -> list[str]:
    """The addresses of "a.png 1x, b.png 2x"."""
    return [part.split()[0] for part in value.split(",") if part.strip()]


def _slots(html: str, required: Set[Slot]) -> Iterator[_Finding]:
    present = {slot for slot in Slot if slot.marker in html}
    for slot in sorted(required - present):
        yield _Finding(
            0,
            f"the e-mail has no link to {slot.value.removesuffix('_url')}",
            hint=f"the template must print {{{{ slots.{slot.value} }}}}",
        )


def _active(html: str) -> Iterator[_Finding]:
    for match in _TAG.finditer(html):
        if _ACTIVE.fullmatch(match[1]):
            yield _Finding(match.start(), f"<{match[1]}> has no place in a mail")
    for at, tag, name, value in _attributes(html):
        if name.startswith("on") or re.match(
            r"\s*(javascript|vbscript|data):", value, re.IGNORECASE
        ):
            yield _Finding(at, f"<{tag}> carries a script in “{name}”")


def _is_absolute(value: str, site_url: str) -> bool:
    """An https address; the site's own may be http where it is this machine (see SiteConfig)."""
    return bool(re.match(r"https://[^\s/]+", value)) or value.startswith(site_url)


def _attributes(html: str) -> Iterator[tuple[int, str, str, str]]:
    """Place, tag, name and value of every attribute, conditional comments included."""
    for tag in _TAG.finditer(html):
        for match in _ATTRIBUTE.finditer(tag[2]):
            value = next((group for group in match.groups()[1:] if group is not None), "")
            yield tag.start(), tag[1].lower(), match[1].lower(), unescape(value)


def _blank_comments(html: str) -> str:
    """*html* with its comments blanked out; every place stays where it was."""
    return _COMMENT.sub(lambda match: " " * len(match[0]), html)


def _diagnostic(file: str, text: str, code: str, finding: _Finding) -> Diagnostic:
    rule = find_rule(code)
    assert rule is not None
    line = text.count("\n", 0, finding.at) + 1
    column = finding.at - text.rfind("\n", 0, finding.at)
    return Diagnostic(
        code=rule.code,
        name=rule.name,
        severity=finding.severity or rule.severity,
        message=finding.message,
        path=file,
        line=line,
        column=column,
        end_line=line,
        end_column=column,
        hint=finding.hint,
    )
