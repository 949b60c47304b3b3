"""What several rules need to know of a document; no rule itself."""

from __future__ import annotations

import re
from datetime import date

from newsletter.issue.document import Document
from newsletter.issue.number import IssueNumber


def issue_number(document: Document) -> IssueNumber | None:
    """The number, None where it is missing or malformed: other rules say so."""
    try:
        return IssueNumber.parse((document.value("issue") or "").strip())
    except ValueError:
        return None


def issue_date(document: Document) -> date | None:
    """The date, None where it is missing or malformed: other rules say so."""
    value = (document.value("date") or "").strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def same_words(text: str) -> str:
    """*text* as it is compared: without letter case, kinds of quotes and of spaces."""
    plain = text.translate({ord("“"): '"', ord("”"): '"', ord("‘"): "'", ord("’"): "'"})
    return " ".join(plain.casefold().split())
