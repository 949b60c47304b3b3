"""Issue numbers: "2.20" is volume 2, number 20.

Never a decimal: 2.2 and 2.20 are different issues, and 2.20 comes after 2.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"([1-9][0-9]{0,2})\.([1-9][0-9]{0,2})")
_FOLDER = re.compile(r"vol-([1-9][0-9]{0,2})-([0-9]{2,3})")


@dataclass(frozen=True, order=True, slots=True)
class IssueNumber:
    """Volume and number within it, both from 1 to 999; ordered as published."""

    volume: int
    number: int

    def __post_init__(self) -> None:
        if not (1 <= self.volume <= 999 and 1 <= self.number <= 999):
            raise ValueError(f"volume and number run from 1 to 999, not {self}")

    @classmethod
    def parse(cls, text: str) -> IssueNumber:
        """Read "2.20". Raises ValueError for anything else, "2.05" and "02.5" included."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"“{text}” is not an issue number: write volume.number, as in 2.20")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def from_folder(cls, name: str) -> IssueNumber:
        """Read "vol-2-05". Raises ValueError for a name that `folder` would not give."""
        match = _FOLDER.fullmatch(name)
        if match is not None and int(match[2]) > 0:
            number = cls(int(match[1]), int(match[2]))
            if number.folder == name:
                return number
        raise ValueError(f"“{name}” is not an issue folder: write it as in vol-2-05")

    @property
    def folder(self) -> str:
        """Folder and URL name, zero-padded so that folders sort: "vol-2-05"."""
        return f"vol-{self.volume}-{self.number:02d}"

    def following(self) -> IssueNumber:
        return IssueNumber(self.volume, self.number + 1)

    def __str__(self) -> str:
        return f"{self.volume}.{self.number}"
