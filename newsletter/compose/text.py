"""Compose the plain-text e-mail: 72 columns, the same words and links as the HTML.

From its own template over the same view: text made from HTML keeps the debris
of tables. Refuses a text without the links that the law wants.
"""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

from newsletter.compose import gates, slots
from newsletter.compose.environment import environment, render
from newsletter.compose.slots import Slot
from newsletter.compose.view import View
from newsletter.errors import TemplateError
from newsletter.issue.folder import shown

TEMPLATE = "text/issue.txt.j2"


def compose_text(view: View, templates: Path) -> str:
    """Compose the text of *view*; reader's values are the markers of `slots`.

    Ends with one line break; no trailing spaces, never two blank lines in a row.

    Raises:
        TemplateError: the template is missing or broken, or leaves out a required slot.
        ContentError: the issue itself holds the marker of a slot.
    """
    gates.refuse_typed_slots(view)
    return compose_plain(TEMPLATE, templates, slots.REQUIRED, view=view)


def compose_plain(template: str, templates: Path, required: Set[Slot], **context: object) -> str:
    """Compose *template*, any mail in plain text, which must hold the slots of *required*.

    Raises:
        TemplateError: the template is missing or broken, or leaves out a required slot.
    """
    text = render(environment(templates, html=False), template, slots=slots.markers(), **context)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
    _check(text, templates / template, required)
    return text


def _check(text: str, template: Path, required: Set[Slot]) -> None:
    missing = sorted(required - gates.count_slots(text, template).keys())
    if missing:
        names = ", ".join(f"slots.{slot}" for slot in missing)
        raise TemplateError(
            f"{shown(template)} does not print {names}", hint="every message carries these links"
        )
    left_over = re.search(r"\{\{|\{%|<%", text)
    if left_over:
        line = text.count("\n", 0, left_over.start()) + 1
        raise TemplateError(f"“{left_over[0]}” is left over in line {line} of the text")
