"""Say in names what makes two editions differ, by their manifests.

What a person changed comes first: text, picture, template, font, configuration. Only
where none of these differs are the composed files named, for then the libraries or
the fonts of the machine made the difference. Refuses to judge whether a change matters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_FONTS = "print/fonts/"
_DERIVED = "message.eml"  # holds email.html and email.txt


def changes(old: bytes, new: bytes) -> tuple[str, ...]:
    """Name what changed between two manifests, as in "issue.md", "configuration: footer.reason"."""
    if old == new:
        return ()
    before, after = json.loads(old), json.loads(new)
    named = [
        *_differences(before["sources"], after["sources"]),
        *(_template(name) for name in _differences(before["templates"], after["templates"])),
        *(
            f"configuration: {name}"
            for name in _differences(_flat(before["configuration"]), _flat(after["configuration"]))
        ),
    ]
    return tuple(named) or _composed_otherwise(before["files"], after["files"])


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names whose values differ, saying which were added or taken away."""
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"{name} (taken away)"
        elif name not in before:
            yield f"{name} (new)"
        elif before[name] != after[name]:
            yield name


def _template(name: str) -> str:
    is_font = name.startswith(_FONTS)
    return f"font {name.removeprefix(_FONTS)}" if is_font else f"templates/{name}"


def _flat(configuration: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        f"{section}.{key}": value
        for section, values in configuration.items()
        for key, value in values.items()
    }


def _composed_otherwise(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    names = list(_differences(before, after))
    if len(names) > 1 and _DERIVED in names:
        names.remove(_DERIVED)
    fonts = " or fonts of this machine" if "issue.pdf" in names else ""
    return (f"composed by other versions{fonts}: {', '.join(names) or 'manifest.json'}",)
