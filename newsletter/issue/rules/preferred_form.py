"""NL313 preferred-form: A term is not in the form that the house prefers.

terms.toml lists, under [forms], the form this newsletter prefers and the variants
to replace. Letters must agree in case, but for the capital that begins a sentence.

    wrong: the Indo Pacific region       ("Indo-Pacific" = ["Indo Pacific"])
    right: the Indo-Pacific region
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.language import fold, sentence_starts
from newsletter.issue.rules import Context, Finding
from newsletter.issue.rules._passages import passages

CODE = "NL313"
SEVERITY = Severity.WARNING


def check(document: Document, context: Context) -> Iterator[Finding]:
    """One finding for every place."""
    preferred = {
        fold(variant): form
        for form, variants in context.vocabulary.forms.items()
        for variant in variants
    }
    if not preferred:
        return
    pattern = _any_of(tuple(sorted(preferred, key=lambda variant: (-len(variant), variant))))
    for passage in passages(document):
        for match in pattern.finditer(fold(passage.text)):
            form = preferred.get(match[0])
            if form is None:
                if match.start() not in sentence_starts(passage.text):
                    continue  # “Ministry of Defence”: a name
                form = preferred[match[0][0].lower() + match[0][1:]]
                form = form[0].upper() + form[1:]
            shown = passage.text[match.start() : match.end()]
            if shown == form or _part_of(form, passage.text, match.start()):
                continue
            span = passage.prose.span(match.start(), match.end())
            yield Finding(span, f"“{shown}” is written “{form}” here", f"write “{form}”")


@lru_cache(maxsize=8)
def _any_of(variants: tuple[str, ...]) -> re.Pattern[str]:
    forms = [_spelled(variant) for variant in variants]
    return re.compile(r"(?<![\w-])(?:" + "|".join(forms) + r")(?![\w-])")


def _spelled(variant: str) -> str:
    first, rest = variant[0], variant[1:]
    start = f"[{first}{first.upper()}]" if first.islower() and first.isascii() else re.escape(first)
    return start + re.escape(rest)


def _part_of(form: str, text: str, start: int) -> bool:
    """The variant found is the tail or head of the preferred form itself."""
    low = max(0, start - len(form))
    at = text.find(form, low, start + 2 * len(form))
    return 0 <= at <= start < at + len(form)
