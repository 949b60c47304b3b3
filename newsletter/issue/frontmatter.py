"""Front matter: the `key: value` lines between two `---` at the top of an issue file.

Reads YAML as text: `issue: 2.20` stays "2.20". Only plain keys with one text
each; anything deeper is a fault with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from newsletter.issue.document import Entry, Fault
from newsletter.issue.source import NOWHERE, Span

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.nodes import Node

SYNTAX, DUPLICATE = "NL005", "NL006"
MAX_CHARACTERS = 5_000  # ten times a long one

_FENCE = re.compile(r"---[ \t]*(?:\n|\Z)")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)


@dataclass(slots=True)
class FrontMatter:
    entries: dict[str, Entry] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    span: Span = NOWHERE
    body: int = 0  # offset of the first character after it


def read(text: str) -> FrontMatter:
    """Read the front matter of *text*; never raises."""
    front = FrontMatter()
    opening = _FENCE.match(text)
    if opening is None:
        message = "the file does not begin with front matter"
        hint = "begin with a line “---”, then “issue: 2.20” and “date: 2023-10-31”, then “---”"
        front.faults.append(Fault(SYNTAX, Span(0, 0), message, hint))
        return front
    closing = _CLOSE.search(text, opening.end())
    if closing is None:
        message = "the front matter is never closed"
        hint = "put a line “---” after the last “key: value” line"
        front.faults.append(Fault(SYNTAX, Span(0, 3), message, hint, fatal=True))
        return front
    front.span = Span(0, closing.end())
    front.body = min(len(text), closing.end() + 1)
    if closing.start() > MAX_CHARACTERS:
        message = f"the front matter has more than {MAX_CHARACTERS:,} characters"
        hint = "is the line “---” missing that closes it?"
        front.faults.append(Fault(SYNTAX, Span(0, 3), message, hint, fatal=True))
        return front
    _read_yaml(text[opening.end() : closing.start()], opening.end(), front)
    return front


def _read_yaml(text: str, offset: int, front: FrontMatter) -> None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.nodes import MappingNode
    from ruamel.yaml.reader import ReaderError

    def span(start: int, end: int) -> Span:
        return Span(offset + start, offset + max(start, end))

    try:
        root = YAML(pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, max(0, len(text) - 1)) if mark is not None else 0
        odd = _odd_line(text, at)
        if odd is not None:
            start, end, problem = odd
        else:
            if error.context_mark is not None and _never_closed(error):
                at = min(error.context_mark.index, at)
            start, end, problem = at, at + 1, _plain_words(error)
        front.faults.append(_syntax(span(start, end), f"the front matter is not YAML: {problem}"))
        return
    except ReaderError as error:
        character = f"U+{int(error.character):04X}"
        message = f"the front matter holds {character}, a character that YAML does not allow"
        front.faults.append(_syntax(span(error.position, error.position + 1), message))
        return
    except (YAMLError, ValueError, RecursionError) as error:
        detail = str(error).partition("\n")[0]
        front.faults.append(_syntax(span(0, 1), f"the front matter is not YAML: {detail}"))
        return
    if root is None:
        return
    if not isinstance(root, MappingNode):
        whole = span(root.start_mark.index, root.end_mark.index)
        front.faults.append(_syntax(whole, "the front matter is not made of “key: value” lines"))
        return
    for key, value in root.value:
        _read_pair(key, value, span, front)


def _odd_line(text: str, at: int) -> tuple[int, int, str] | None:
    """The line of offset *at*, or the one above it, where it is plainly no “key: value”.

    YAML's reader often stumbles one line below the mistake. Returns start, end and problem.
    """
    stumbled = text.rfind("\n", 0, at) + 1
    above = text.rfind("\n", 0, max(0, stumbled - 1)) + 1
    for start in dict.fromkeys((above, stumbled)):
        line = text[start:].partition("\n")[0]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        end = start + len(line)
        if line[0] in " \t":
            return start, end, "this line begins with a space or a tab"
        if re.match(r"[\w-]+:[^\s]", line):
            return start, end, "a space is missing behind the colon"
        if ":" not in line:
            return start, end, "this line has no colon"
    return None


def _never_closed(error: MarkedYAMLError) -> bool:
    where = (error.context or "", error.problem or "")
    return "end of stream" in where[1] or "flow" in where[0]


def _plain_words(error: MarkedYAMLError) -> str:
    """What YAML's reader says, as an editor would say it."""
    problem = error.problem or error.context or "it cannot be read"
    if problem.startswith("mapping values are not allowed"):
        return "this colon begins a second value on the same line"
    if _never_closed(error):
        return "a quotation mark or bracket is never closed"
    if match := re.search(r"character (.+) that cannot start any token", problem):
        shown = {"'\\t'": "a tab"}.get(match[1], f"“{match[1][1:-1]}”")
        return f"a value cannot begin with {shown}"
    if problem.startswith("expected <"):
        return "this does not go with the lines above it"
    return problem


def _read_pair(
    key: Node, value: Node, span: Callable[[int, int], Span], front: FrontMatter
) -> None:
    from ruamel.yaml.nodes import ScalarNode

    key_span = span(key.start_mark.index, key.end_mark.index)
    value_span = span(value.start_mark.index, value.end_mark.index)
    if not isinstance(key, ScalarNode):
        front.faults.append(_syntax(key_span, "a key of the front matter is not plain text"))
    elif key.value in front.entries:
        first = front.entries[key.value].value
        message = f"“{key.value}” is given twice; the first says “{first}”"
        hint = f"keep one “{key.value}:” line"
        front.faults.append(Fault(DUPLICATE, key_span, message, hint))
    elif not isinstance(value, ScalarNode):
        message = f"“{key.value}” holds a list or a table, expected one line of text"
        front.faults.append(_syntax(value_span, message))
    else:
        front.entries[key.value] = Entry(key.value, value.value, key_span, value_span)


def _syntax(span: Span, message: str) -> Fault:
    hint = "write one “key: value” a line; put a value that has a colon in double quotes"
    return Fault(SYNTAX, span, message, hint)
