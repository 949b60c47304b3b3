"""The house rules: one small module each, whose docstring is its manual page.

A rule module has `CODE`, `SEVERITY` and, unless the parser, the composer or the importer
reports it, `check(document, context)` that yields findings. Codes: NL0xx the file, NL1xx
the structure (errors), NL2xx style, NL3xx vocabulary and consistency, NL4xx characters
and spacing (mostly fixable), NL8xx the composed mail, NL9xx import.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType

from newsletter.config import CheckConfig
from newsletter.diagnostics import Edit, Severity
from newsletter.issue.document import Document
from newsletter.issue.number import IssueNumber
from newsletter.issue.source import Span
from newsletter.issue.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, and where; *severity* only where it differs from the rule's."""

    span: Span
    message: str
    hint: str | None = None
    edits: tuple[Edit, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """Another issue of the workspace, as far as rules need it."""

    path: Path
    folder: str
    folder_number: IssueNumber | None
    number: IssueNumber | None
    date: date | None
    headlines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule may know beside the document. *today* is the editor's date."""

    config: CheckConfig
    vocabulary: Vocabulary
    folder: Path
    today: date
    first_year: int | None = None
    find_neighbours: Callable[[], Sequence[Neighbour]] = tuple

    @cached_property
    def neighbours(self) -> Sequence[Neighbour]:
        """The other issues, in the order of their folders; read on first use."""
        return self.find_neighbours()


Check = Callable[[Document, Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its module describes it."""

    code: str
    name: str
    severity: Severity
    manual: str
    check: Check | None

    @property
    def summary(self) -> str:
        """First line of the manual page, without the code."""
        return self.manual.partition("\n")[0].partition(": ")[2]

    @property
    def waivable(self) -> bool:
        return self.severity is not Severity.ERROR


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    modules = (
        importlib.import_module(f"{__name__}.{info.name}")
        for info in pkgutil.iter_modules(__path__)
        if not info.name.startswith("_")
    )
    return tuple(sorted(map(_rule, modules), key=lambda rule: rule.code))


def _rule(module: ModuleType) -> Rule:
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    manual = (module.__doc__ or "").strip()
    if not manual.startswith(f"{module.CODE} {name}: "):
        raise ValueError(
            f"{module.__name__}: the docstring must begin with “{module.CODE} {name}: ”"
        )
    return Rule(module.CODE, name, module.SEVERITY, manual, getattr(module, "check", None))


def find_rule(code: str) -> Rule | None:
    """The rule with this code (NL104) or name (item-count), in any letter case."""
    wanted = code.strip().lower()
    return next((r for r in all_rules() if wanted in (r.code.lower(), r.name)), None)
