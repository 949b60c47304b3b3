"""What the rules say of whole issues: nothing of sound news, the known slips of published ones."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from clean_news import CLEAN_ISSUES
from hypothesis import given
from hypothesis import strategies as st
from rule_probe import ROOT, context_of, house_rules, issue_text, judged, parsed

from newsletter.issue.parse import parse_bytes

Pairs = list[tuple[str, str]]
EDITIONS = ROOT / "../shared/editions"

# Rule and what it points at, of the slips that careful readers found in the editions.
KNOWN_SLIPS = {
    "vol-1-02": {("NL201", None), ("NL209", "7"), ("NL309", "2,500km"), ("NL310", "2½ year")},
    "vol-2-05": {
        ("NL208", "met with"), ("NL203", None), ("NL306", "Okinawan Governor"), ("NL308", "4"),
    },
    "vol-2-20": {
        ("NL301", "Valdimir"), ("NL205", None), ("NL209", "2+2"), ("NL307", "vice ministerial"),
        ("NL305", "Mount Fuji"), ("NL302", "METI"), ("NL302", "ROK"), ("NL303", "ADC"),
        ("NL303", "EPCC"),
    },
}  # fmt: skip


@pytest.mark.parametrize("pairs", CLEAN_ISSUES)
def test_sound_news_is_left_in_peace(pairs: Pairs) -> None:
    assert judged(pairs) == []


def _edition(name: str) -> Pairs:
    path = EDITIONS / f"{name}.txt"
    if not path.is_file():
        pytest.skip(f"no published edition at {path}: the slips of {name} are not looked for")
    lines = path.read_text(encoding="utf-8").split("\n")
    items = [re.sub(r"^\s*•\s*", "", line).strip() for line in lines if line.lstrip()[:1] == "•"]
    return list(zip(items[:5], items[5:], strict=True))


@pytest.mark.parametrize("name", KNOWN_SLIPS)
def test_every_known_slip_of_a_published_edition_is_found(name: str) -> None:
    pairs = _edition(name)
    document = parsed(pairs)
    text = issue_text(pairs)
    found = {
        (rule.code, mark)
        for rule in house_rules()
        if rule.check is not None
        for finding in rule.check(document, context_of())
        for mark in (None, text[finding.span.start : finding.span.end])
    }
    assert found >= KNOWN_SLIPS[name]


@pytest.mark.parametrize("name", KNOWN_SLIPS)
def test_a_published_edition_gets_few_findings(name: str) -> None:
    assert len(judged(_edition(name))) <= 12


@given(pairs=st.lists(st.tuples(st.text(max_size=60), st.text(max_size=200)), max_size=7))
def test_no_rule_raises_on_any_text(pairs: Pairs) -> None:
    judged(pairs)


_fragments = st.sampled_from(
    "US U.S. METI (METI) or , . “ ” ( ) - ’s Kishida Kishdia Putin 10th 2½ year 5.5 billion "
    "four twenty-one Sept 18 September 2,500km % percent Mt. Mount Fuji Okinawan Governor "
    "vice-ministerial vice ministerial the the 2+2 9/11 D-NY \N{NO-BREAK SPACE} — 1,234,56 ½ "
    "A.B. Ａ ı ß".split(" ")
)


@given(words=st.lists(_fragments, max_size=60), cut=st.integers(0, 60))
def test_no_rule_raises_on_odd_arrangements_of_what_it_looks_for(
    words: list[str], cut: int
) -> None:
    judged([(" ".join(words[:cut]), " ".join(words[cut:])), ("".join(words), "".join(words))])


@pytest.mark.parametrize(
    "piece",
    ["a", "A", "A.", "1", "1,", "1 ", ".", "the ", "AB ", "Kishdia ", "(AB) ", "half-", "a' ", "½",
     "Sept 1 ", "twenty ", "St. A ", "1%", "“", "U.S. ", "a-b ", "Ab (", "2+", "x. Y"],
)  # fmt: skip
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    text = piece * (10_000 // len(piece))
    document = parse_bytes(issue_text([(text[:5_000], text)]).encode(), Path("issue.md"))
    assert document.items
    for rule in house_rules():
        assert rule.check is not None
        start = time.process_time()
        list(rule.check(document, context_of()))
        assert time.process_time() - start < 0.5, rule.name


def test_a_usual_issue_is_judged_in_a_few_milliseconds() -> None:
    document = parsed(CLEAN_ISSUES[0])
    context = context_of()
    rules = [rule.check for rule in house_rules() if rule.check is not None]
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        for check in rules:
            list(check(document, context))
        best = min(best, time.process_time() - start)
    assert best < 0.05  # 6 ms on the machine it was written on
