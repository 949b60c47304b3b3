"""The preview: one page that shows every form of an edition side by side.

Works from the disk without a server and without a network: the pictures stand in
the page itself and no frame may run a script. Refuses to be mail: the reader's
places hold those of a sample reader.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default as default_policy
from pathlib import Path

from newsletter.compose import gates, images, slots
from newsletter.compose.edition import PREVIEW, Edition, sample_recipient, write
from newsletter.compose.environment import environment, render
from newsletter.compose.print import page_pictures

PAGES = Path(__file__).parent / "pages"
TEMPLATE = "preview.html.j2"
PAGE_PPI = 144  # twice what is shown, for sharp screens

# Clients with a dark scheme obey these rules, all others pass them over.
_DARK_RULES = re.compile(r"@media[^{;]*\(\s*prefers-color-scheme\s*:\s*dark\s*\)[^{;]*")

_PICTURE_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}

_SHOWN_HEADERS = ("From", "To", "Subject", "Date", "List-Unsubscribe", "List-Unsubscribe-Post")


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A file of the edition and whether it is light enough; *limit* in bytes, 0 for none."""

    name: str
    size: int
    limit: int = 0

    @property
    def heavy(self) -> bool:
        return 0 < self.limit < self.size


def write_preview(edition: Edition, templates: Path, to: Path) -> Path:
    """Write the edition and `preview.html` into the folder *to*; return the page's path.

    *templates* are those that the edition was composed with: the pages of the PDF are
    drawn once more, since not every browser shows a PDF inside a page.

    Raises:
        StorageError: as for `edition.write`.
    """
    page = preview_page(edition, templates).encode()
    write(edition, to, beside={PREVIEW: page})
    return to / PREVIEW


def preview_page(edition: Edition, templates: Path) -> str:
    """Give the page that stands beside the files of *edition*."""
    html = edition.files["email.html"].decode()
    values = sample_recipient(edition.view).values
    mail = slots.fill(_with_pictures(html, edition), values, escape=True)
    return render(
        environment(PAGES, html=True),
        TEMPLATE,
        view=edition.view,
        hash=edition.hash,
        headers=_headers(edition.files["message.eml"]),
        weights=_weights(edition),
        findings=edition.findings,
        light=_DARK_RULES.sub("@media not all ", mail),
        dark=_DARK_RULES.sub("@media all ", mail),
        web=_with_pictures(edition.files["web.html"].decode(), edition),
        text=slots.fill(edition.files["email.txt"].decode(), values, escape=False),
        pages=[_data_address("image/png", page) for page in _pdf_pages(edition, templates)],
    )


def _pdf_pages(edition: Edition, templates: Path) -> list[bytes]:
    pictures = {
        name: data for name, data in edition.files.items() if Path(name).suffix in _PICTURE_TYPES
    }
    return page_pictures(edition.view, templates, pictures, ppi=PAGE_PPI)


def _with_pictures(html: str, edition: Edition) -> str:
    """Put the pictures into the text itself: a frame without rights may load no file."""
    for name, data in edition.files.items():
        kind = _PICTURE_TYPES.get(Path(name).suffix)
        if kind is None:
            continue
        inside = f'src="{_data_address(kind, data)}"'
        for address in (edition.view.issue_url + name, name):
            html = html.replace(f'src="{address}"', inside)
    return html


def _data_address(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _headers(message: bytes) -> Sequence[tuple[str, str]]:
    parsed = message_from_bytes(message, policy=default_policy)
    return [(name, str(parsed[name])) for name in _SHOWN_HEADERS if parsed[name] is not None]


def _weights(edition: Edition) -> Sequence[Weight]:
    limits = {
        "email.html": gates.WARN_BYTES,
        "hero.jpg": images.MAX_BYTES,
        "hero.png": images.MAX_BYTES,
    }
    return [
        Weight(name=name, size=len(data), limit=limits.get(name, 0))
        for name, data in edition.files.items()
    ]
