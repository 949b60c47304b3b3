"""Tell the furniture of a page from its content: titles, download lines, footers, credits.

Knows lines by what they say, never by where they stand; `content` decides where
the issue begins and ends.
"""

from __future__ import annotations

import re

from newsletter.issue.number import IssueNumber

_NUMBER = re.compile(
    r"\bVol(?:ume\b|s?\.|\b)\s*0*([0-9]{1,3})\s*"
    r"(?:[.]|[,/]?\s*(?:No|Nr|Number|Issue|\#)\b\.?\s*|\s*/\s*)\s*0*([0-9]{1,3})(?![0-9])",
    re.IGNORECASE,
)
_TITLE_CHARACTERS = 120
_LINE_CHARACTERS = 300

_SITES = r"(?:facebook|twitter|x|linkedin|whatsapp|e-?mail|print|instagram|youtube|rss|copy link)"
_MENU = r"(?:menu|search|close|open menu|toggle navigation|subscribe|sign up|donate|log ?in|home)"
_SECTIONS = r"(?:publications?|events?|programs?|news|about(?: us)?|contact(?: us)?)"
_POSTS = r"(?:posts?|publications?|articles?|content|issues?|news|stories)"
_LABELS = r"(?:headlines?|in this issue|top stories|bullets?|details?|summar(?:y|ies)|stories)"
_LEGAL = (
    r"(?:privacy (?:policy|notice)|site\s?map|terms of (?:use|service)|accessibility|cookie policy)"
)

# Each matches a whole line, and says enough that no headline could be taken for it.
_LINES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"download(?:\s+(?:this|the|a|as|full|pdf|our)\b.{0,80}|.{0,80}\bpdf\W*)?",
        r"download(?:\s+(?:here|now|publication|document|file|report|issue|digest))?\W*",
        r"(?:click|tap)\s+here\b.{0,60}",
        r"(?:view|open|get|read|print)\b.{0,60}\(?\bpdf\b\)?(?:\s+(?:here|version|file))?\W*",
        r"\(?pdf\)?(?:\s+(?:version|download|file))?\W*",
        r"print\s+(?:this\s+)?(?:page|article|publication|post)\W*",
        r"home\s*[>»›/|→].{0,150}",
        r"(?:copyright\s*)?(?:©|\(c\)\s).{0,200}",
        r"copyright\s+(?:19|20)[0-9]{2}\b.{0,100}",
        r"(?:19|20)[0-9]{2}\b.{0,80}\|.{0,120}",
        r".{0,80}\ball rights reserved\b.{0,80}",
        rf"{_LEGAL}(?:\s*[|·•].{{0,120}})?",
        rf".{{0,120}}[|·•]\s*{_LEGAL}",
        (
            r"(?:custom )?(?:wordpress|web\s?site|web|site)\b[^.]{0,60}?"
            r"(?:\b(?:design|theme|development|marketing|hosting)\b[^.]{0,20})?"
            r"\bby\s+\S+(?:\s\S+){0,2}"
        ),
        r"(?:powered|designed|built|developed) by\s+\S+(?:\s\S+){0,2}",
        rf"share(?: this(?: {_POSTS})?)?(?: (?:on|via|by) {_SITES})?\W*",
        rf"(?:{_SITES}\W*)+",
        r"(?:skip|back|jump) to\s+(?:main |the )?(?:content|top|navigation|search|footer|home)\W*",
        rf"(?:related|recent|similar|more|other|latest)\s+{_POSTS}\W*",
        rf"\W*(?:previous|next|older|newer)(?:\s+{_POSTS})?\W*",
        r"[«‹←].{0,100}|.{0,100}[»›→]",
        r"(?:read|learn|see|show|view)\s+(?:more|all|less)\W*",
        r"(?:tags?|categor(?:y|ies)|topics?|filed under|posted in)\s*:.{0,120}",
        rf"(?:{_MENU}|{_SECTIONS}|{_LABELS})\W*",
        r"leave a (?:reply|comment)\W*|(?:[0-9]+ )?comments?(?: are closed| off)?\W*",
        r"(?:we use|this (?:web)?site uses) cookies\b.{0,200}",
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+\.?",
        r"\W+",
    )
)

_ABOUT = (
    re.compile(
        r".{2,80}?\s(?:is|are)\s+(?:an?|the|our)\s+(?:\w+[\s,]+){0,2}?"
        r"(?:bi-?weekly|bi-?monthly|semi-?monthly|fortnightly|weekly|monthly|twice-monthly)\b"
        r".{0,60}\b(?:summary|digest|newsletter|bulletin|update|review|round-?up|publication)\b",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(
        r"to\s+(?:receive|subscribe\s+to|get|unsubscribe\s+from)\b.{0,100}"
        r"(?:\b(?:via|by|through)\s+e-?mail\b|,?\s*(?:please\s+)?contact\b)",
        re.IGNORECASE | re.DOTALL,
    ),
)
_FOOTER = re.compile(
    r"(?:©|\(c\)\s|copyright\s+(?:©|\(c\)|(?:19|20)[0-9]{2})|.{0,80}\ball rights reserved\b"
    r"|(?:19|20)[0-9]{2}\b.{0,80}\|"
    r"|privacy (?:policy|notice)(?:\s*\||$)|.{0,80}\|\s*privacy policy\b)",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"(?P<bracket>[(\[])?(?:image|photo|photograph|picture)s?\s*"
    r"(?:(?:sources?|credits?|by|courtesy(?:\s+of)?)\s*(?::|[-–—]\s|(?<=\bby)\s|(?<=courtesy of)\s)"
    r"|:)\s*(?P<who>\S.*?)(?(bracket)[)\]]|)",
    re.IGNORECASE | re.DOTALL,
)
_PHOTO_BY = re.compile(  # “U.S. Navy photo by …”: a credit as a whole
    r"(?P<bracket>[(\[])?(?P<who>(?:Official\s)?(?:U\.?S\.?(?:\s[A-Z]\w+){1,3}|White House|DoD|DOD"
    r"|NASA|State Department|Kyodo|AP|AFP|Reuters)\s(?:file\s)?[Pp]hoto\s(?:by|courtesy of)\s\S.*?)"
    r"(?(bracket)[)\]]|)",
    re.DOTALL,
)
_CAPTION_CREDIT = re.compile(
    r"(?:source|credits?|courtesy(?:\s+of)?)\s*:\s*(?P<who>\S.*)", re.I | re.S
)
_BARE_CREDIT = re.compile(r"credits?\s*:\s*(?P<who>\S.*)", re.I | re.S)


def number_in(text: str) -> IssueNumber | None:
    """The issue number in a title such as “… Vol 2.20”; None where there is none."""
    match = _NUMBER.search(text[:_LINE_CHARACTERS])
    if match is None or int(match[1]) == 0 or int(match[2]) == 0:
        return None
    return IssueNumber(int(match[1]), int(match[2]))


def is_title(text: str) -> bool:
    """Whether *text* is a line that names an issue, such as the title or a download line."""
    match = _NUMBER.search(text) if len(text) <= _TITLE_CHARACTERS else None
    if match is None:
        return False
    behind = text[match.end() :].strip()
    return not behind or re.match(r"[\W]|PDF\b", behind) is not None


def is_furniture(text: str) -> bool:
    """Whether *text* is a line that pages have and issues do not."""
    if is_title(text) or is_about(text):
        return True
    return len(text) <= _LINE_CHARACTERS and any(line.fullmatch(text) for line in _LINES)


def is_about(text: str) -> bool:
    """Whether *text* is the standard text under every issue; the content ends before it."""
    return len(text) <= 800 and any(about.match(text) for about in _ABOUT)


def is_footer(text: str) -> bool:
    """Whether *text* is the copyright line of the site; the content ends before it."""
    return len(text) <= _LINE_CHARACTERS and _FOOTER.match(text) is not None


def credit_in(text: str, *, caption: bool = False) -> tuple[int, int] | None:
    """Start and end of the name behind “Image Source:”; None where *text* is no credit line.

    In a *caption*, “Source:” alone is enough.
    """
    if len(text) > _LINE_CHARACTERS:
        return None
    patterns = (_CREDIT, _BARE_CREDIT, _PHOTO_BY, *([_CAPTION_CREDIT] if caption else []))
    for pattern in patterns:
        match = pattern.fullmatch(text)
        if match is not None:
            return match.span("who")
    return None
