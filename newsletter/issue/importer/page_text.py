"""Read a published web page that was saved or copied as plain text.

One line is one block; a line without a bullet sign right below an entry goes on
with it. Refuses to interpret anything else: an asterisk is an asterisk.
"""

from __future__ import annotations

from dataclasses import replace

from newsletter.issue.importer.blocks import Block, Kind, Page, Place, entry_or
from newsletter.issue.importer.decode import refuse_long
from newsletter.issue.importer.furniture import is_furniture
from newsletter.issue.prose import Prose


def read(text: str) -> Page:
    """Turn the lines of *text* into blocks.

    Raises:
        Unreadable: there are more of them than a page with an issue has.
    """
    blocks: list[Block] = []
    entry: list[str] = []  # the lines of the last block, where that is an entry
    group, blank, written = 0, True, 0

    def end_entry() -> None:
        if len(entry) > 1:
            blocks[-1] = replace(blocks[-1], prose=Prose.plain(" ".join(entry)))
        entry.clear()

    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            blank = True
            continue
        kind, prose = entry_or(Kind.TEXT, Prose.plain(line))
        if not prose:
            blank = True
            continue
        written += 1
        refuse_long(written)
        if entry and not blank and kind is Kind.TEXT and not is_furniture(prose.text):
            entry.append(prose.text)
            continue
        end_entry()
        if blank or not blocks or blocks[-1].kind is not kind:
            group += 1
        place = Place(number, line.find(prose.text) + 1, line)
        blocks.append(Block(kind=kind, prose=prose, place=place, group=group))
        if kind is Kind.ENTRY:
            entry.append(prose.text)
        blank = False
    end_entry()
    return Page(blocks=tuple(blocks))
