"""Write Prose as CommonMark that reads back as the same Prose, letter for letter.

Escapes what would otherwise be markup and nothing else, so that the file stays
pleasant to edit. Emphasis is `_one_` and strong `**two**`: different signs never
merge into a run that CommonMark would split another way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.issue.prose import Prose, Run

_AUTOLINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^<>\x00-\x20]*")
_ENTITY = re.compile(r"&(?:#[xX]?[0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_TAG_BEGINS = re.compile(r"<[A-Za-z/!?]")
_BLOCK_BEGINS = re.compile(
    r"""(?P<sign>\#{1,6}(?=\s|$) | > | [-+](?=\s|$) | -(?=[-\s]*$) | ~(?=~~))
      | (?P<number>[0-9]{1,9}(?=[.)](?:\s|$)))""",
    re.VERBOSE,
)

_STRONG, _EMPHASIS = "**", "_"


@dataclass(slots=True)
class _Unit:
    """One character of the text, or one piece of markup."""

    text: str
    markup: bool = False
    opens: bool = False
    in_link: bool = False
    entity: bool = False  # written as &#…; because it would keep a delimiter from working


def inline(prose: Prose, *, begins_block: bool = False) -> str:
    """Write *prose* on one line; *begins_block* where it stands first in a paragraph."""
    units = _units(prose.runs)
    _keep_edges(units)
    _let_delimiters_work(units)
    text = "".join(_written(units, index) for index in range(len(units)))
    return _without_block_sign(text) if begins_block else text


def heading(prose: Prose) -> str:
    """Write *prose* as the text of a `##` line, whose trailing number signs would be dropped."""
    text = inline(prose)
    return re.sub(r"((?:^|(?<=\s))#*)#$", r"\1\\#", text)


def alternative(text: str) -> str:
    """Write *text* as it stands between `![` and `]`."""
    units = [_Unit(char, in_link=True) for char in text]
    return "".join(_written(units, index) for index in range(len(units)))


def destination(address: str) -> str:
    """Write *address* as it stands between `](` and `)`."""
    address = _ENTITY.sub(lambda match: "&amp;" + match[0][1:], address.replace("\\", "\\\\"))
    if re.search(r"[\s()]", address) or not address:
        return "<" + re.sub(r"[<>]", lambda match: "\\" + match[0], address) + ">"
    return address


# ── runs to units ───────────────────────────────────────────────────────────


def _units(runs: Sequence[Run]) -> list[_Unit]:
    units: list[_Unit] = []
    open_marks: list[tuple[str, str]] = []
    for index, run in enumerate(runs):
        wanted = _marks(run)
        while any(mark not in wanted for mark in open_marks):
            units.append(_closing(open_marks.pop()))
        if _is_autolink(runs, index):
            units += [_closing(mark) for mark in reversed(open_marks) if mark[0] == "link"]
            open_marks = [mark for mark in open_marks if mark[0] != "link"]
            wanted = [mark for mark in wanted if mark[0] != "link"]
        missing = [mark for mark in wanted if mark not in open_marks]
        for mark in sorted(missing, key=lambda mark: -_length(runs[index:], mark)):
            units.append(_Unit("[" if mark[0] == "link" else mark[0], markup=True, opens=True))
            open_marks.append(mark)
        if _is_autolink(runs, index):
            units.append(_Unit(f"<{_without_mailto(run)}>", markup=True))
        else:
            units += [_Unit(char, in_link=run.href is not None) for char in run.text]
    units += [_closing(mark) for mark in reversed(open_marks)]
    return units


def _marks(run: Run) -> list[tuple[str, str]]:
    marks = [("link", run.href)] if run.href is not None else []
    marks += [(_STRONG, "")] if run.strong else []
    return marks + ([(_EMPHASIS, "")] if run.emphasis else [])


def _length(runs: Sequence[Run], mark: tuple[str, str]) -> int:
    """Number of runs that *mark* goes on for; what lasts longest is opened first."""
    count = 0
    for run in runs:
        if mark not in _marks(run):
            break
        count += 1
    return count


def _closing(mark: tuple[str, str]) -> _Unit:
    kind, address = mark
    return _Unit(f"]({destination(address)})" if kind == "link" else kind, markup=True)


def _is_autolink(runs: Sequence[Run], index: int) -> bool:
    """Whether the run is an address that names itself, and its link has no other run."""
    from markdown_it.common.normalize_url import normalizeLink, normalizeLinkText

    run = runs[index]
    if run.href is None or any(
        0 <= near < len(runs) and runs[near].href == run.href for near in (index - 1, index + 1)
    ):
        return False
    if not _AUTOLINK.fullmatch(run.href) or normalizeLink(run.href) != run.href:
        return False
    shown = normalizeLinkText(run.href)
    if run.href == f"mailto:{run.text}":
        return (
            re.fullmatch(r"[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", run.text, re.A) is not None
        )
    return run.text == shown


def _without_mailto(run: Run) -> str:
    return run.text if run.href == f"mailto:{run.text}" else run.href or ""


# ── what keeps the characters and the marks ─────────────────────────────────


def _keep_edges(units: Sequence[_Unit]) -> None:
    """White space at either end, and line ends anywhere, only survive as entities."""
    for edge in (units, units[::-1]):
        for unit in edge:
            if unit.markup or not unit.text.isspace():
                break
            unit.entity = True
    for unit in units:
        unit.entity = unit.entity or unit.text in ("\n", "\r")


def _let_delimiters_work(units: Sequence[_Unit]) -> None:
    """Mend the neighbours of `**` and `_` that would keep them from opening or closing.

    CommonMark 0.31 §6.2: white space inside a delimiter, or a letter outside of one
    with punctuation inside, makes it plain text. A character reference counts as
    punctuation.
    """
    changed = True
    while changed:
        changed = False
        for index, unit in enumerate(units):
            if not unit.markup or unit.text not in (_STRONG, _EMPHASIS):
                continue
            step = 1 if unit.opens else -1
            inner, outer = units[index + step], _at(units, index - step)
            if _is_space(inner):
                inner.entity = changed = True
            strict = unit.text == _EMPHASIS or _is_punctuation(inner)
            if strict and outer and not _is_space(outer) and not _is_punctuation(outer):
                outer.entity = changed = True


def _at(units: Sequence[_Unit], index: int) -> _Unit | None:
    return units[index] if 0 <= index < len(units) else None


def _is_space(unit: _Unit) -> bool:
    from markdown_it.common.utils import isWhiteSpace

    return not unit.markup and not unit.entity and isWhiteSpace(ord(unit.text))


def _is_punctuation(unit: _Unit) -> bool:
    from markdown_it.common.utils import isMdAsciiPunct, isPunctChar

    if unit.markup or unit.entity:
        return True
    return isMdAsciiPunct(ord(unit.text)) or isPunctChar(unit.text)


# ── units to text ───────────────────────────────────────────────────────────


def _written(units: Sequence[_Unit], index: int) -> str:
    unit = units[index]
    if unit.markup:
        return unit.text
    if unit.entity:
        return f"&#{ord(unit.text)};"
    if unit.text not in "\\`*_[]<&!":
        return unit.text
    return _escaped(units, index)


def _escaped(units: Sequence[_Unit], index: int) -> str:
    unit, before, after = units[index], _at(units, index - 1), _at(units, index + 1)
    match unit.text:
        case "*" | "_" if _stands_alone(before, after):
            return unit.text
        case "_" if before and after and _is_word(before) and _is_word(after):
            return unit.text
        case "<":
            # Not “\<”: the parser takes out comments before Markdown is read.
            return "&lt;" if _TAG_BEGINS.match(_plain(units, index)) else "<"
        case "&":
            return "&amp;" if _ENTITY.match(_plain(units, index)) else "&"
        case "[" if not unit.in_link:
            return "["
        case "]" if not unit.in_link and not (after and after.text in ("(", ":")):
            return "]"
        case "!" if not (after and after.markup and after.text == "["):
            return "!"
        case _:
            return "\\" + unit.text


def _stands_alone(before: _Unit | None, after: _Unit | None) -> bool:
    """White space on both sides; not at the beginning of a line, where it may make a list."""
    return before is not None and _is_space(before) and (after is None or _is_space(after))


def _is_word(unit: _Unit) -> bool:
    return not _is_space(unit) and not _is_punctuation(unit)


def _plain(units: Sequence[_Unit], index: int) -> str:
    """The plain characters from *index* on, as far as a tag or an entity could need them."""
    taken = []
    for unit in units[index : index + 40]:
        if unit.markup or unit.entity:
            break
        taken.append(unit.text)
    return "".join(taken)


def _without_block_sign(text: str) -> str:
    """Escape what would make a heading, list, quotation, rule or code block of the line."""
    match = _BLOCK_BEGINS.match(text)
    if match is None:
        return text
    if match["number"]:
        return f"{match['number']}\\{text[match.end() :]}"
    return "\\" + text
