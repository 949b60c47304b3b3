"""Take the picture of a source for the hero, from the disk and from nowhere else.

Refuses to fetch: an address on the web is named to the editor. What a picture must
be to be sent is for the rules of `check`; here it only has to be one.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from newsletter.errors import StorageError
from newsletter.issue.folder import read_regular
from newsletter.issue.importer.blocks import Image, Note, Place

PICTURE = "NL908"

MAX_BYTES = 20_000_000
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}
ADD = "save the picture as hero.jpg in the issue's folder and write ![what it shows](hero.jpg)"


@dataclass(frozen=True, slots=True)
class Picture:
    """A hero that the source brings along."""

    file: str
    data: bytes
    alt: str
    place: Place


def take(images: Sequence[Image], folder: Path, notes: list[Note]) -> Picture | None:
    """The first of *images* that can be had; *folder* is that of the source.

    Adds a note for each that was left out.
    """
    taken: Picture | None = None
    for image in images:
        if taken is not None:
            message = f"a second picture was left out{_named(image)}"
            notes.append(Note(PICTURE, image.place, message, "an issue has one picture"))
            continue
        data = image.data if image.data is not None else _at_address(image, folder, notes)
        if data is None:
            continue
        suffix = _suffix(data)
        if suffix is None:
            message = f"the picture was left out{_named(image)}: it is no whole JPEG, PNG or WebP"
            notes.append(Note(PICTURE, image.place, message, ADD))
            continue
        taken = Picture(f"hero{suffix}", data, image.alt, image.place)
    return taken


def _named(image: Image) -> str:
    if not image.address:
        return ""
    address = image.address if len(image.address) <= 200 else image.address[:197] + "…"
    return f" ({address})"


def _at_address(image: Image, folder: Path, notes: list[Note]) -> bytes | None:
    address = image.address.strip()
    if address.lower().startswith("data:"):
        data = _embedded(address)
        if data is None:
            message = "a picture inside the page was left out: it cannot be read"
            notes.append(Note(PICTURE, image.place, message, ADD))
        return data
    if "//" in address[:8] or ":" in address.partition("/")[0]:
        message = f"the picture was not fetched: {_named(image)[2:-1]}"
        notes.append(Note(PICTURE, image.place, message, ADD))
        return None
    name = unquote(address.partition("?")[0].partition("#")[0])
    try:
        data = read_regular(folder / name, folder, MAX_BYTES + 1)
    except StorageError as error:
        message = f"the picture was left out: {error.message}"
        notes.append(Note(PICTURE, image.place, message, ADD))
        return None
    if len(data) > MAX_BYTES:
        message = f"the picture was left out{_named(image)}: it has more than 20 MB"
        notes.append(Note(PICTURE, image.place, message, "make it smaller, then add it by hand"))
        return None
    return data


def _embedded(address: str) -> bytes | None:
    head, _, body = address.partition(",")
    if not head.lower().endswith(";base64"):
        return None
    try:
        return base64.b64decode(unquote(body), validate=False)
    except (binascii.Error, ValueError):
        return None


def _suffix(data: bytes) -> str | None:
    """The suffix for a picture of a kind that mail clients show; reads no more than its header."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(io.BytesIO(data), formats=list(_SUFFIXES)) as picture:
                return _SUFFIXES.get(picture.format or "")
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return None
