"""The manifest of an edition: what it holds and what it was made from, as SHA-256.

Its own SHA-256 is the edition's: who approves it, approves every byte of every
file, and any change to text, picture, template or configuration shows by name.
Holds no clock and no path outside the edition, so that equal input gives equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from newsletter.compose.view import View
from newsletter.config import Config
from newsletter.errors import StorageError, TemplateError
from newsletter.issue.folder import shown

NAME = "manifest.json"
FORMAT = "newsletter edition 1"

TEMPLATE_FOLDERS = ("email", "text", "web", "print")

# Sections of newsletter.toml that reach a reader; the thresholds of `check` do not.
_SECTIONS = {"newsletter", "publisher", "sender", "site", "footer", "print"}
_OF_SCHEDULE = ("at", "timezone")  # they stand in the Date of the sample message


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def build(
    view: View,
    config: Config,
    *,
    files: Mapping[str, bytes],
    sources: Mapping[str, str],
    templates: Mapping[str, str],
) -> bytes:
    """Write the manifest; *sources* and *templates* are names and their SHA-256."""
    content = {
        "format": FORMAT,
        "number": view.number,
        "title": f"{view.title} {view.label}",
        "date": view.date.isoformat(),
        "subject": view.subject,
        "preheader": view.preheader,
        "files": {
            name: {"bytes": len(data), "sha256": digest(data)} for name, data in files.items()
        },
        "sources": dict(sources),
        "templates": dict(templates),
        "configuration": _configuration(config),
    }
    return (json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _configuration(config: Config) -> dict[str, object]:
    sections = {name: msgspec.to_builtins(getattr(config, name)) for name in _SECTIONS}
    schedule = {name: getattr(config.schedule, name) for name in _OF_SCHEDULE}
    return {**sections, "schedule": schedule}


def template_hashes(templates: Path) -> dict[str, str]:
    """SHA-256 of every file that a template can use; hidden files and back-ups are passed over."""
    found = {}
    for folder in TEMPLATE_FOLDERS:
        for path in sorted((templates / folder).rglob("*")):
            name = path.relative_to(templates)
            if path.name.endswith("~") or any(part.startswith(".") for part in name.parts):
                continue
            if path.is_file():
                found[name.as_posix()] = _hash_of(path)
    return found


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TemplateError(f"{shown(path)} cannot be read: {error.strerror}") from error


def read(folder: Path) -> dict[str, str]:
    """Names of the files of the edition in *folder*, each with its SHA-256.

    Raises:
        StorageError: there is no manifest, or not one of ours.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_bytes())
        files = {str(name): str(entry["sha256"]) for name, entry in content["files"].items()}
        ours = content["format"] == FORMAT and all(Path(name).name == name for name in files)
    except FileNotFoundError as error:
        raise StorageError(
            f"{shown(path)} is missing", hint="newsletter render writes an edition"
        ) from error
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        ours = False
    if not ours:
        raise StorageError(
            f"{shown(path)} is not the manifest of an edition", hint="render the issue again"
        )
    return files


def verify(folder: Path) -> list[str]:
    """Names of the files in *folder* that are missing, or are not what the manifest says.

    Raises:
        StorageError: there is no manifest, or a file cannot be read.
    """
    return [
        name for name, sha256 in sorted(read(folder).items()) if _differs(folder / name, sha256)
    ]


def _differs(path: Path, sha256: str) -> bool:
    try:
        return path.is_symlink() or digest(path.read_bytes()) != sha256
    except (FileNotFoundError, IsADirectoryError):
        return True
    except OSError as error:
        raise StorageError(f"{shown(path)} cannot be read: {error.strerror}") from error
