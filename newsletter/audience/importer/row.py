"""One row of a file becomes a Candidate, or a problem with its column and reason.

What makes a person unmailable or a record untrue is a problem; a language or a time
that cannot be read is left out with a warning. Refuses to mend an address.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from newsletter.audience import fields as checks
from newsletter.audience.identity import Hasher
from newsletter.audience.importer.cells import (
    SPACES,
    address_and_identity,
    bare,
    ip_of,
    is_plain_text,
    language_of,
    moment_of,
    tags_of,
    without_address,
)
from newsletter.audience.importer.columns import Columns, plain
from newsletter.audience.importer.peers import (
    HARMLESS,
    OURS,
    PLAIN,
    PLAIN_STATUSES,
    Field,
    Standing,
)
from newsletter.audience.model import Reason, Status
from newsletter.errors import UsageError
from newsletter.store.tables import microseconds

_MAX_CACHED, _MAX_CACHED_TEXT = 10_000, 200
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_NOW_AND_THEN = timedelta(days=1)  # clocks and time zones differ

_TEXTS = (Field.CONSENT_WORDING, Field.CONSENT_PAGE, Field.SOURCE)
_TIMES = (Field.CREATED_AT, Field.CONSENT_AT, Field.CONFIRMED_AT, Field.LEFT_AT)
_STANDING = frozenset({Field.STATUS, Field.SUPPRESSED, Field.LEFT_AT})
_CACHED = (Field.TAGS, Field.LANGUAGE, Field.TIMEZONE, Field.FORMAT)
_JOINS = frozenset({Status.ACTIVE, Status.PENDING, Status.PAUSED})
_PERSON = (
    *(Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME),
    *(Field.LANGUAGE, Field.TIMEZONE, Field.FORMAT, Field.TAGS),
)
_ACTIVE = (Status.ACTIVE.value, None)

# A row that can be judged: a plain tuple, which the databases' drivers take fastest.
# With a reason the address is suppressed; without a status nobody is added. Times are
# microseconds since 1970. What the file does not say is "" among the first ten, and
# None among the others, which a file without any of them leaves out: there the
# import's own count.
Candidate = tuple[Any, ...]
COLUMNS = (
    *("line", "email", "identity", "identity_hash"),
    *("name", "language", "timezone", "format", "status", "reason"),
    *("source", "wording", "ip", "page"),
    *("created_at", "consent_at", "confirmed_at", "left_at"),
)
LINE, IDENTITY, REASON = (COLUMNS.index(name) for name in ("line", "identity", "reason"))


class Problem(Exception):  # noqa: N818 - a finding on its way, not an error of the world
    """Why a row cannot be taken; *field* is the column to mend, if it is one."""

    def __init__(self, field: Field | None, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(kw_only=True)
class Warnings:
    """Kinds of warning, each with how often and the line where it was first."""

    counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, kind: str, line: int) -> None:
        self.counts.setdefault(kind, [0, line])[0] += 1

    def texts(self) -> tuple[str, ...]:
        return tuple(
            f"{kind} ({times:,} {'row' if times == 1 else 'rows'}, first in line {line:,})"
            for kind, (times, line) in self.counts.items()
        )


class RowReader:
    """Read the rows of one file. *basis* is the import's consent; "" if there is none."""

    def __init__(
        self,
        columns: Columns,
        hasher: Hasher,
        *,
        basis: str,
        tags: Sequence[str],
        now: datetime,
        has_bad_bytes: bool = False,
    ) -> None:
        self.warnings = Warnings()
        self.columns = columns
        self._hash = hasher.hash
        self._basis = basis
        self._tags = tuple(tags)
        self._now = microseconds(now)
        self._latest = now + _NOW_AND_THEN
        self._has_bad_bytes = has_bad_bytes
        self._is_ours = columns.peer is OURS
        self._statuses = dict(PLAIN_STATUSES if not columns.peer.statuses else {})
        self._statuses |= columns.peer.statuses
        self._width = len(columns.names)
        at, present = columns.at, columns.at.keys()
        # A field that the file does not have is read from an empty cell after the last one.
        self._person = itemgetter(*(at.get(key, self._width) for key in _PERSON))
        self._others = tuple((key, place) for key, place in at.items() if key not in _PERSON)
        self._has_attributes = Field.ATTRIBUTES in present
        self._has_standing = columns.everyone is not None or bool(present & _STANDING)
        self._has_history = bool(present & {*_TEXTS, *_TIMES, Field.CONSENT_IP, Field.CONFIRMED_IP})
        # Without these a person would be taken for somebody else's status: no short rows.
        whole = {Field.EMAIL, *_STANDING}
        self._needed = 1 + max(place for key, place in at.items() if key in whole)
        self._known: dict[Field, dict[str, tuple[Any, str]]] = {key: {} for key in _CACHED}

    def __call__(self, row: list[str], line: int) -> tuple[Candidate, tuple[str, ...]]:
        """Return the candidate and its tags.

        Raises:
            Problem: the row cannot be taken.
            UsageError: it would join the list, and the import has no consent.
        """
        if len(row) != self._width or self._has_bad_bytes:
            self._check_shape(row)
        cells = [*row, ""]
        if "'" in "".join(row):
            cells = [bare(cell) for cell in cells]
        values = {key: cells[place].strip(SPACES) for key, place in self._others}
        person = self._person(cells)
        if self._has_attributes:
            person = self._spread(person, values[Field.ATTRIBUTES], line)
        address, name, first, last, language, timezone, form, tags = person
        try:
            email, identity = address_and_identity(address.strip(SPACES))
        except ValueError as error:
            raise Problem(Field.EMAIL, without_address(str(error))) from None
        status, reason = self._standing(values) if self._has_standing else _ACTIVE
        name = self._name(name, first, last)
        cached = self._cached
        if language:
            language = cached(Field.LANGUAGE, language, language_of, line)
        if timezone:
            timezone = cached(Field.TIMEZONE, timezone, checks.time_zone_of, line)
        if form:
            form = cached(Field.FORMAT, form, checks.format_of, line)
        tags = (*self._tags, *cached(Field.TAGS, tags, tags_of, line)) if tags else self._tags
        identity_hash = self._hash(identity)
        candidate: Candidate = (
            *(line, email, identity, identity_hash),
            *(name, language, timezone, form, status, reason),
        )
        wording = values.get(Field.CONSENT_WORDING) or self._basis
        if not wording and status in _JOINS:
            raise UsageError(
                f"line {line:,} would join the list, and nothing says that the person agreed",
                hint='say on what consent: --consent "asked on paper at the spring meeting"',
            )
        if "@" in wording or (tags and "@" in "".join(tags)):
            _refuse_address(identity, wording, tags)
        if self._has_history:
            candidate += self._history(values, line)
        return candidate, tags

    # ── the row as a whole ──────────────────────────────────────────────────

    def _check_shape(self, row: list[str]) -> None:
        width = self._width
        if len(row) != width:
            if len(row) > width:
                if any(row[width:]):
                    reason = f"it has {len(row)} fields, the header {width}: a comma too many?"
                    raise Problem(None, reason)
            elif len(row) < self._needed:
                raise Problem(None, f"it has {len(row)} fields, the header {width}")
            row += [""] * (width - len(row))
        if self._has_bad_bytes and any("\udc80" <= char <= "\udcff" for char in "".join(row)):
            raise Problem(None, "it holds bytes that are no text in the file's encoding")

    def _spread(self, person: tuple[str, ...], text: str, line: int) -> tuple[str, ...]:
        """Take what we know from a JSON object, where no column of its own says it."""
        if not text or text == "{}":
            return person
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise Problem(Field.ATTRIBUTES, "it is not JSON") from None
        if not isinstance(found, dict):
            raise Problem(Field.ATTRIBUTES, "it is no JSON object")
        values = dict(zip(_PERSON, person, strict=True))
        for key, value in found.items():
            known = PLAIN.columns.get(plain(key))
            if known is not None and known in HARMLESS and isinstance(value, str | list):
                text = value if isinstance(value, str) else json.dumps(value)
                if known is Field.TAGS and values[known]:
                    values[known] = _joined(values[known], text)
                values[known] = values[known] or text
            else:
                self.warnings.add("attributes that have no column here are not kept", line)
        return tuple(values.values())

    def _history(self, values: dict[Field, str], line: int) -> tuple[Any, ...]:
        """What the file says of the consent and its times: the rest of a Candidate."""
        get = values.get
        for key in _TEXTS:
            text = get(key)
            if text and not is_plain_text(text):
                raise Problem(key, "it is too long or holds control characters")
        times = {key: self._time(values[key], line) for key in _TIMES if key in values}
        created_at, consent_at = times.get(Field.CREATED_AT), times.get(Field.CONSENT_AT)
        confirmed_at = times.get(Field.CONFIRMED_AT)
        return (
            get(Field.SOURCE) or None,
            get(Field.CONSENT_WORDING) or None,
            self._ip(get(Field.CONSENT_IP) or get(Field.CONFIRMED_IP), line),
            get(Field.CONSENT_PAGE) or None,
            created_at or consent_at,
            consent_at or created_at or confirmed_at,
            confirmed_at,
            times.get(Field.LEFT_AT),
        )

    # ── its fields ──────────────────────────────────────────────────────────

    def _standing(self, values: dict[Field, str]) -> tuple[str | None, str | None]:
        """The status that the row asks for, and the reason why it must not be mailed."""
        everyone = self.columns.everyone
        if everyone is not None:
            return None, everyone.value
        text = values.get(Field.STATUS)
        suppressed = values.get(Field.SUPPRESSED)
        standing: Standing | None = Status.ACTIVE
        if text:
            standing = self._statuses.get(text.lower())
            if standing is None:
                raise Problem(Field.STATUS, f"the status “{text[:40]}” is not known")
        elif Field.STATUS in values:
            if not suppressed:
                raise Problem(Field.STATUS, "it is empty")
            standing = None
        if suppressed:
            reason = _REASONS.get(suppressed.lower())
            if reason is None:
                raise Problem(Field.SUPPRESSED, f"“{suppressed[:40]}” is no reason")
            return (standing.value if self._is_ours and standing else None), reason.value
        if isinstance(standing, Reason):
            return None, standing.value
        if values.get(Field.LEFT_AT):
            return None, Reason.UNSUBSCRIBED.value
        assert standing is not None
        return standing.value, None

    def _name(self, name: str, first: str, last: str) -> str:
        text = name or (f"{first.strip(SPACES)} {last}" if first and last else first or last)
        if not text:
            return ""
        try:
            return checks.name_of(text.strip(SPACES))
        except ValueError as error:
            parts = {Field.NAME: name, Field.FIRST_NAME: first, Field.LAST_NAME: last}
            raise Problem(_refused(parts), str(error)) from None

    def _cached(self, key: Field, text: str, check: Callable[[str], Any], line: int) -> Any:
        """The checked value; nothing, and a warning, where *check* refuses it."""
        known = self._known[key]
        found = known.get(text)
        if found is None:
            found = _judged(key, text, check)
            if len(known) < _MAX_CACHED and len(text) < _MAX_CACHED_TEXT:
                known[text] = found
        value, warning = found
        if warning:
            self.warnings.add(warning, line)
        return value

    def _time(self, text: str | None, line: int) -> int | None:
        if not text:
            return None
        moment = moment_of(text)
        if moment is not None and _OLDEST <= moment <= self._latest:
            return min(microseconds(moment), self._now)
        self.warnings.add("times that are not of the form 2024-03-05 10:15:00 are left out", line)
        return None

    def _ip(self, text: str | None, line: int) -> str | None:
        if not text:
            return None
        try:
            return ip_of(text)
        except ValueError:
            self.warnings.add("IP addresses that are none are left out", line)
            return None


_REASONS = {
    reason.value: reason
    for reason in (Reason.UNSUBSCRIBED, Reason.BOUNCED, Reason.COMPLAINED, Reason.MANUAL)
}


def _joined(tags: str, more: str) -> str:
    """The tags of two cells as one."""
    try:
        return json.dumps([*tags_of(tags), *tags_of(more)])
    except ValueError as error:
        raise Problem(Field.TAGS, str(error)) from None


def _refused(parts: dict[Field, str]) -> Field:
    """Which part of a name it is; the first that is there for one that is only too long in all."""
    for key, text in parts.items():
        try:
            checks.name_of(text)
        except ValueError:
            return key
    return next(key for key, text in parts.items() if text)


def _refuse_address(identity: str, wording: str, tags: tuple[str, ...]) -> None:
    """These outlive an erasure, so they must not hold the address: see `history`."""
    address = identity.casefold()
    if address in wording.casefold():
        raise Problem(Field.CONSENT_WORDING, "the consent holds the person's address")
    if any(address in tag.casefold() for tag in tags):
        raise Problem(Field.TAGS, "a tag holds the person's address")


def _judged(key: Field, text: str, check: Callable[[str], Any]) -> tuple[Any, str]:
    try:
        return check(text), ""
    except ValueError as error:
        if key is Field.TAGS:
            raise Problem(key, str(error)) from None
        return "", f"{error}; it is left out"
