"""NL205 bullet-length: A bullet is too short or too long.

A bullet is read in under a minute. Beyond the limit it crowds the other four and
the second page of the PDF; far below, it has no more to say than its headline.

    wrong: a bullet of 170 words on three events
    right: the main event in some 90 words, the others as items of a later issue

Thresholds in newsletter.toml, section [check]: bullet_min_words, bullet_max_words.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import word_count
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import bullets

CODE = "NL205"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Count the words of every bullet."""
    config = context.config
    for passage in bullets(document):
        count = word_count(passage.text)
        if count > config.bullet_max_words:
            message = f"bullet of {count} words; at most {config.bullet_max_words}"
            hint = f"cut {count - config.bullet_max_words} words, or make two items of it"
            yield Finding(passage.prose.whole, message, hint)
        elif count < config.bullet_min_words:
            plural = "" if count == 1 else "s"
            message = f"bullet of {count} word{plural}; at least {config.bullet_min_words}"
            yield Finding(passage.prose.whole, message, "say when, who and why it matters")
