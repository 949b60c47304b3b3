"""What a subscriber's fields may hold. Each check returns the value in its one form.

Refuses what could break a header or hide in a list: control characters, line
separators, bidirectional controls. Raises ValueError that says why.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from newsletter.email_address import normalized

MAX_NAME = 200  # characters
MAX_TAG = 64
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def address_of(text: str) -> str:
    """The address as it is written to: domain in lower case, local part as given, in ASCII."""
    return normalized(text, ascii_only=True)  # few servers take another local part (RFC 6531)


def name_of(text: str) -> str:
    """Spaces around it are dropped. May be empty."""
    text = text.strip(" ")
    if len(text) > MAX_NAME:
        raise ValueError(f"the name has more than {MAX_NAME} characters")
    _refuse_hidden(text, "name")
    return text


def tag_of(text: str) -> str:
    """Letter case counts; spaces around it do not."""
    text = unicodedata.normalize("NFC", text.strip(" "))
    if not text:
        raise ValueError("a tag is empty")
    if len(text) > MAX_TAG:
        raise ValueError(f"a tag has more than {MAX_TAG} characters")
    if "," in text or ";" in text:
        raise ValueError(f"the tag “{text}” holds a comma or a semicolon: these separate tags")
    _refuse_hidden(text, "tag")
    return text


def language_of(text: str) -> str:
    """A tag as in BCP 47, or nothing. The form is checked, not the registry."""
    text = text.strip(" ")
    if text and not (len(text) <= 35 and _LANGUAGE.fullmatch(text)):
        raise ValueError("the language is not written as in “en” or “pt-BR”")
    return text


def time_zone_of(text: str) -> str:
    """A name of the IANA time zone database, or nothing."""
    text = text.strip(" ")
    if text and text not in _time_zones():
        raise ValueError("the time zone is not written as in “America/New_York”")
    return text


@cache
def _time_zones() -> frozenset[str]:
    from zoneinfo import available_timezones  # reads a folder tree

    return frozenset(available_timezones())


def format_of(text: str) -> str:
    """“html”, “text”, or nothing."""
    text = text.strip(" ").lower()
    if text not in ("", "html", "text"):
        raise ValueError("the format is neither “html” nor “text”")
    return text


def text_of(text: str) -> str:
    """Free text: a reason, a wording, what to look for. Line breaks and tabs may stand in it."""
    for char in text:
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t":
            raise ValueError(f"the text holds the control character U+{ord(char):04X}")
    return text


def _refuse_hidden(text: str, what: str) -> None:
    if text.isascii() and text.isprintable():
        return
    for char in text:
        if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") or _is_bidi_control(char):
            raise ValueError(f"the {what} holds the control character U+{ord(char):04X}")


def _is_bidi_control(char: str) -> bool:
    # Unicode PropList, Bidi_Control; the marks U+061C, U+200E, U+200F occur in honest names.
    return "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"
