"""Write an issue file: the Markdown that `parse` and `check` turn back into the same Issue.

Refuses to guess: what the Issue does not say is not written. The empty form that
`newsletter new` hands to an editor is here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from newsletter.issue.escape import alternative, destination, heading, inline
from newsletter.issue.model import ITEMS, Hero, Issue, Item
from newsletter.issue.number import IssueNumber

_NOT_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

_INSTRUCTIONS = """\
<!--
What readers get: the five headlines first, then the five paragraphs, in this order.
Replace each remark below by your text. A headline is one line without a final period;
its text is one paragraph. A last line “Sources: <https://example.org/>” is optional.
For a picture, put the file beside this one and write above the first headline:

![What the photo shows](hero.jpg)
Image Source: Who took it

See what is still to do with: newsletter check
-->
"""


def to_markdown(issue: Issue, *, remark: str | None = None) -> str:
    """Write *issue* as the text of its issue file.

    *remark* becomes a comment above the text: for editors, never printed. Link
    addresses must be in the form that Markdown gives them (percent-encoded).
    """
    parts = ["\n".join(_front_matter(issue))]
    if remark is not None:
        parts.append(f"<!-- {remark.replace('--', '- -')} -->")
    if issue.hero is not None:
        parts.append(_picture(issue.hero))
    for item in issue.items:
        parts += _item(item)
    return "\n\n".join(parts) + "\n"


def skeleton(number: IssueNumber, published: date) -> str:
    """Write the empty issue file of *number*: `check` lists what is left to fill in."""
    items = "".join(
        f"\n## <!-- headline {item} -->\n\n<!-- text {item} -->\n" for item in range(1, ITEMS + 1)
    )
    return f"---\nissue: {number}\ndate: {published.isoformat()}\n---\n\n{_INSTRUCTIONS}{items}"


def _front_matter(issue: Issue) -> Iterator[str]:
    yield "---"
    yield f"issue: {issue.number}"
    yield f"date: {issue.date.isoformat()}"
    for key in ("subject", "preheader", "note"):
        value: str | None = getattr(issue, key)
        if value is not None:
            yield f"{key}: {_yaml(value)}"
    yield "---"


def _picture(hero: Hero) -> str:
    picture = f"![{alternative(hero.alt)}]({destination(hero.file.replace('%', '%25'))})"
    return f"{picture}\n{f'Image Source: {inline(hero.credit)}'.rstrip(' ')}"


def _item(item: Item) -> Iterator[str]:
    yield f"## {heading(item.headline)}".rstrip(" ")
    if item.bullet.runs:
        yield inline(item.bullet, begins_block=True)
    if item.sources is not None:
        yield f"Sources: {inline(item.sources)}".rstrip(" ")


# ── front-matter values ─────────────────────────────────────────────────────


def _yaml(value: str) -> str:
    """*value* as it is where YAML reads it back as the same text, else in double quotes."""
    return value if _reads_as_text(value) else '"' + "".join(map(_yaml_character, value)) + '"'


def _reads_as_text(value: str) -> bool:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    if not value or "\n" in value or "\r" in value:
        return False
    try:
        root = YAML(pure=True).compose(f"key: {value}\n")
    except (YAMLError, ValueError):
        return False
    if not isinstance(root, MappingNode) or len(root.value) != 1:
        return False
    node = root.value[0][1]
    return (
        isinstance(node, ScalarNode)
        and node.style is None
        and node.value == value
        # "2.20" and "yes" would be a number and a truth value to other programs.
        and str(node.tag) == "tag:yaml.org,2002:str"
    )


def _yaml_character(char: str) -> str:
    import unicodedata

    if char in '"\\':
        return "\\" + char
    if unicodedata.category(char) not in _NOT_ESCAPED:
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
