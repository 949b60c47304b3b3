"""A picture of the trend, SVG or PNG, from one Typst template: `stats/trend.typ`.

The template gets numbers and words as JSON, and sees no file and no network. The same
numbers give the same bytes. What is not known is left out of a line, and never drawn as 0.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from pathlib import Path
from typing import Any, Literal

from newsletter.compose import fonts
from newsletter.compose.environment import FRESH_COPY
from newsletter.compose.print import refuse_packages
from newsletter.errors import StorageError, TemplateError, UsageError
from newsletter.issue.folder import shown
from newsletter.stats.model import IssueNumbers

FOLDER = "stats"  # below the templates
MAIN = "trend.typ"

_CHARACTERS = 90  # of issue numbers that stand side by side without touching
_TICKS = 4  # wanted between the ends of an axis
_PPI = 144
Form = Literal["svg", "png"]

_SVG = re.compile(r"<svg\b")


def draw(
    issues: Sequence[IssueNumbers],
    templates: Path,
    *,
    title: str,
    form: Form,
) -> bytes:
    """Draw *issues*, oldest first, as `trend` gives them; *title* is the newsletter's.

    Those that have reached nobody yet are left out.

    Raises:
        UsageError: none is left.
        TemplateError: the template is missing or broken; the line is named.
        NewsletterError: no font has some character of the title.
    """
    drawn = [one for one in issues if one.first_delivery_at is not None]
    if not drawn:
        raise UsageError("nothing was sent yet, so there is nothing to draw")
    data = _data(drawn, title)
    path = templates / FOLDER / MAIN
    source = _source(path)
    typefaces = fonts.typefaces_for(frozenset(title), templates / "print" / fonts.FOLDER)
    data["fonts"] = list(typefaces.fallback)
    picture = _compiled(source, path, typefaces, data, form)
    return picture if form == "png" else _described(picture, data["title"], _words(drawn))


def _source(path: Path) -> bytes:
    try:
        source = path.read_bytes()
    except FileNotFoundError as error:
        raise TemplateError(f"{shown(path)} is missing", hint=FRESH_COPY) from error
    except OSError as error:
        raise TemplateError(f"{shown(path)} cannot be read: {error.strerror}") from error
    refuse_packages(path, source)
    return source


def _compiled(
    source: bytes, path: Path, typefaces: fonts.Typefaces, data: dict[str, Any], form: Form
) -> bytes:
    import typst

    try:
        with tempfile.TemporaryDirectory(prefix="newsletter-stats-") as scratch:
            alone = Path(scratch) / MAIN
            alone.write_bytes(source)
            made = typst.compile(
                alone,
                root=alone.parent,
                font_paths=typefaces.fonts,
                ignore_system_fonts=True,
                sys_inputs={"trend": json.dumps(data, ensure_ascii=False, sort_keys=True)},
                format=form,
                ppi=_PPI,
            )
    except typst.TypstError as error:
        line = re.search(r"┌─ [^\n]*?:(\d+):\d+", error.diagnostic)
        place = f"{shown(path)}:{line[1]}" if line else shown(path)
        raise TemplateError(f"{place}: {error.message}", hint="; ".join(error.hints)) from error
    except OSError as error:
        raise StorageError(
            f"the picture needs room for temporary files: {error.strerror or error}",
            hint="free some disk space, or set TMPDIR to a folder that has it",
        ) from error
    if not isinstance(made, bytes):
        raise TemplateError(f"{shown(path)} has more than one page", hint="make it fit on one")
    return made


# ── the data ────────────────────────────────────────────────────────────────


def _data(issues: Sequence[IssueNumbers], title: str) -> dict[str, Any]:
    joined = [one.joined for one in issues]
    left = [one.left for one in issues]
    lists = [one.list_then for one in issues]
    most = max((value for value in (*joined, *left) if value is not None), default=0)
    fit = _CHARACTERS // max(len(one.number) for one in issues)
    step = ceil(len(issues) / fit)
    return {
        "title": f"{title}: the list, issue by issue",
        "range": _range(issues),
        # Counted back from the newest, which always has its label.
        "labels": [
            one.number if (len(issues) - 1 - place) % step == 0 else None
            for place, one in enumerate(issues)
        ],
        "list": {
            "values": lists,
            "ticks": ticks(max((value for value in lists if value is not None), default=0)),
        },
        "moves": {"joined": joined, "left": left, "ticks": ticks(most)},
        "delivered": {"values": [_percent(one.share("delivered")) for one in issues]},
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 3)


def ticks(most: int) -> list[int]:
    """Round numbers from 0 up to at least *most*, four or so steps, as an axis has them."""
    if most <= _TICKS:
        return list(range(max(most, 1) + 1))
    rough = most / _TICKS
    power = 10 ** floor(log10(rough))
    nice = (power, 2 * power, 5 * power, 10 * power)
    step = next(one for one in nice if one >= rough)
    return list(range(0, step * ceil(most / step) + 1, step))


def _range(issues: Sequence[IssueNumbers]) -> str:
    days = [f"{one.first_delivery_at:%Y-%m-%d}" for one in issues]
    first, last = min(days), max(days)
    return first if first == last else f"{first} to {last}"


def _words(issues: Sequence[IssueNumbers]) -> str:
    """The picture for who does not see it."""
    first, last = issues[0].number, issues[-1].number
    parts = [f"Vol {first}" if first == last else f"{len(issues)} issues, Vol {first} to {last}"]
    parts[0] += f", {_range(issues)}"
    lists = [one.list_then for one in issues if one.list_then is not None]
    if lists:
        parts.append(f"List size: {lists[0]:,} at first, {lists[-1]:,} at last")
    for name in ("joined", "left"):
        known = [value for one in issues if (value := getattr(one, name)) is not None]
        if known:
            parts.append(f"{name.capitalize()} in all: {sum(known):,}")
    shares = [share for one in issues if (share := one.share("delivered")) is not None]
    parts.append(
        f"Delivered, of the accepted: {100 * min(shares):.1f} to {100 * max(shares):.1f} %"
        if shares
        else "Delivered: not reported"
    )
    return ". ".join(parts) + "."


def _described(svg: bytes, title: str, words: str) -> bytes:
    """SVG 2 §5.4: title and desc are what a screen reader says; letters are outlines here."""
    text = svg.decode("utf-8")
    text = _SVG.sub('<svg role="img" aria-labelledby="title desc"', text, count=1)
    end = text.index(">", text.index("<svg")) + 1
    told = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(words)}</desc>'
    return (text[:end] + told + text[end:]).encode("utf-8")
