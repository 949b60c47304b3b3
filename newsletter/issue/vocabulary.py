"""The house vocabulary: `people.txt` and `terms.toml` beside `newsletter.toml`.

Either may be missing: then there is simply less to compare with. What is there
must be sound; every problem names its file and line. Read once per change of
the files, so that checking a hundred issues reads them once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from newsletter.errors import ConfigError

PEOPLE_NAME = "people.txt"
TERMS_NAME = "terms.toml"

_MAX_BYTES = 200_000  # some ten thousand names
_SHOWN = 20  # problems of one file that a message lists
_TABLES = {"acronyms": ("known",), "names": ("known",), "forms": None}
_NAME_PART = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Vocabulary:
    """*people*: full names. *acronyms*: known to every reader. *forms*: preferred form → variants.

    *names*: words that look like a misspelt name of *people* and are right.
    """

    people: frozenset[str] = frozenset()
    acronyms: frozenset[str] = frozenset()
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    @cached_property
    def name_parts(self) -> Mapping[str, frozenset[str]]:
        """Each part of a name → the full names that have it: “Kishida” → {“Fumio Kishida”, …}."""
        found: dict[str, set[str]] = {}
        for person in self.people:
            for part in _NAME_PART.findall(person):
                found.setdefault(part.replace("’", "'"), set()).add(person)
        return {part: frozenset(people) for part, people in found.items()}

    @cached_property
    def _parts_by_deletion(self) -> Mapping[str, tuple[str, ...]]:
        index: dict[str, list[str]] = {}
        for part in self.name_parts:
            for key in _deletions(part.lower()):
                index.setdefault(key, []).append(part)
        return {key: tuple(sorted(parts)) for key, parts in index.items()}

    def parts_near(self, word: str) -> tuple[str, ...]:
        """Parts of names that may be one edit from *word*; compare before you believe it."""
        if len(word) > 40:
            return ()
        near = {
            part
            for key in _deletions(word.lower())
            for part in self._parts_by_deletion.get(key, ())
        }
        return tuple(sorted(near))


def _deletions(word: str) -> set[str]:
    """*word* and what is left of it without any one letter: words one edit apart share one."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def load_vocabulary(root: Path) -> Vocabulary:
    """Read the vocabulary of the workspace at *root*; a missing file counts as empty.

    Raises:
        ConfigError: a file cannot be read or is malformed; each problem as file:line.
    """
    return _load(root, _stamp(root / PEOPLE_NAME), _stamp(root / TERMS_NAME))


_Stamp = tuple[int, int] | None


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="see that it is a readable file"
        ) from error
    if not S_ISREG(status.st_mode):
        raise ConfigError(f"{path} is not a file", hint="put a text file there, or nothing")
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=8)
def _load(root: Path, people_stamp: _Stamp, terms_stamp: _Stamp) -> Vocabulary:
    people = _people(root / PEOPLE_NAME) if people_stamp is not None else frozenset[str]()
    if terms_stamp is None:
        return Vocabulary(people=people)
    path = root / TERMS_NAME
    text = _read(path)
    terms = _terms(path, text)
    return Vocabulary(
        people=people,
        acronyms=frozenset(terms["acronyms"].get("known", ())),
        names=frozenset(terms["names"].get("known", ())),
        forms=terms["forms"],
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="see that it is a readable file"
        ) from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(
            f"{path} has more than {_MAX_BYTES:,} bytes", hint="is it the right file?"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: this is not UTF-8", hint="save it as UTF-8") from error


def _raise_for(problems: Iterator[str], hint: str) -> None:
    """Raise ConfigError with the first problems, if there are any."""
    listed = list(islice(problems, _SHOWN + 1))
    if len(listed) > _SHOWN:
        listed[_SHOWN] = "… and more of the kind"
    if listed:
        raise ConfigError("\n".join(listed), hint=hint)


# ── people.txt ──────────────────────────────────────────────────────────────


def _people(path: Path) -> frozenset[str]:
    lines = [
        " ".join(re.split(r"(?:^|\s)#", line, maxsplit=1)[0].split())
        for line in _read(path).split("\n")
    ]
    _raise_for(
        (
            f"{path}:{number}: {what}: {name[:60]!r}"
            for number, name in enumerate(lines, start=1)
            if name and (what := _name_problem(name))
        ),
        "write one full name a line, given name first; # begins a remark",
    )
    return frozenset(name for name in lines if name)


def _name_problem(name: str) -> str | None:
    if "," in name or ";" in name:
        return "more than one name, or the family name first"
    if any(char.isdigit() for char in name):
        return "a name holds no figures"
    if not name.isprintable() or not any(char.isalpha() for char in name):
        return "this is not a name"
    return "a name this long is a mistake" if len(name) > 80 else None


# ── terms.toml ──────────────────────────────────────────────────────────────


def _terms(path: Path, text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(
            f"{path}:{line}: this is not TOML: {what}",
            hint='a form and its variants: "Indo-Pacific" = ["Indo Pacific"]',
        ) from error
    except (ValueError, RecursionError) as error:  # a number too long, tables too deep
        raise ConfigError(
            f"{path} is not a list of terms: {error}", hint="is it the right file?"
        ) from error
    _raise_for(
        (f"{path}:{_line_of(text, key)}: {what}" for key, what in _term_problems(data)),
        "the tables are [acronyms] and [names], each known = [...], and [forms]: "
        '"preferred" = ["variant", ...]',
    )
    return {
        table: {key: tuple(values) for key, values in data.get(table, {}).items()}
        for table in _TABLES
    }


def _term_problems(data: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for table, content in data.items():
        if table not in _TABLES:
            yield table, f"unknown table {table}{_near(table, _TABLES)}"
            continue
        if not isinstance(content, dict):
            yield table, f"{table} must be a table: [{table}]"
            continue
        allowed = _TABLES[table]
        for key, values in content.items():
            if allowed is not None and key not in allowed:
                yield key, f"unknown key {table}.{key}{_near(key, allowed)}"
            elif not isinstance(values, list) or not all(
                isinstance(value, str) and value.strip() for value in values
            ):
                yield key, f"{table}.{key} must be a list of texts, none of them empty"
            elif allowed is None and key in values:
                yield key, f"“{key}” is given as a variant of itself"


def _near(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _line_of(text: str, key: str) -> int:
    """Line where *key* begins a line, as a key or as a table's name; else 1."""
    start = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*(?:[\]=.])")
    lines = enumerate(text.split("\n"), start=1)
    return next((number for number, line in lines if start.match(line)), 1)
