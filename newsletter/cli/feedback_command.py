"""`newsletter feedback`: what came back, from the mailbox or from files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from newsletter.cli.shared import plural, workspace_at
from newsletter.errors import UsageError

if TYPE_CHECKING:
    from newsletter.config import Workspace
    from newsletter.feedback.events import Event
    from newsletter.feedback.looking import Looked
    from newsletter.feedback.mailbox import Incoming


@click.command("feedback")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what each message says; record nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(start: str, files: tuple[Path, ...], dry_run: bool, as_json: bool) -> int:
    """Look into the bounce mailbox once: bounces, complaints, wishes to leave.

    newsletter run does that by itself every few minutes. What is read moves to the
    folder feedback.imap_done; letters that only a person can read stay, flagged.
    The same message counts once, however often it is read.

    With FILES (one message each, *.eml) it reads these instead of the mailbox, and
    leaves them where they are. --dry-run shows addresses: it is for your eyes.
    """
    workspace = workspace_at(start)
    if dry_run:
        told = list(_told(_messages(workspace, files)))
        click.echo(_as_json(told) if as_json else "\n".join(map(_as_text, told)))
        return 0
    looked = _look(workspace, files)
    click.echo(json.dumps(_record_of(looked), indent=2) if as_json else _summary(looked))
    return 0


# ── record ──────────────────────────────────────────────────────────────────


def _look(workspace: Workspace, files: tuple[Path, ...]) -> Looked:
    from newsletter.audience.links import links_of
    from newsletter.feedback.looking import mailbox_of, read_mailbox
    from newsletter.store.engine import open_store

    mailbox = _FileBox(files) if files else mailbox_of(workspace)
    links = links_of(workspace)
    with open_store(workspace) as store:
        return read_mailbox(store, mailbox, links=links, now=datetime.now(UTC))


def _summary(looked: Looked) -> str:
    recorded = looked.recorded
    if not looked.messages:
        return "nothing new in the mailbox"
    new = plural(recorded.new, "new event")
    lines = [f"{plural(looked.messages, 'message')}: {new}, {recorded.known:,} known"]
    lines += [f"  {number:,} {kind}" for kind, number in sorted(looked.kinds.items())]
    if recorded.suppressed:
        people = plural(recorded.suppressed, "person", "people")
        lines.append(f"{people} will not be mailed any more")
    if recorded.settled:
        lines.append(
            f"{plural(recorded.settled, 'uncertain delivery', 'uncertain deliveries')} settled"
        )
    if recorded.unknown:
        lines.append(f"{plural(recorded.unknown, 'event')} about nobody on the list")
    if looked.left:
        lines.append(f"{plural(looked.left, 'letter')} for a person to read: flagged, left there")
    if looked.problems:
        lines.append(f"{plural(looked.problems, 'message')} could not be read: flagged, left there")
    return "\n".join(lines)


def _record_of(looked: Looked) -> dict[str, Any]:
    recorded = looked.recorded
    return {
        "messages": looked.messages,
        "new": recorded.new,
        "known": recorded.known,
        "unknown": recorded.unknown,
        "suppressed": recorded.suppressed,
        "settled": recorded.settled,
        "kinds": {kind.value: number for kind, number in sorted(looked.kinds.items())},
        "left": looked.left,
        "problems": looked.problems,
    }


# ── show ────────────────────────────────────────────────────────────────────


def _messages(workspace: Workspace, files: tuple[Path, ...]) -> Iterator[Incoming]:
    from newsletter.feedback.looking import mailbox_of

    with _FileBox(files) if files else mailbox_of(workspace) as mailbox:
        for batch in mailbox.batches():
            yield from batch


def _told(messages: Iterable[Incoming]) -> Iterator[tuple[str, list[Event]]]:
    from newsletter.feedback.looking import events_of

    now = datetime.now(UTC)
    for message in messages:
        yield message.key, events_of(message, now=now)


def _as_text(told: tuple[str, list[Event]]) -> str:
    name, events = told
    return "\n".join(f"{name}: {line}" for line in map(_line, events)) or f"{name}: no event"


def _line(event: Event) -> str:
    from newsletter.feedback.events import Kind

    words = [event.kind.value]
    if event.kind is Kind.BOUNCED:
        words.append("for good" if event.is_permanent else "for now")
    words.append(event.email or "(address not named)")
    if event.token is not None:
        words.append("[names a delivery]")
    return f"{' '.join(words)}  {event.detail}".rstrip()


def _as_json(told: list[tuple[str, list[Event]]]) -> str:
    records = [
        {
            "message": name,
            "events": [
                {
                    "kind": event.kind.value,
                    "is_permanent": event.is_permanent,
                    "email": event.email,
                    "token": event.token,
                    "at": event.at.isoformat(),
                    "detail": event.detail,
                }
                for event in events
            ],
        }
        for name, events in told
    ]
    return json.dumps(records, ensure_ascii=False, indent=2)


class _FileBox:
    """Files as a mailbox; they stay where they are."""

    name = "files"

    def __init__(self, files: tuple[Path, ...]) -> None:
        self._files = files

    def __enter__(self) -> _FileBox:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def batches(self) -> Iterator[list[Incoming]]:
        from newsletter.feedback.mailbox import MAX_MESSAGE, Incoming

        for path in self._files:
            try:
                with path.open("rb") as file:
                    yield [Incoming(key=str(path), data=file.read(MAX_MESSAGE), at=None)]
            except OSError as error:
                raise UsageError(f"{path} cannot be read: {error.strerror}") from error

    def done(self, messages: object) -> None:
        pass

    def leave(self, messages: object) -> None:
        pass
