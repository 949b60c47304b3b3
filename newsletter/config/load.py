"""Find and read `newsletter.toml`: checked whole, every problem at once, each with its line."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import msgspec

from newsletter.config.form import Section, meta_of
from newsletter.config.model import Config
from newsletter.errors import ConfigError

CONFIG_NAME = "newsletter.toml"
MAX_BYTES = 200_000
_SHOWN = 20  # problems that one message lists


@dataclass(frozen=True)
class Workspace:
    """A folder with a newsletter.toml: everything that belongs to one newsletter."""

    root: Path
    config: Config

    @property
    def issues(self) -> Path:
        return self.root / "issues"

    @property
    def templates(self) -> Path:
        return self.root / "templates"

    @property
    def subscribers(self) -> Path:
        return self.root / "subscribers"


def find_root(start: Path) -> Path:
    """Return the nearest folder, from *start* upwards, that holds a newsletter.toml."""
    start = start.resolve()
    for folder in (start, *start.parents):
        path = folder / CONFIG_NAME
        if path.is_file():
            return folder
        if os.path.lexists(path):
            raise ConfigError(
                f"{path} is not a file", hint="put the newsletter's configuration there"
            )
    raise ConfigError(
        f"no {CONFIG_NAME} in {start} or above it",
        hint="go to your newsletter's folder, or lay one out with: newsletter init my-digest",
    )


def open_workspace(start: Path) -> Workspace:
    """Find and read the workspace that *start* lies in."""
    root = find_root(start)
    return Workspace(root, load(root / CONFIG_NAME))


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: one message that lists every problem as file:line: key: what.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else str(path)
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise ConfigError(
            f"{place}: this is not TOML: {what}", hint='texts stand in double quotes: key = "text"'
        ) from error
    except (ValueError, RecursionError) as error:  # a number too long, tables too deep
        raise ConfigError(
            f"{path} is not a configuration: {error}", hint="is it the right file?"
        ) from error
    reader = _Reader(path, text)
    config = reader.config(data)
    if config is None:
        raise ConfigError(
            "\n".join(reader.problems),
            hint="newsletter schema config lists every key and what it means",
        )
    return config


def read_text(path: Path) -> str:
    """Read a UTF-8 file of the workspace. Raises ConfigError that names it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                f"{path} has more than {MAX_BYTES:,} bytes", hint="is it the right file?"
            )
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} is missing", hint="lay out a workspace with: newsletter init my-digest"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", hint="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


class _Reader:
    """Converts key by key, so that every problem is found and not only the first."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.problems: list[str] = []

    def config(self, data: dict[str, Any]) -> Config | None:
        self._refuse_unknown(Config, data, ())
        sections: dict[str, Section] = {}
        for field in msgspec.structs.fields(Config):
            table = data.get(field.name, {})
            if field.name not in data and field.required:
                self._problem((field.name,), "is missing")
            elif not isinstance(table, dict):
                self._problem((field.name,), f"is not a table: write it as [{field.name}]")
            else:
                section = self._section(field.type, field.name, table)
                if section is not None:
                    sections[field.name] = section
        return None if self.problems else Config(**sections)  # type: ignore[arg-type]

    def _section(self, kind: type[Section], name: str, table: dict[str, Any]) -> Section | None:
        self._refuse_unknown(kind, table, (name,))
        values = {}
        sound = True
        for field in msgspec.structs.fields(kind):
            if field.name in table:
                try:
                    values[field.name] = _converted(table[field.name], field.type)
                except ValueError as error:
                    self._problem((name, field.name), f": {error}")
                    sound = False
            elif field.required:
                self._problem((name, field.name), "is missing")
                sound = False
        if not sound:
            return None
        section = kind(**values)
        for key, what in section.contradictions():
            self._problem((name, key), what)
        return section

    def _refuse_unknown(
        self, kind: type[Section], table: dict[str, Any], place: tuple[str, ...]
    ) -> None:
        known = kind.__struct_fields__
        for key in table:
            if key not in known:
                near = get_close_matches(key[:40], known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._problem((*place, key), f"is an unknown key{hint}")

    def _problem(self, keys: tuple[str, ...], what: str) -> None:
        if len(self.problems) >= _SHOWN:  # finding each line is slow; so many nobody reads
            self.problems[_SHOWN:] = ["… and more of the kind"]
            return
        place = f"{self.path}:{_line_of(self.text, keys)}"
        self.problems.append(f"{place}: {'.'.join(keys)}{'' if what[0] == ':' else ' '}{what}")


def _converted(value: object, kind: Any) -> object:
    """*value* as the annotated type *kind*. Raises ValueError that says what is wrong with it."""
    if isinstance(value, str):
        value = value.strip()
    elif isinstance(value, list):  # TOML has days and times of its own; here they are text
        value = [entry.isoformat() if isinstance(entry, date) else entry for entry in value]
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_plain_words(str(error), kind)) from error
    check = (meta_of(kind).extra or {})["check"]
    if check is None or converted is None:
        return converted
    checked: object = check(converted)
    return checked


def _in_plain_words(message: str, kind: Any) -> str:
    if "matching regex" in message:
        return f"it does not have the form that is wanted: {meta_of(kind).description}"
    if "enum value" in message:
        choices = " or ".join(get_args(get_args(kind)[0]))
        return f"{message.replace('Invalid enum value', 'there is no choice')}; write {choices}"
    for code, words in _WORDS.items():
        message = message.replace(code, words)
    message = re.sub(r" - at `\$\[(\d+)\]`", lambda at: f" (entry {int(at[1]) + 1})", message)
    return message[0].lower() + message[1:]


_WORDS = {
    "Invalid RFC3339 encoded date": "it is not a day; write it as in 2026-03-01",
    "`date | null`": "a day",
    "`int | str`": "a whole number or text",
    "`str | null`": "text",
    "`int | null`": "a whole number",
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "a table",
    "`date`": "a day",
    "`datetime`": "a day with a time",
}


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """Line of the key, else of its section's header, else 1."""
    wanted = "" if len(keys) == 1 else keys[0]
    key = re.compile(rf"\s*{re.escape(keys[min(1, len(keys) - 1)])}\s*=")
    section, found = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if header:
            section = header[1]
            if section == keys[0]:
                found = number
        elif section == wanted and key.match(line):
            return number
    return found
