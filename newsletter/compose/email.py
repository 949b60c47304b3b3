"""Compose the HTML e-mail: Jinja2 to MJML, MJML to HTML, rules into style attributes, gates.

Never per reader: personal values are slots. The only module
that knows mjml-python and premailer. Refuses to fetch anything, and to give out
a mail that does not pass its gates.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from newsletter.compose import gates, mjml_check, slots
from newsletter.compose.environment import environment, render
from newsletter.compose.mjml_check import Fault
from newsletter.compose.slots import Slot
from newsletter.compose.view import View
from newsletter.diagnostics import Diagnostic, Severity
from newsletter.errors import TemplateError
from newsletter.issue.folder import shown

TEMPLATE = "email/issue.mjml.j2"

# Below the workspace; kept so that a designer can look at what MJML could not read.
FAILED_MJML = Path(".newsletter") / "failed.mjml"

_MOST = 8  # faults that one message lists


@dataclass(frozen=True, kw_only=True)
class Mail:
    """*findings* are what the gates say of *html*; never an error."""

    html: str
    findings: tuple[Diagnostic, ...] = ()


def compose_email(view: View, templates: Path) -> Mail:
    """Compose the e-mail of *view*; reader's values are the markers of `slots`.

    Raises:
        TemplateError: a template is missing or broken, or the mail fails a gate.
        ContentError: the issue itself holds the marker of a slot.
    """
    gates.refuse_typed_slots(view)
    return compose_mjml(TEMPLATE, templates, slots.REQUIRED, site_url=view.site_url, view=view)


def compose_mjml(
    template: str, templates: Path, required: Set[Slot], *, site_url: str, **context: object
) -> Mail:
    """Compose *template*, any mail in MJML, which must hold the slots of *required*.

    Raises:
        TemplateError: a template is missing or broken, or the mail fails a gate.
    """
    mjml = render(environment(templates, html=True), template, slots=slots.markers(), **context)
    _check_mjml(mjml, templates)
    html = _inline(_to_html(mjml, templates), templates, template)
    _check_slots(*(gates.count_slots(text, templates / template) for text in (mjml, html)))
    findings = gates.check_email(html, site_url=site_url, required=required)
    errors = [found for found in findings if found.severity is Severity.ERROR]
    if errors:
        raise TemplateError(_listed([_line(found) for found in errors]), hint=errors[0].hint)
    return Mail(html=html, findings=findings)


def _line(found: Diagnostic) -> str:
    return f"{found.path}:{found.line}:{found.column}: {found.code} {found.message}"


def _listed(lines: list[str]) -> str:
    more = len(lines) - _MOST
    return "\n".join(lines[:_MOST] + ([f"… and {more} more"] if more > 0 else []))


# ── MJML ────────────────────────────────────────────────────────────────────


def _check_mjml(mjml: str, templates: Path) -> None:
    faults = mjml_check.faults(mjml)
    if faults:
        raise _mjml_error(faults, mjml, templates)


def _to_html(mjml: str, templates: Path) -> str:
    from mjml import mjml2html

    try:
        html = mjml2html(mjml, fonts={})  # without fonts={} it asks for Google's
    except ValueError as error:
        place = re.search(r"at position (\d+):\d+", str(error))
        line = mjml_check.line_of_byte(mjml, int(place[1])) if place else 1
        what = str(error).partition(" in root template")[0]
        raise _mjml_error([Fault(line, f"MJML: {what}", "")], mjml, templates) from error
    # premailer knows only the doctype in capitals; any other leaves the mail in quirks mode.
    html = re.sub(r"^\s*<!doctype html>", "<!DOCTYPE html>", html, count=1, flags=re.IGNORECASE)
    # mj-preview writes white text, which filters take for a trick; the body's color is as hidden.
    return html.replace(
        '<div style="display:none;font-size:1px;color:#ffffff;',
        '<div style="display:none;font-size:1px;color:#2b3440;',
    )


def _mjml_error(faults: list[Fault], mjml: str, templates: Path) -> TemplateError:
    kept = _keep(mjml, templates)
    file = shown(kept) if kept else "the rendered MJML"
    lines = []
    for fault in faults:
        place = mjml_check.template_place(templates, mjml, fault)
        rendered = f"{file}:{fault.line}"
        lines.append(
            f"{place}: {fault.message} ({rendered})" if place else f"{rendered}: {fault.message}"
        )
    hint = f"what the templates gave to MJML is kept in {file}" if kept else None
    return TemplateError(_listed(lines), hint=hint)


def _keep(mjml: str, templates: Path) -> Path | None:
    path = templates.parent / FAILED_MJML
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(mjml, encoding="utf-8")
    except OSError:  # a read-only workspace: the error itself matters more
        return None
    return path


# ── premailer ───────────────────────────────────────────────────────────────


def _inline(html: str, templates: Path, template: str) -> str:
    """Copy the style rules into style attributes: many clients drop <style>.

    The settings keep what premailer's defaults break: !important, widths, fallbacks.
    """
    from premailer import Premailer

    try:
        inlined: str = Premailer(
            html,
            keep_style_tags=True,
            strip_important=False,
            allow_network=False,
            disable_validation=True,
            remove_unset_properties=False,
            align_floating_images=False,
            disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
            cssutils_logging_level=logging.CRITICAL,
        ).transform(pretty_print=False)
    except Exception as error:  # cssutils, cssselect and lxml each have their own
        raise TemplateError(
            f"the styles in {shown(templates / template)} or its parts cannot be read: {error}",
            hint="look at what changed last in <mj-style> and in style attributes",
        ) from error
    return inlined if inlined.endswith("\n") else inlined + "\n"


def _check_slots(before: Counter[Slot], after: Counter[Slot]) -> None:
    for slot in Slot:
        if before[slot] != after[slot]:
            raise TemplateError(
                f"the slot “{slot}” stands {before[slot]} times in the MJML"
                f" but {after[slot]} times in the mail",
                hint="a slot may stand in text and in href, not in styles or comments",
            )
