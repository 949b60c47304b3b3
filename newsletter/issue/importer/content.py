"""Find the issue among the blocks of a page: the headlines, their bullets, the credit.

Pairs only where the source leaves no doubt: two lists of equal length in the same
order, or headline and text by turns. Everything that is neither content nor
known furniture is noted, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from newsletter.issue.importer.blocks import Block, Kind, Note, Page, Place, cut, trimmed, uncounted
from newsletter.issue.importer.dates import stated_date
from newsletter.issue.importer.furniture import (
    credit_in,
    is_about,
    is_footer,
    is_furniture,
    is_title,
)
from newsletter.issue.prose import Prose

ITEMS_DIFFER, LEFT_OUT = "NL906", "NL909"

_HEADLINE_CHARACTERS = 200  # published ones have at most 91
_LABEL_WORDS = 3  # shorter lines are labels such as “Trade news”
_PASSAGE_WORDS = 12  # outside of the issue, shorter lines are taken for furniture
_SENTENCE_END = re.compile(r"(?:[^\W\d_]{3,}|[\d%”’\"')\]])[.!?…][”’\"')\]]{0,3}$")
_BULLET_RATIO = 2  # bullets are together at least so many times as long as their headlines

Pairs = tuple[tuple[Block, Block], ...]


@dataclass(frozen=True, kw_only=True)
class Content:
    """*pairs* is empty where the blocks could not be paired; *notes* say why."""

    pairs: Pairs
    credit: tuple[Prose, Place] | None
    stated: tuple[date, Place] | None
    titles: tuple[Block, ...]
    notes: tuple[Note, ...]


def find(page: Page) -> Content:
    """Find the content of *page*."""
    blocks = uncounted(page.blocks)
    start = _start(blocks)
    end = _end(blocks, start)
    credit: tuple[Prose, Place] | None = None
    stated: tuple[date, Place] | None = None
    candidates: list[Block] = []
    notes: list[Note] = []
    for block in blocks[start:end]:
        at = credit_in(block.text, caption=block.kind is Kind.CAPTION)
        if block.kind is Kind.ENTRY and ":" not in block.text:
            at = None  # “Photo by …” may be a headline
        day = stated_date(block.text)
        if at is not None and credit is None:
            credit = (cut(block.prose, *at), block.place)
        elif day is not None and stated is None:
            stated = (day, block.place)
        elif block.kind is Kind.CAPTION or at is not None or day is not None:
            notes.append(_left_out(block))
        elif not is_furniture(block.text):
            candidates.append(block)
    pairs, mismatch = _pair(candidates)
    used = {id(block.place) for pair in pairs for block in pair}
    if pairs:
        notes += [_left_out(block) for block in candidates if id(block.place) not in used]
    else:
        notes.append(mismatch)
    outside = (*blocks[:start], *blocks[end:])
    notes += [
        _left_out(block)
        for block in outside
        if block.words >= _PASSAGE_WORDS
        and not is_furniture(block.text)
        and not is_footer(block.text)
    ]
    titles = tuple(
        block
        for index, block in enumerate(blocks)
        if is_title(block.text) and (index < end or block.text.lower().startswith("download"))
    )
    return Content(pairs=pairs, credit=credit, stated=stated, titles=titles, notes=tuple(notes))


def _start(blocks: Sequence[Block]) -> int:
    """Index behind the first title, unless content stands above it."""
    for index, block in enumerate(blocks):
        if is_title(block.text):
            return index + 1
        if len(block.text) > _HEADLINE_CHARACTERS and not is_furniture(block.text):
            break
    return 0


def _end(blocks: Sequence[Block], start: int) -> int:
    """Index of the standard text or the site's footer behind the content."""
    content = 0
    for index in range(start, len(blocks)):
        text = blocks[index].text
        if is_about(text) or is_footer(text):
            if content >= 2:
                return index
        elif not is_furniture(text):
            content += 1
    return len(blocks)


# ── pairing ─────────────────────────────────────────────────────────────────


def _pair(candidates: Sequence[Block]) -> tuple[Pairs, Note]:
    entries = [block for block in candidates if block.kind is Kind.ENTRY]
    wordy = [b for b in candidates if b.kind is Kind.ENTRY or b.words > _LABEL_WORDS]
    found = [
        _two_lists(entries),
        _two_lists(wordy),
        _by_turns(entries),
        _by_turns(wordy),
        _run_in(wordy),
    ]
    best = max(found, key=len)
    return best, _mismatch(entries if len(entries) > len(wordy) // 2 else wordy)


def _two_lists(blocks: Sequence[Block]) -> Pairs:
    half = len(blocks) // 2
    if len(blocks) % 2 or not half:
        return ()
    pairs = tuple(zip(blocks[:half], blocks[half:], strict=True))
    if _told_by_their_ends(pairs):
        return pairs
    groups = [block.group for block in blocks]
    if len(set(groups[:half])) == len(set(groups[half:])) == 1 and groups[0] != groups[half]:
        return _plausible(pairs, each=False)  # the source itself has two lists of one length
    gap = groups[half - 1] != groups[half]
    lengths = [len(block.text) for block in blocks]
    if not gap and max(lengths[:half]) >= min(lengths[half:]):
        return ()
    return _plausible(pairs)


def _by_turns(blocks: Sequence[Block]) -> Pairs:
    if len(blocks) % 2:
        return ()
    pairs = tuple(zip(blocks[::2], blocks[1::2], strict=True))
    return pairs if _told_by_their_ends(pairs) else _plausible(pairs)


def _run_in(blocks: Sequence[Block]) -> Pairs:
    """Each block opens with its headline in strong type: “**Envoy arrives.** The new envoy …”."""
    pairs = []
    for block in blocks:
        length = 0
        for run in block.prose.runs:
            if not run.strong and run.text.strip():
                break
            length += len(run.text)
        headline, bullet = cut(block.prose, 0, length), cut(block.prose, length)
        if not headline.text.strip() or not bullet.text.strip():
            return ()
        pairs.append(
            (replace(block, prose=trimmed(headline)), replace(block, prose=trimmed(bullet)))
        )
    return _plausible(tuple(pairs)) if len(pairs) > 1 else ()


def _told_by_their_ends(pairs: Pairs) -> bool:
    """Every text ends as a sentence does, and no headline: so even short texts are told."""
    return len(pairs) > 1 and all(
        len(headline.text) <= _HEADLINE_CHARACTERS
        and _SENTENCE_END.search(headline.text) is None
        and _SENTENCE_END.search(bullet.text) is not None
        for headline, bullet in pairs
    )


def _plausible(pairs: Pairs, *, each: bool = True) -> Pairs:
    """*pairs* if the headlines are short, and (*each* of them) shorter than the bullets."""
    headlines = sum(len(headline.text) for headline, _ in pairs)
    bullets = sum(len(bullet.text) for _, bullet in pairs)
    sound = bullets > _BULLET_RATIO * headlines and all(
        len(headline.text) <= _HEADLINE_CHARACTERS
        and (not each or len(headline.text) < len(bullet.text))
        for headline, bullet in pairs
    )
    return pairs if sound else ()


def _mismatch(blocks: Sequence[Block]) -> Note:
    if not blocks:
        message = "no headlines and no paragraphs were found"
        hint = "a source holds the headlines as one list and their texts as a second one"
        return Note(ITEMS_DIFFER, Place(), message, hint)
    groups = list(dict.fromkeys(block.group for block in blocks))
    if len(groups) == 2:
        headlines = [block for block in blocks if block.group == groups[0]]
        texts = [block for block in blocks if block.group == groups[1]]
    else:
        longest = max(len(block.text) for block in blocks)
        limit = min(_HEADLINE_CHARACTERS, longest / 2)
        headlines = [block for block in blocks if len(block.text) <= limit]
        texts = [block for block in blocks if len(block.text) > limit]
    odd = (headlines if len(headlines) > len(texts) else texts)[min(len(headlines), len(texts)) :]
    place = odd[0].place if odd else blocks[0].place
    message = (
        f"{_counted(headlines, 'headline')} and {_counted(texts, 'paragraph')}: "
        "it cannot be told which belong together"
    )
    hint = "give each headline one paragraph, in the same order; then import the file again"
    return Note(ITEMS_DIFFER, place, message, hint)


def _counted(blocks: Sequence[Block], word: str) -> str:
    return f"{len(blocks)} {word}{'' if len(blocks) == 1 else 's'}"


def _left_out(block: Block) -> Note:
    text = block.text if len(block.text) <= 60 else block.text[:57].rstrip() + "…"
    message = f"left out, for it is neither a headline nor a bullet: “{text}”"
    hint = "if it belongs to the issue, copy it into the issue file by hand"
    return Note(LEFT_OUT, block.place, message, hint)
