"""The Jinja environment of all templates, and the one way to render one.

Designers' files are data: they run in Jinja's sandbox, see a `View` and nothing
else, and cannot leave their folder, read the clock, or draw lots. Whatever goes
wrong in a template becomes one TemplateError with its file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import fields, is_dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from html import escape
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from newsletter.compose.wrap import wrap
from newsletter.errors import NewsletterError, TemplateError
from newsletter.issue.folder import shown
from newsletter.issue.prose import Prose, Run

MAX_CHARACTERS = 500_000  # of one template

FRESH_COPY = "newsletter init lays out a fresh copy in a new folder; take it from there"


def environment(templates: Path, *, html: bool) -> ImmutableSandboxedEnvironment:
    """Give the environment of the folder *templates*; *html* escapes all that is printed.

    One per folder and process. A template that changes on disk is read again.

    Filters:
        html: Prose to HTML with <strong>, <em> and <a>; nothing else can come out.
        plain: Prose to its words, without links.
        linked: Prose to its words, each link's address behind it: “words <https://…>”.
        wrap: text to lines of 72 columns, optionally indented.
    """
    return _environment(Path(os.path.realpath(templates)), html)  # resolve() fails on a loop


@lru_cache(maxsize=8)
def _environment(templates: Path, html: bool) -> ImmutableSandboxedEnvironment:
    made = _Environment(
        loader=_Loader(templates),
        autoescape=html,  # explicitly: select_autoescape() does not know *.mjml.j2
        undefined=_Undefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )
    made.filters |= {"html": to_html, "plain": to_plain, "linked": to_linked, "wrap": wrap}
    del made.filters["random"], made.globals["lipsum"]  # the same input gives the same bytes
    return made


def render(environment: jinja2.Environment, name: str, /, **context: object) -> str:
    """Render the template *name* (as in "email/issue.mjml.j2") with *context*.

    Raises:
        TemplateError: it is missing or broken; the message names file and line.
    """
    try:
        return environment.get_template(name).render(**context)
    except NewsletterError:
        raise
    except jinja2.TemplateNotFound as error:
        raise TemplateError(
            f"{_path(environment, str(error.name or name))} is missing", hint=FRESH_COPY
        ) from error
    except jinja2.TemplateSyntaxError as error:
        place = f"{_path(environment, error.name or name)}:{error.lineno}"
        message = _sentence(str(error.message))
        raise TemplateError(
            f"{place}: {message}",
            hint=_UNKNOWN_HINT if message.startswith("No filter") else _SYNTAX_HINT,
        ) from error
    except Exception as error:  # designers can provoke any exception: 1/0, range(10**9), …
        place = _place(environment, error.__traceback__) or _path(environment, name)
        what, hint = _runtime_message(error, context)
        raise TemplateError(f"{place}: {what}", hint=hint) from error


# ── filters ─────────────────────────────────────────────────────────────────


def to_html(prose: Prose) -> Markup:
    """*prose* as HTML. What we write is sanitized again, so that a slip here cannot get out."""
    import nh3

    written = "".join(_link(href, list(runs)) for href, runs in groupby(prose.runs, _href))
    return Markup(  # noqa: S704
        nh3.clean(
            written,
            tags={"p", "a", "strong", "em", "br"},
            attributes={"a": {"href", "title"}},
            url_schemes={"https", "http", "mailto"},
            link_rel=None,
        )
    )


def _href(run: Run) -> str | None:
    return run.href


def _link(href: str | None, runs: list[Run]) -> str:
    text = "".join(_marked(run) for run in runs)
    return text if href is None else f'<a href="{escape(href)}">{text}</a>'


def _marked(run: Run) -> str:
    text = escape(run.text, quote=False)
    if run.emphasis:
        text = f"<em>{text}</em>"
    return f"<strong>{text}</strong>" if run.strong else text


def to_plain(prose: Prose) -> str:
    """The words of *prose*."""
    return prose.text


def to_linked(prose: Prose) -> str:
    """The words of *prose*; behind those of a link its address, unless they are the address."""
    parts = []
    for href, runs in groupby(prose.runs, _href):
        text = "".join(run.text for run in runs)
        if href is None:
            parts.append(text)
        elif text.strip() in (href, href.removeprefix("mailto:")):
            parts.append(f"<{text.strip()}>")
        else:
            parts.append(f"{text} <{href}>")
    return "".join(parts)


# ── what a template may reach ───────────────────────────────────────────────


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any
    ) -> Any:
        """Keep a slip such as {{ "-" * 10 ** 10 }} from filling the memory."""
        plain = isinstance(left, int | float) and isinstance(right, int | float)
        if not plain and operator == "*":
            sizes = [len(side) if isinstance(side, Sized) else side for side in (left, right)]
            plain = all(isinstance(size, int) for size in sizes)
            plain = plain and sizes[0] * sizes[1] <= MAX_CHARACTERS
        if operator == "**" and plain:
            plain = abs(left) <= MAX_CHARACTERS and abs(right) <= 64
        if not plain:
            raise SecurityError(f"“{operator}” gives too much")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if isinstance(obj, date) or obj is date:  # no today(), no strftime(): clock and locale
            return attr in ("year", "month", "day", "isoformat")
        return bool(super().is_safe_attribute(obj, attr, value))


class _Loader(jinja2.FileSystemLoader):
    """Reads templates below one folder; refuses a link that leads out of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, encoding="utf-8-sig")
        self.root = root

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        path = self.root / template
        try:
            if not path.resolve().is_relative_to(self.root):
                raise TemplateError(
                    f"{shown(path)} leads out of the templates folder",
                    hint="put the file itself there, not a link",
                )
            source, filename, up_to_date = super().get_source(environment, template)
        except jinja2.TemplateNotFound:  # an OSError too
            raise
        except UnicodeDecodeError as error:
            raise TemplateError(f"{shown(path)} is not UTF-8", hint="save it as UTF-8") from error
        except OSError as error:
            raise TemplateError(f"{shown(path)} cannot be read: {error.strerror}") from error
        except RuntimeError as error:
            raise TemplateError(
                f"{shown(path)} is a link that leads in a circle",
                hint="put the file itself there, not a link",
            ) from error
        except ValueError as error:  # a NUL in the name
            raise TemplateError(f"the template name {template!r} cannot be read") from error
        if len(source) > MAX_CHARACTERS:
            raise TemplateError(
                f"{shown(path)} has more than {MAX_CHARACTERS:,} characters",
                hint="is it the right file?",
            )
        return source, filename, up_to_date


def _printable(value: object) -> object:
    if isinstance(value, Prose):
        raise jinja2.TemplateRuntimeError(
            "a headline, bullet, source or credit is printed without a filter"
        )
    if value is None:
        raise jinja2.TemplateRuntimeError("a part that this issue does not have is printed")
    return value


class _Undefined(jinja2.StrictUndefined):
    """Fails when printed or asked, and says which name would be near."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        if self._undefined_obj is jinja2.utils.missing:
            return self._undefined_hint or f"“{name}” is undefined"
        owner = type(self._undefined_obj).__name__
        return f"{owner} has no “{name}”" + _near(name, _names(self._undefined_obj))


def _names(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        return map(str, value)
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    return [name for name in dir(value) if not name.startswith("_")]


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean “{near[0]}”?" if near else ""


# ── what went wrong, and where ──────────────────────────────────────────────

_SYNTAX_HINT = "every {% if %} and {% for %} needs its end, every {{ its }}"

_UNKNOWN_HINT = "the filters of our own are html, plain, linked and wrap; the rest are Jinja’s"
_FILTER_HINT = "write {{ item.bullet | html }} in HTML, {{ item.bullet | linked | wrap }} in text"
_NONE_HINT = "ask first, as in {% if view.note %} … {% endif %}"


def _runtime_message(error: Exception, context: Mapping[str, object]) -> tuple[str, str | None]:
    message = getattr(error, "message", None) or str(error)
    if isinstance(error, jinja2.UndefinedError):
        unknown = re.fullmatch(r"“(\w+)” is undefined", message)
        near = _near(unknown[1], context) if unknown else ""
        return message + near, f"templates see: {', '.join(sorted(context))}"
    if isinstance(error, SecurityError):
        return f"not allowed in a template: {message}", "templates print what they are given"
    if isinstance(error, jinja2.TemplateRuntimeError):
        hint = (
            _FILTER_HINT if "filter" in message else _NONE_HINT if "does not" in message else None
        )
        return _sentence(message), hint
    if isinstance(error, RecursionError):
        return "the template includes itself without end", "take the {% include %} out"
    if isinstance(error, AttributeError) and "runs" in message:
        return "this filter needs a headline, bullet, source or credit", _FILTER_HINT
    return _sentence(f"{type(error).__name__}: {message}"), None


def _place(environment: jinja2.Environment, trace: TracebackType | None) -> str | None:
    """File and line of the innermost template frame; Jinja maps its frames to template lines."""
    found = None
    root = f"{_root(environment)}/"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(root):
            found = f"{shown(Path(file))}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def _root(environment: jinja2.Environment) -> Path:
    assert isinstance(environment.loader, _Loader)
    return environment.loader.root


def _path(environment: jinja2.Environment, name: str) -> str:
    return shown(_root(environment) / name)


def _sentence(text: str) -> str:
    return text.strip().rstrip(".").replace("\n", " ")
