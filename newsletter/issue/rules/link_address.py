"""NL130 link-address: A link leads nowhere, or to where a reader should not be led.

Links are whole addresses that begin with https:// or mailto:. Mail programs open
nothing else safely, and a relative address means nothing in a mail.

Wrong:

    [the statement](www.example.org/statement)
    [the statement](http://example.org/statement)

Right:

    [the statement](https://example.org/statement)
    [the desk](mailto:desk@example.org)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import shortened, texts

CODE = "NL130"
SEVERITY = Severity.ERROR

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]\.?", re.I)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HTTPS = "write the whole address, as in https://example.org/page"


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the words that are the link."""
    for prose in texts(document):
        at, previous = 0, None
        for run in prose.runs:
            end = at + len(run.text)
            if run.href is not None and run.href != previous:
                trouble = _trouble(run.href)
                if trouble is not None:
                    yield Finding(prose.span(at, end), *trouble)
            at, previous = end, run.href


def _trouble(href: str) -> tuple[str, str] | None:
    from markdown_it.common.normalize_url import normalizeLinkText

    shown = shortened(normalizeLinkText(href))
    if not href.strip():
        return "this link leads nowhere", _HTTPS
    scheme = _SCHEME.match(href)
    if scheme is None:
        return f"“{shown}” is not a whole address", _HTTPS
    match scheme[1].lower():
        case "https":
            return _web_trouble(href, shown)
        case "mailto":
            return _mail_trouble(href, shown)
        case "http":
            return f"“{shown}” is not encrypted", "use https://; nearly every site answers there"
        case other:
            return (
                f"a link of the kind “{shortened(other)}:” is refused",
                "link with https: or mailto:",
            )


def _web_trouble(href: str, shown: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(href)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return f"“{shown}” is not a web address", _HTTPS
    if "@" in parts.netloc:
        return f"“{shown}” holds a user name, as in deceptive links", _HTTPS
    # “https://…” of a text that was never filled in becomes a host without a point.
    if not _HOST.fullmatch(host):
        return f"“{shown}” names no site", _HTTPS
    return None


def _mail_trouble(href: str, shown: str) -> tuple[str, str] | None:
    from email_validator import EmailNotValidError, validate_email

    address = unquote(href.partition(":")[2].partition("?")[0])
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return f"“{shown}” holds no mail address", "write it as in mailto:desk@example.org"
    return None
