"""Look at the hero picture: is it there, inside the issue's folder, and whole?

Decodes nothing above the pixel limit, follows no link out of the folder and
never writes; scaling it for readers is the composer's.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from stat import S_ISREG

from newsletter.issue.texts import shortened

MAX_FILE_BYTES = 20_000_000
MAX_PIXELS = 36_000_000  # a press photo has 6 to 24 million
MIN_WIDTH = 552  # pixels, as the mail shows it
IDEAL_WIDTH = 1104  # pixels: sharp on dense screens
FORMATS = ("JPEG", "PNG", "WEBP")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
EXPORT = "open it in a picture editor and export it again as JPEG"
SAVE_SMALLER = "save it smaller: 2,000 pixels wide is plenty"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Why a picture cannot be used, and what to do about it."""

    message: str
    hint: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Width and height in pixels, as a reader sees it upright."""

    width: int
    height: int


def place(folder: Path, file: str) -> Path | Trouble:
    """Find *file* as a regular file below *folder*."""
    refused = _refused_name(file)
    if refused is not None:
        return refused
    path = folder / file
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            return Trouble(
                message=f"the picture “{file}” leads out of the issue's folder",
                hint="put the file itself beside issue.md, not a link",
            )
        status = real.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Trouble(message=f"the picture “{file}” is missing", hint=_missing(folder, file))
    except RuntimeError:
        return Trouble(
            message=f"the picture “{file}” is a link that leads in a circle",
            hint="put the file itself beside issue.md",
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name cannot be used"
        return Trouble(
            message=f"the picture “{shortened(file)}” cannot be read: {reason}",
            hint="put a JPEG file with a plain name beside issue.md",
        )
    if not S_ISREG(status.st_mode):
        return Trouble(message=f"“{file}” is not a file", hint="name a JPEG, PNG or WebP file")
    return real


def _refused_name(file: str) -> Trouble | None:
    if not file.strip():
        return Trouble(
            message="the picture names no file", hint="write it as in ![What it shows](hero.jpg)"
        )
    if _SCHEME.match(file):
        return Trouble(
            message=f"the picture “{file}” is an address, expected a file of the issue's folder",
            hint="save the picture beside issue.md and name it: ![What it shows](hero.jpg)",
        )
    parts = re.split(r"[/\\]", file)
    if parts[0] == "" or ".." in parts:
        return Trouble(
            message=f"the picture “{file}” lies outside the issue's folder",
            hint="copy it beside issue.md and write its name alone",
        )
    if not file.isprintable():
        return Trouble(
            message="the picture's file name holds a control character", hint="rename the file"
        )
    return None


def _missing(folder: Path, file: str) -> str:
    try:
        there = sorted(
            path.name
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and path.is_file()
        )
    except OSError:
        there = []
    if not there:
        return "put the file beside issue.md, or take the picture's line out"
    lower = {name.lower(): name for name in there}
    near = get_close_matches(file.lower(), lower, 1)
    if near:
        return f"did you mean “{lower[near[0]]}”?"
    return "pictures in this folder: " + ", ".join(there[:5])


def measure(path: Path, file: str) -> Measured | Trouble:
    """Read the whole picture at *path*, found by `place`; *file* is how the editor names it."""
    try:
        status = path.stat()
    except OSError as error:
        return Trouble(message=f"the picture “{file}” cannot be read: {error.strerror}")
    if status.st_size > MAX_FILE_BYTES:
        return Trouble(
            message=f"the picture “{file}” has {status.st_size / 1e6:,.0f} MB, "
            f"more than {MAX_FILE_BYTES // 1_000_000} MB",
            hint=SAVE_SMALLER,
        )
    return _measure(str(path), file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=256)
def _measure(path: str, file: str, changed: int, size: int) -> Measured | Trouble:
    """Remembered for as long as the file does not change (*changed* in nanoseconds, *size*)."""
    from PIL import Image, UnidentifiedImageError

    if size == 0:
        return Trouble(message=f"the picture “{file}” is an empty file", hint="save it again")
    try:
        with warnings.catch_warnings():
            # MAX_PIXELS is the lower limit; Pillow's warning would come before it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    return _too_many_pixels(file, f"{width:,} × {height:,} pixels")
                # A JPEG is read to its end, but decoded at an eighth of its size.
                image.draft("RGB", (1, 1))
                image.load()
                sideways = image.getexif().get(0x0112, 1) >= 5
    except UnidentifiedImageError:
        return _no_picture(Path(path), file)
    except Image.DecompressionBombError:
        return _too_many_pixels(file, "far too many pixels")
    except MemoryError:
        return _too_many_pixels(file, "too many pixels for this machine")
    except PermissionError as error:
        return Trouble(
            message=f"the picture “{file}” cannot be read: {error.strerror}",
            hint="look at its permissions",
        )
    # Pillow's decoders raise whatever a damaged file makes them trip over.
    except Exception as error:
        reason = str(error).partition("\n")[0][:120] or type(error).__name__
        return Trouble(message=f"the picture “{file}” is damaged: {reason}", hint=EXPORT)
    if sideways:
        width, height = height, width
    return Measured(width=width, height=height)


def _too_many_pixels(file: str, what: str) -> Trouble:
    return Trouble(
        message=f"the picture “{file}” has {what}, more than {MAX_PIXELS // 1_000_000} million",
        hint=SAVE_SMALLER,
    )


_SIGNATURES = (
    (re.compile(rb"GIF8"), "a GIF"),
    (re.compile(rb"BM"), "a BMP"),
    (re.compile(rb"II\*\0|MM\0\*"), "a TIFF"),
    (re.compile(rb"....ftyp(?:heic|heix|mif1)", re.DOTALL), "a HEIC photo"),
    (re.compile(rb"....ftypavif", re.DOTALL), "an AVIF picture"),
    (re.compile(rb"%PDF"), "a PDF"),
    (re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<svg", re.IGNORECASE), "an SVG drawing"),
    (re.compile(rb"\s*<(?:!doctype )?html", re.IGNORECASE), "a web page"),
)


def _no_picture(path: Path, file: str) -> Trouble:
    try:
        with path.open("rb") as stream:
            head = stream.read(200)
    except OSError:
        head = b""
    found = next((name for pattern, name in _SIGNATURES if pattern.match(head)), None)
    what = f"is {found}, expected JPEG, PNG or WebP" if found else "is no JPEG, PNG or WebP picture"
    return Trouble(message=f"the picture “{file}” {what}", hint=EXPORT)
