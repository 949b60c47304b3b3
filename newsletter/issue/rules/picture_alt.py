"""NL123 picture-alt: The picture has no description, or one that describes nothing.

Between the square brackets stands what the picture shows, in one sentence: it is
read aloud to those who cannot see it, and shown where pictures are blocked.

Wrong:

    ![photo](hero.jpg)

Right:

    ![The two ministers shake hands in front of their flags](hero.jpg)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.rules import Context, Finding
from newsletter.issue.texts import alt_prose, shortened

CODE = "NL123"
SEVERITY = Severity.ERROR

_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|webp|gif|heic|tiff?)|(?:img|dscn?|pxl)[-_ ]?\d+", re.IGNORECASE
)
# fmt: off
_EMPTY_WORDS = frozenset((
    "a", "an", "the", "of", "alt", "text", "image", "images", "img", "picture", "photo",
    "photograph", "pic", "hero", "cover", "graphic", "figure", "logo", "banner", "untitled",
    "placeholder", "description", "caption", "describe", "what", "it", "shows", "here", "todo",
    "tbd",
))
# fmt: on


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Point at the picture, or at the words that say nothing."""
    picture = document.picture
    if picture is None:
        return
    alt = picture.alt.strip()
    hint = "say what it shows, as in ![Two ministers shake hands](hero.jpg)"
    words = re.findall(r"[^\W_]+", alt.lower())
    if not words:
        yield Finding(picture.span, "the picture has no description", hint)
    elif _FILE_NAME.fullmatch(alt) or alt.lower() == Path(picture.file).stem.lower():
        message = f"the description of the picture is a file name: “{shortened(alt)}”"
        yield Finding(alt_prose(document).whole, message, hint)
    elif all(word in _EMPTY_WORDS or word.isdigit() for word in words):
        message = f"“{shortened(alt)}” does not describe the picture"
        yield Finding(alt_prose(document).whole, message, hint)
