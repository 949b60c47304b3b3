"""NL203 long-sentence: A sentence is too long to be read once.

A sentence of more than some fifty words sends the reader back to its start.
Cut it where a semicolon, “which” or a second “and” stands.

    wrong: one sentence with the meeting, its agenda, its guests and its history
    right: The two sides met on March 6. They discussed … The talks included …

Threshold in newsletter.toml, section [check]: sentence_max_words.
"""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import sentences, word_count
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import bullets

CODE = "NL203"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """Count the words of every sentence of every bullet."""
    limit = context.config.sentence_max_words
    for passage in bullets(document):
        for start, end in sentences(passage.text):
            count = word_count(passage.text[start:end])
            if count > limit:
                yield Finding(
                    passage.prose.span(start, end),
                    f"sentence of {count} words; at most {limit}",
                    "make two sentences of it",
                )
