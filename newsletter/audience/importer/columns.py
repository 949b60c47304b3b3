"""Which column holds what: by the operator's mapping, by whose file it is, by plain names.

Refuses a header that can be understood in two ways, and a list of people who left
that looks like a list of subscribers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.audience.importer.peers import HARMLESS, PEERS, PLAIN, Field, Peer
from newsletter.audience.model import Reason
from newsletter.errors import UsageError
from newsletter.issue.folder import shown

PROBLEM = "import_problem"  # the column of a rejects file that says why; never read

_LEFT = re.compile(
    r"unsub|nonsub|cleaned|bounce|suppress|blocklist|blacklist|spam|complain|invalid|optout|opt-out",
    re.IGNORECASE,
)
_ON_THE_LIST = frozenset(
    "subscribed is_subscribed subscription_status optin opt_in opted_in is_active".split()
)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """*at* gives the place of each field in a row, *names* the header's name of each place."""

    peer: Peer
    at: Mapping[Field, int]
    names: tuple[str, ...]
    everyone: Reason | None
    unused: tuple[str, ...]

    def name_of(self, field: Field | None) -> str:
        """The header's name of the column; "" where there is none."""
        return self.names[self.at[field]] if field is not None and field in self.at else ""


def plain(name: str) -> str:
    """“E-Mail Address” → “e_mail_address”."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def parse_mapping(text: str) -> dict[str, str]:
    """Parse "E-Mail=email,Vorname=first_name"; a name with a comma is put in quotes.

    Raises:
        UsageError: it is not of that form, or names a field that there is not.
    """
    mapping: dict[str, str] = {}
    for part in next(csv.reader([text], skipinitialspace=True), []):
        column, _, field = part.rpartition("=")
        if not column.strip():
            raise UsageError(
                f"“{part}” does not say which column holds what",
                hint='write it as in: --map "E-Mail=email,Vorname=first_name"',
            )
        mapping[column.strip()] = _field(field).value
    return mapping


def _field(text: str) -> Field:
    try:
        return Field(text.strip().lower())
    except ValueError:
        known = ", ".join(Field)
        raise UsageError(f"there is no field “{text.strip()}”", hint=f"fields: {known}") from None


def resolve(
    header: Sequence[str],
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    suppress: Reason | None = None,
) -> Columns:
    """Say what the columns of *header* hold.

    *mapping* (column → field) wins over everything; *suppress* makes the whole file a
    list of addresses that are never mailed again.

    Raises:
        UsageError: no column of addresses, a column that is there twice, a mapping that
            names a column that is not there, or a file that may be a list of people who left.
    """
    names = [plain(name) for name in header]
    given = _given(header, names, path, mapping or {})
    at: dict[Field, int] = {
        field: place for place, field in given.items() if field is not Field.IGNORE
    }
    peer = _peer_of(names, path, is_mapped=bool(given))
    for place, name in enumerate(names):
        field = peer.columns.get(name)
        if field is not None and place not in given and field not in given.values():
            _put(at, field, place, header, path)
    for place, name in enumerate(names):
        field = PLAIN.columns.get(name)
        if (
            field is not None
            and field in HARMLESS
            and field not in at
            and place not in {*given, *at.values()}
        ):
            at[field] = place
    _require_email(at, header, path)
    everyone = suppress or peer.everyone
    if everyone is None and Field.STATUS not in at:
        _refuse_doubtful(names, path, is_mapped=bool(given))
    unused = tuple(
        header[place]
        for place, name in enumerate(names)
        if place not in {*given, *at.values()} and name != PROBLEM
    )
    if everyone is None and peer is PLAIN and not at.keys() & {Field.STATUS, Field.LEFT_AT}:
        _refuse_unread(unused, path)
    return Columns(peer=peer, at=at, names=tuple(header), everyone=everyone, unused=unused)


def _given(
    header: Sequence[str], names: list[str], path: Path, mapping: Mapping[str, str]
) -> dict[int, Field]:
    found: dict[int, Field] = {}
    for column, word in mapping.items():
        places = [place for place, name in enumerate(header) if name == column] or [
            place for place, name in enumerate(names) if name == plain(column)
        ]
        if len(places) != 1:
            problem = "no column" if not places else "more than one column"
            listed = ", ".join(f"“{name}”" for name in header[:20])
            raise UsageError(f"{shown(path)} has {problem} “{column}”", hint=f"it has: {listed}")
        field = _field(word)
        if field in found.values() and field is not Field.IGNORE:
            raise UsageError(f"two columns are mapped to “{field}”", hint="map one of them")
        found[places[0]] = field
    return found


def _peer_of(names: list[str], path: Path, *, is_mapped: bool) -> Peer:
    present = {name for name in names if name != plain(PROBLEM)}
    file_name = path.name.casefold()
    for peer in PEERS:
        if (
            peer.marks <= present
            and (not peer.only or peer.marks == present)
            and peer.file_name in file_name
            and not (peer.only and is_mapped)
        ):
            return peer
    return PLAIN


def _put(at: dict[Field, int], field: Field, place: int, header: Sequence[str], path: Path) -> None:
    if field in at:
        first, second = header[at[field]], header[place]
        raise UsageError(
            f"two columns of {shown(path)} may hold “{field}”: “{first}” and “{second}”",
            hint="delete or rename one of them"
            if first == second
            else f'say which, as in: --map "{second}={field}"',
        )
    at[field] = place


def _require_email(at: Mapping[Field, int], header: Sequence[str], path: Path) -> None:
    if Field.EMAIL in at:
        return
    if any("@" in name for name in header):
        raise UsageError(
            f"{shown(path)} has no header: its first line holds an address",
            hint="put a line above it that names the columns, as in: email,name",
        )
    if len(header) == 1:
        raise UsageError(
            f"{shown(path)} has a single column, and it is not “email”",
            hint="columns are separated by comma, semicolon or tab",
        )
    listed = ", ".join(f"“{name[:40]}”" for name in header[:12])
    raise UsageError(
        f"no column of {shown(path)} is known to hold e-mail addresses: {listed}",
        hint=f'say which, as in: --map "{header[0][:40]}=email"',
    )


def _refuse_unread(unused: Sequence[str], path: Path) -> None:
    """Refuse a file whose only word on who left is in a column that we would not read."""
    for name in unused:
        if _LEFT.search(plain(name).replace("_", "-")) or plain(name) in _ON_THE_LIST:
            raise UsageError(
                f"the column “{name[:40]}” of {shown(path)} may say who left",
                hint=f'if it does not: --map "{name[:40]}=ignore"; if it holds words such as '
                f'active, unsubscribed: --map "{name[:40]}=status"; else import those who left '
                "from a file of their own, with --suppress unsubscribed",
            )


def _refuse_doubtful(names: list[str], path: Path, *, is_mapped: bool) -> None:
    """Better one question too many than mail to everyone who left."""
    left = _LEFT.search(path.name)
    if left:
        raise UsageError(
            f"the name of {shown(path)} says that these people left (“{left[0]}”), "
            "but its columns do not",
            hint="to suppress them all: --suppress unsubscribed; if it is a list of subscribers, "
            "rename the file",
        )
    if sorted(name for name in names if name != PROBLEM) == ["created", "email"] and not is_mapped:
        raise UsageError(
            f"{shown(path)} may be SendGrid's list of people who unsubscribed",
            hint="to suppress them all: --suppress unsubscribed; if it is a list of subscribers: "
            '--map "created=created_at"',
        )
