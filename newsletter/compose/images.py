"""The hero picture: from the issue's folder to the file that readers load.

Turns it upright, drops the metadata (a press photo may carry places and names),
converts to sRGB and shrinks it to twice its width in the mail. Refuses to crop,
to enlarge, and to decode what is not plainly a picture of bearable size.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.compose.view import PictureSize
from newsletter.errors import ContentError
from newsletter.issue.folder import read_regular, shown
from newsletter.issue.model import Hero
from newsletter.issue.picture import (
    EXPORT,
    FORMATS,
    IDEAL_WIDTH,
    MAX_FILE_BYTES,
    MAX_PIXELS,
    SAVE_SMALLER,
)

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

MAX_WIDTH = IDEAL_WIDTH  # pixels: twice what the mail shows
MAX_HEIGHT = 1656  # pixels: a portrait must not push the headlines off two screens
MAX_BYTES = 200_000  # of the file that readers load

_FLAT_COLORS = 256  # a PNG with no more is a chart or a logo; JPEG would smear it
_QUALITIES = (86, 82, 78, 72, 66, 60, 52, 44)
_SHRINK = 0.85  # of the width, where even the lowest quality is too heavy


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The hero as the edition carries it; *source_hash* is SHA-256 of the editor's file."""

    size: PictureSize
    data: bytes
    source_hash: str


def prepare_hero(hero: Hero, folder: Path) -> Picture:
    """Read the hero from the issue's *folder* and make it fit to publish.

    The same file gives the same bytes.

    Raises:
        StorageError: it is missing, unreadable or leads out of the folder.
        ContentError: it is no picture, damaged, or too large.
    """
    path = folder / hero.file
    source = read_regular(path, folder, MAX_FILE_BYTES + 1)
    if len(source) > MAX_FILE_BYTES:
        raise ContentError(
            f"{shown(path)} has more than {MAX_FILE_BYTES // 1_000_000} MB",
            hint=SAVE_SMALLER,
        )
    try:
        return _prepare(source)
    except _TooLargeError as error:
        raise ContentError(
            f"{shown(path)} has {error} pixels, more than {MAX_PIXELS // 1_000_000} million",
            hint=SAVE_SMALLER,
        ) from error
    # Pillow's decoders raise whatever a damaged file makes them trip over.
    except Exception as error:
        raise ContentError(
            f"{shown(path)} is not a sound JPEG, PNG or WebP picture",
            hint=EXPORT,
        ) from error


class _TooLargeError(Exception):
    """The message says how many pixels it has."""


@lru_cache(maxsize=4)  # of up to 20 MB each
def _prepare(source: bytes) -> Picture:
    image = _open(source)
    flat = image.format == "PNG" and _upright_width(image) <= MAX_WIDTH
    upright = _opaque(_srgb(_upright(image)))
    upright.thumbnail((MAX_WIDTH, MAX_HEIGHT), _lanczos(), reducing_gap=3.0)
    file, data = "hero.jpg", b""
    if flat:
        data = _flat_png(upright)
        file = "hero.png" if data else file
    if not data:
        upright, data = _jpeg(upright)
    width, height = upright.size
    return Picture(
        size=PictureSize(file=file, width=width, height=height),
        data=data,
        source_hash=hashlib.sha256(source).hexdigest(),
    )


def _open(source: bytes) -> Image:
    """Open and decode; a JPEG no larger than needed."""
    from PIL import Image

    with warnings.catch_warnings():
        # Ours is the lower limit; Pillow's warning would come before it.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(source), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _TooLargeError(f"{width:,} × {height:,}")
    longest = max(MAX_WIDTH, MAX_HEIGHT)  # it may yet be turned
    image.draft("RGB", (longest, longest))
    image.load()
    return image


def _upright_width(image: Image) -> int:
    width, height = image.size
    return height if image.getexif().get(0x0112, 1) >= 5 else width


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _srgb(image: Image) -> Image:
    """Convert to RGB or RGBA by the embedded profile; a broken profile counts as none."""
    from PIL import ImageCms

    if image.mode.startswith("I"):  # 16 bits a channel; convert() alone would clip to white
        image = image.point(lambda value: value / 256).convert("L")
    alpha = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGBA" if alpha else "RGB")


def _opaque(image: Image) -> Image:
    """Lay it on white: in dark mode a transparent chart would lose its black lines."""
    from PIL import Image

    if image.mode != "RGBA":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _lanczos() -> Resampling:
    from PIL.Image import Resampling

    return Resampling.LANCZOS


def _flat_png(image: Image) -> bytes:
    """A palette PNG without loss, or nothing where the picture is not flat or not light."""
    if image.getcolors(_FLAT_COLORS) is None:
        return b""
    file = io.BytesIO()
    _bare(image).save(file, "PNG", optimize=True)
    return file.getvalue() if file.tell() <= MAX_BYTES else b""


def _jpeg(image: Image) -> tuple[Image, bytes]:
    """The best of the steps that is light enough, and the picture it shows."""
    while True:
        for data in _jpegs(image):
            if len(data) <= MAX_BYTES or min(image.size) < 2:
                return image, data
        width, height = (max(1, int(side * _SHRINK)) for side in image.size)
        image = image.resize((width, height), _lanczos())


def _jpegs(image: Image) -> Iterator[bytes]:
    for quality in _QUALITIES:
        file = io.BytesIO()
        _bare(image).save(
            file, "JPEG", quality=quality, progressive=True, optimize=True, subsampling="4:2:0"
        )
        yield file.getvalue()


def _bare(image: Image) -> Image:
    """The pixels alone: what Pillow keeps in `info` would go into the file."""
    from PIL import Image

    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare
