"""The front-matter keys of an issue file, in one table.

The parser takes any key; the rules compare with this table, and the JSON Schema
that editors' tools read is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

SUBJECT_MAX = 150  # characters; RFC 5322 allows more, no inbox shows it
PREHEADER_MIN, PREHEADER_MAX = 40, 130  # characters that inboxes show


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontMatterKey:
    """*pattern* is a regular expression that every value matches, as in JSON Schema."""

    name: str
    description: str
    example: str
    required: bool = False
    pattern: str | None = None


FRONT_MATTER_KEYS = (
    FrontMatterKey(
        name="issue",
        description="Volume and number: 2.20. Not a decimal: 2.2 and 2.20 are two issues.",
        example="2.20",
        required=True,
        pattern=r"^[1-9][0-9]{0,2}\.[1-9][0-9]{0,2}$",
    ),
    FrontMatterKey(
        name="date",
        description="Day of publication, as in 2023-10-31.",
        example="2023-10-31",
        required=True,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    ),
    FrontMatterKey(
        name="subject",
        description="Subject of the mail; default: the title, the number and the first headline.",
        example="A new ambassador, and a hotline",
    ),
    FrontMatterKey(
        name="preheader",
        description="What inboxes show behind the subject; default: the other headlines.",
        example="Also: joint air exercise, fishery talks and a visit to Okinawa",
    ),
    FrontMatterKey(
        name="note",
        description="An editor's line above the headlines.",
        example="The next issue appears a week later than usual.",
    ),
)

KEY_NAMES = tuple(key.name for key in FRONT_MATTER_KEYS)
REQUIRED_KEYS = tuple(key for key in FRONT_MATTER_KEYS if key.required)


def front_matter_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the front matter."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Front matter of an issue",
        "type": "object",
        "properties": {key.name: _property(key) for key in FRONT_MATTER_KEYS},
        "required": [key.name for key in REQUIRED_KEYS],
        "additionalProperties": False,
    }


def _property(key: FrontMatterKey) -> dict[str, object]:
    # Other YAML readers take 2.20 for a number; ours reads every value as text.
    kinds: object = ["string", "number"] if key.name == "issue" else "string"
    schema: dict[str, object] = {"type": kinds, "description": key.description}
    if key.pattern is not None:
        schema["pattern"] = key.pattern
    schema["examples"] = [key.example]
    return schema
