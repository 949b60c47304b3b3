"""Put what `newsletter init` lays out into the wheel; an editable install reads it in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("newsletter.toml", "people.txt", "terms.toml", "templates", "subscribers")


class SeedHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        newest = max(Path(self.root, "issues").glob("vol-*")).name
        for part in (*PARTS, f"issues/{newest}"):
            build_data["force_include"][str(Path(self.root, part))] = f"newsletter/workspace/{part}"
