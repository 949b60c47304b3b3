"""NL206 issue-length: The whole issue is too short, or too long for two pages.

The sum of all headlines and bullets is the real limit of an issue, whatever the
length of each.

    wrong: five bullets of 140 words
    right: one of 140 words, the others of some 90

Thresholds in newsletter.toml, section [check]: issue_min_words, issue_max_words.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import word_count
from newsletter.issue.model import ITEMS
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import bullets, passages

CODE = "NL206"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Count all words; too few only where all five bullets are there."""
    config = context.config
    count = sum(word_count(passage.text) for passage in passages(document))
    written = list(bullets(document))
    if not written:
        return
    if count > config.issue_max_words:
        longest = max(written, key=lambda passage: word_count(passage.text))
        message = f"the issue has {count} words; at most {config.issue_max_words}"
        hint = f"cut {count - config.issue_max_words} words; this is the longest bullet"
        yield Finding(longest.prose.whole, message, hint)
    elif count < config.issue_min_words and len(written) >= ITEMS:
        shortest = min(written, key=lambda passage: word_count(passage.text))
        message = f"the issue has {count} words; at least {config.issue_min_words}"
        yield Finding(shortest.prose.whole, message, "this is the shortest bullet")
