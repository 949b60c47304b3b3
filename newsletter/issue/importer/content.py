"""Find the issue among the blocks of a page: the headlines, their bullets, the credit.

Pairs only where the source leaves no doubt: two lists of equal length in the same
order, or headline and text by turns. Everything that is neither content nor
known furniture is noted, with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.issue.importer.blocks import Block, Kind, Note, Page, Place, cut
from newsletter.issue.importer.dates import stated_date
from newsletter.issue.importer.furniture import (
    credit_at,
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
    blocks = page.blocks
    start = _start(blocks)
    end = _end(blocks, start)
    credit: tuple[Prose, Place] | None = None
    stated: tuple[date, Place] | None = None
    candidates: list[Block] = []
    notes: list[Note] = []
    for block in blocks[start:end]:
        at = credit_at(block.text, caption=block.kind is Kind.CAPTION)
        day = stated_date(block.text)
        if at is not None and credit is None:
            credit = (cut(block.prose, at), block.place)
        elif day is not None and stated is None:
            stated = (day, block.place)
        elif block.kind is Kind.CAPTION or at is not None or day is not None:
            notes.append(_left_out(block))
        elif not is_furniture(block.text):
            candidates.append(block)
    pairs, mismatch = _pair(candidates)
    used = {id(block) for pair in pairs for block in pair}
    if pairs:
        notes += [_left_out(block) for block in candidates if id(block) not in used]
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
    found = [_two_lists(entries), _two_lists(wordy), _by_turns(entries), _by_turns(wordy)]
    best = max(found, key=len)
    return best, _mismatch(entries if len(entries) > len(wordy) // 2 else wordy)


def _two_lists(blocks: Sequence[Block]) -> Pairs:
    half = len(blocks) // 2
    if len(blocks) % 2 or not half:
        return ()
    gap = blocks[half - 1].group != blocks[half].group
    lengths = [len(block.text) for block in blocks]
    if not gap and max(lengths[:half]) >= min(lengths[half:]):
        return ()
    return _plausible(tuple(zip(blocks[:half], blocks[half:], strict=True)))


def _by_turns(blocks: Sequence[Block]) -> Pairs:
    if len(blocks) % 2:
        return ()
    return _plausible(tuple(zip(blocks[::2], blocks[1::2], strict=True)))


def _plausible(pairs: Pairs) -> Pairs:
    """*pairs* if each headline is short and shorter than its bullet; else none."""
    headlines = sum(len(headline.text) for headline, _ in pairs)
    bullets = sum(len(bullet.text) for _, bullet in pairs)
    sound = bullets > _BULLET_RATIO * headlines and all(
        len(headline.text) <= _HEADLINE_CHARACTERS and len(headline.text) < len(bullet.text)
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
