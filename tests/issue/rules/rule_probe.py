"""Run one rule, or all of style and vocabulary, over headlines and bullets given as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from newsletter.config import CheckConfig
from newsletter.diagnostics import Severity
from newsletter.issue.document import Document
from newsletter.issue.parse import parse_bytes
from newsletter.issue.rules import Context, Finding, Neighbour, Rule, all_rules, find_rule
from newsletter.issue.vocabulary import Vocabulary, load_vocabulary

ROOT = Path(__file__).parents[3]
HOUSE = load_vocabulary(ROOT)
Pair = tuple[str, str]


def issue_text(pairs: Iterable[Pair], *, number: str = "2.20") -> str:
    items = "".join(f"## {headline}\n\n{bullet}\n\n" for headline, bullet in pairs)
    return f"---\nissue: {number}\ndate: 2023-10-31\n---\n\n{items}"


def context_of(
    vocabulary: Vocabulary = HOUSE, neighbours: Sequence[Neighbour] = (), **thresholds: int
) -> Context:
    return Context(
        config=CheckConfig(**thresholds),
        vocabulary=vocabulary,
        folder=Path("vol-2-20"),
        today=date(2023, 10, 31),
        find_neighbours=lambda: neighbours,
    )


def parsed(pairs: Iterable[Pair]) -> Document:
    return parse_bytes(issue_text(pairs).encode(), Path("issue.md"))


def findings(code: str, pairs: Iterable[Pair], context: Context | None = None) -> list[Finding]:
    rule = find_rule(code)
    assert rule is not None
    assert rule.check is not None
    return list(rule.check(parsed(pairs), context or context_of()))


def covered(code: str, pairs: Sequence[Pair], context: Context | None = None) -> list[str]:
    """The source text that each finding of the rule points at."""
    text = issue_text(pairs)
    return [text[f.span.start : f.span.end] for f in findings(code, pairs, context)]


def in_bullet(code: str, *texts: str, context: Context | None = None) -> list[str]:
    """What the rule marks in these bullets, under headlines that say nothing."""
    pairs = [(f"Nothing to report from place {'abcdefgh'[i]}", t) for i, t in enumerate(texts)]
    return covered(code, pairs, context)


def in_headline(
    code: str, text: str, bullet: str = "", context: Context | None = None
) -> list[str]:
    return covered(code, [(text, bullet or "Officials met and talked about the matter.")], context)


def house_rules() -> list[Rule]:
    """The rules of style and vocabulary that read the text."""
    return [rule for rule in all_rules() if rule.code[:3] in ("NL2", "NL3") and rule.check]


def judged(
    pairs: Iterable[Pair], context: Context | None = None
) -> list[tuple[str, Severity, str]]:
    """Code, severity and message of every finding of those rules."""
    document = parsed(pairs)
    context = context or context_of()
    return [
        (rule.code, finding.severity or rule.severity, finding.message)
        for rule in house_rules()
        if rule.check is not None
        for finding in rule.check(document, context)
    ]
