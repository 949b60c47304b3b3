"""Which fonts the PDF may use, and whether they have every character of an issue.

Typst's own fonts are the same on every machine; so are those in the workspace's
`templates/print/fonts`. A font of the system is taken only for Japanese, Chinese
and Korean characters that none of these has. Refuses to guess: a character that
no font has is an error that names it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import NewsletterError
from newsletter.issue.folder import shown

if TYPE_CHECKING:
    import typst

FOLDER = "fonts"  # below templates/print
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")

# In order of preference: a serif beside a serif, Japanese forms of shared characters.
EAST_ASIAN_FAMILIES = (
    "Noto Serif CJK JP",
    "Noto Serif JP",
    "Source Han Serif",
    "IPAexMincho",
    "IPAMincho",
    "Hiragino Mincho ProN",
    "Yu Mincho",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Source Han Sans",
    "IPAexGothic",
    "IPAGothic",
    "TakaoGothic",
    "VL Gothic",
    "Droid Sans Fallback",
)

# Typst reports each character that it cannot show; without PDF/UA it would print a box.
_PROBE = """
#set document(title: "probe")
#set text(font: json(bytes(sys.inputs.families)))
#for character in json(bytes(sys.inputs.characters)) { text(character); parbreak() }
"""
_UNSHOWN = re.compile(r'the text `("(?:[^"\\]|\\.)*")` could not be displayed')
_MAIN_FAMILY = "Libertinus Serif"


@dataclass(frozen=True)
class Typefaces:
    """*fallback* names the families that the template asks after its own."""

    fonts: typst.Fonts
    fallback: tuple[str, ...] = ()


def typefaces_for(characters: Iterable[str], folder: Path) -> Typefaces:
    """Choose fonts that have all *characters*; *folder* holds the workspace's own, if any.

    Raises:
        NewsletterError: no font has some of them; it says which and what to do.
    """
    own = _own_fonts(folder)
    # ASCII and white space need no proof; control characters never get this far.
    special = frozenset(c for c in characters if c > "\x7f" and not c.isspace())
    missing = _missing(special, own)
    if not missing:
        return Typefaces(_load(own))
    if any(map(_is_east_asian, missing)):
        for family, path in _east_asian_fonts():
            with_system = (*own, path.parent)
            left = _missing(special, with_system, (family,))
            if not left:
                return Typefaces(_load(with_system), (family,))
            missing = min(missing, left, key=len)
    hints = []
    if any(map(_is_east_asian, missing)):
        hints.append("apt-get install fonts-noto-cjk")
    if not all(map(_is_east_asian, missing)):
        hints.append(f"write it otherwise, or put a font that has it into {shown(folder)}")
    raise NewsletterError(f"no font has {_listing(missing)}", hint="; ".join(hints))


def _is_east_asian(character: str) -> bool:
    name = unicodedata.name(character, "")
    return name.startswith(
        ("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH", "IDEOGRAPHIC", "HANGUL")
    )


def _listing(characters: frozenset[str]) -> str:
    shown_first = [f"“{c}” (U+{ord(c):04X})" for c in sorted(characters)[:12]]
    more = len(characters) - len(shown_first)
    return ", ".join(shown_first) + (f" and {more} more characters" if more else "")


def _own_fonts(folder: Path) -> tuple[Path, ...]:
    has_fonts = folder.is_dir() and any(
        path.suffix.lower() in SUFFIXES for path in folder.iterdir()
    )
    return (folder,) if has_fonts else ()


def _load(folders: tuple[Path, ...]) -> typst.Fonts:
    return _load_as_of(folders, _state(folders))


def _state(folders: Iterable[Path]) -> tuple[tuple[str, int, int], ...]:
    """What tells that a font was added or changed."""
    return tuple(
        (str(path), path.stat().st_mtime_ns, path.stat().st_size)
        for folder in folders
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES
    )


@lru_cache(maxsize=4)
def _load_as_of(folders: tuple[Path, ...], state: object) -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder) for folder in folders])


def _missing(
    characters: frozenset[str], folders: tuple[Path, ...], families: tuple[str, ...] = ()
) -> frozenset[str]:
    return _probe(characters, folders, families, _state(folders)) if characters else characters


@lru_cache(maxsize=64)
def _probe(
    characters: frozenset[str], folders: tuple[Path, ...], families: tuple[str, ...], state: object
) -> frozenset[str]:
    import typst

    try:
        typst.compile(
            _PROBE.encode(),
            font_paths=_load(folders),
            ignore_system_fonts=True,
            sys_inputs={
                "families": json.dumps([_MAIN_FAMILY, *families]),
                "characters": json.dumps(sorted(characters)),
            },
            pdf_standards=["ua-1"],
        )
    except typst.TypstError as error:
        unshown = "".join(_UNSHOWN.findall(error.diagnostic))
        found = frozenset(c for c in characters if c in unshown or _escaped(c) in unshown)
        return found or characters
    return frozenset()


def _escaped(character: str) -> str:
    """As Rust's debug form writes what it does not print."""
    return f"\\u{{{ord(character):x}}}"


@lru_cache(maxsize=1)
def _east_asian_fonts() -> tuple[tuple[str, Path], ...]:
    """Families of this system, best first, each with its file."""
    import typst

    found = {
        font.family: Path(font.path)
        for font in typst.Fonts(include_embedded_fonts=False).fonts()
        if font.path
    }
    return tuple((family, found[family]) for family in EAST_ASIAN_FAMILIES if family in found)
