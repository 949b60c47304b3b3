"""NL201 headline-length: A headline is too short or too long.

Five headlines stand together at the top of the mail; one that runs over two lines
on a phone weakens the other four, and one of three words says too little.

    wrong: ## Prime Minister and President meet in Washington for talks on defense, trade, energy
    right: ## Leaders agree on defense and trade in Washington

Thresholds in newsletter.toml, section [check]: headline_min_words,
headline_max_words, headline_max_characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import word_count
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import headlines

CODE = "NL201"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Measure every headline; one finding each, characters before words."""
    config = context.config
    for passage in headlines(document):
        characters, count = len(passage.text), word_count(passage.text)
        whole = passage.prose.whole
        if characters > config.headline_max_characters:
            message = (
                f"headline of {characters} characters; at most {config.headline_max_characters}"
            )
            yield Finding(whole, message, "keep who did what; the bullet has the rest")
        elif count > config.headline_max_words:
            message = f"headline of {count} words; at most {config.headline_max_words}"
            yield Finding(whole, message, "keep who did what; the bullet has the rest")
        elif count < config.headline_min_words:
            plural = "" if count == 1 else "s"
            message = f"headline of {count} word{plural}; at least {config.headline_min_words}"
            yield Finding(whole, message, "say who did what")
