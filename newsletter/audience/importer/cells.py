"""What single cells mean: addresses, tags, languages, times, in the forms that exports use.

Each function returns the value in our form, or raises ValueError that says why not.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

from newsletter.audience import fields as checks
from newsletter.audience.identity import identity_of
from newsletter.email_address import normalized

MAX_ADDRESS = 320  # characters: more than any that is valid, so that a long one costs nothing
MAX_TAGS = 100
MAX_TEXT = 2_000  # characters of a wording, a page or a source
SPACES = " \t"  # dropped around a cell; other white space is a fault

# What `export` puts before a formula comes off again: see `newsletter.audience.export`.
FORMULA = re.compile(r"'(?='*[=+\-@\t\r\n＝＋－＠])")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?=.)|$)){4}")


def address_and_identity(text: str) -> tuple[str, str]:
    """The address as it is written to, and `identity_of` it. Raises ValueError that says why."""
    if not text:
        raise ValueError("it is empty")
    if len(text) > MAX_ADDRESS:
        raise ValueError(f"it has more than {MAX_ADDRESS} characters")
    local, at, domain = text.rpartition("@")
    # In lower case it is mostly of the plain form that needs no long look.
    email = normalized(f"{local}{at}{domain.lower()}", ascii_only=True)
    return email, (email if email.isascii() else identity_of(email))


def is_plain_text(text: str) -> bool:
    """Whether *text* can stand in a consent: printable, or tabs and line breaks."""
    return len(text) <= MAX_TEXT and (text.isprintable() or "".join(text.split()).isprintable())


def bare(text: str) -> str:
    """Without spaces around it and the apostrophe before a formula."""
    text = text.strip(SPACES)
    return text[1:] if text[:1] == "'" and FORMULA.match(text) else text


def without_address(reason: str) -> str:
    """*reason* with addresses masked; “@-sign”, a word of email-validator's, is none."""
    return re.sub(r"(?!@-sign\b(?!\.\w))\S*@\S{2,}", "…", reason).rstrip(".")


def language_of(text: str) -> str:
    """BCP 47, where the export wrote en_US too."""
    return checks.language_of(text.replace("_", "-"))


def tags_of(text: str) -> tuple[str, ...]:
    """`a, b`, `a;b`, `"a","b"`, `["a", "b"]`, `['a']`; a comma inside a tag becomes a space."""
    if text.startswith("["):
        for form in (text, text.replace("'", '"')):
            try:
                return _tags([str(part) for part in json.loads(form)])
            except (ValueError, TypeError, RecursionError):
                pass  # a tag may begin with a bracket
    delimiter = "," if "," in text or ";" not in text else ";"
    try:
        return _tags(next(csv.reader([text], delimiter=delimiter, skipinitialspace=True), []))
    except csv.Error:
        raise ValueError("the tags hold a line break") from None


def _tags(parts: Sequence[str]) -> tuple[str, ...]:
    names = [re.sub(r"\s*[,;]\s*", " ", part).strip() for part in parts]
    if len(names) > MAX_TAGS:
        raise ValueError(f"there are more than {MAX_TAGS} tags")
    return tuple(dict.fromkeys(checks.tag_of(name) for name in names if name))


def ip_of(text: str) -> str:
    """An IPv4 or IPv6 address in its one spelling."""
    if _IPV4.fullmatch(text):
        return text  # ipaddress takes ten times as long
    return str(ip_address(text))


def moment_of(text: str) -> datetime | None:
    """ISO 8601, UTC if it does not say otherwise, or Unix seconds or milliseconds; else None."""
    try:
        if text.isascii() and text.isdigit() and len(text) in (10, 13):  # seconds or milliseconds
            seconds = int(text) / (1 if len(text) == 10 else 1_000)
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
