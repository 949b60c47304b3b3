"""`newsletter subscribers show`: one person, what led to their status, what they were sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from newsletter.audience.model import Entry, Reason, Status, Subscriber
from newsletter.cli.shared import LINE, plural
from newsletter.cli.subscribers.list_command import as_record, is_eligible
from newsletter.cli.subscribers.transaction import person_named, reading

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.delivery.history import PastDelivery

WHY_NOT = {
    Status.PENDING: "not confirmed yet",
    Status.PAUSED: "paused",
    Status.UNSUBSCRIBED: "left",
    Status.ERASED: "erased",
}


@click.command("show")
@click.argument("email", type=LINE)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def command(start: str, email: str, as_json: bool) -> None:
    """Show one person: status, consent, history, and what was sent to them.

    EMAIL may be the number that a report gives in place of an address. An address
    that is not on the list and suppressed is shown too.
    """
    from newsletter.audience.subscribers import find, issues_left, suppression_of, timeline
    from newsletter.delivery.history import deliveries_of

    with reading(start) as conn:
        reason = suppression_of(conn, email)
        if reason is not None and find(conn, email) is None:
            click.echo(_suppressed(conn, email, reason, as_json=as_json))
            return
        person = person_named(conn, email)
        reason = suppression_of(conn, person.email)
        mailed = is_eligible(conn, person)
        left = issues_left(conn, person.id)
        entries = timeline(conn, person.id)
        deliveries = deliveries_of(conn, person.id)
    if as_json:
        suppressed = reason.value if reason else None
        facts = {**as_record(person), "eligible": mailed, "suppressed": suppressed}
        facts["issues_left"] = left
        history = [_as_json(entry) for entry in entries]
        issues = [past.as_record() for past in deliveries]
        everything = {**facts, "timeline": history, "deliveries": issues}
        click.echo(json.dumps(everything, ensure_ascii=False, indent=2))
        return
    why = (
        "yes" if mailed else f"no: {f'suppressed, {reason}' if reason else WHY_NOT[person.status]}"
    )
    if left is not None:
        why += f", for {plural(left, 'more issue')}" if left else " until the next issue"
    for line in _facts(person, why):
        click.echo(line)
    lines = [(entry.at, _line(entry)) for entry in entries]
    lines += [(past.at, _delivery_line(past)) for past in deliveries]
    for _, line in sorted(lines, key=lambda pair: pair[0]):
        click.echo(line)


def _suppressed(conn: sa.Connection, email: str, reason: Reason, *, as_json: bool) -> str:
    from newsletter.audience.subscribers import record

    kept = record(conn, email)["suppressions"]
    if as_json:
        facts = {"email": email, "status": None, "eligible": False, "suppressed": reason.value}
        return json.dumps({**facts, "suppressions": kept}, ensure_ascii=False, indent=2)
    since = kept[-1]["at"][:16].replace("T", " ")
    return f"{email} is not on the list, and suppressed since {since} UTC: {reason}"


def _facts(person: Subscriber, mailed: str) -> Iterator[str]:
    rows = {
        "number": str(person.id),
        "name": person.name,
        "status": person.status.value,
        "mailed": mailed,
        "tags": ", ".join(person.tags),
        "language": person.language,
        "time zone": person.timezone,
        "format": person.format,
        "source": person.source,
    }
    yield person.email or "(erased)"
    for name, value in rows.items():
        if value:
            yield f"  {name:<10} {value}"


def _line(entry: Entry) -> str:
    what = entry.what if entry.kind == "audit" else f"{entry.kind}: {entry.what}"
    detail = f"  “{entry.detail}”" if entry.detail else ""
    origin = "".join(f", {part}" for part in (entry.ip, entry.page) if part)
    by = f"  by {entry.actor}" if entry.actor else ""
    return f"  {entry.at:%Y-%m-%d %H:%M} UTC  {what}{detail}{origin}{by}"


def _delivery_line(past: PastDelivery) -> str:
    report = f", then {past.report}" if past.report else ""
    tries = f" after {past.attempts} attempts" if past.attempts > 1 else ""
    reply = f"  “{past.reply}”" if past.reply else ""
    at = f"{past.at:%Y-%m-%d %H:%M} UTC"
    return f"  {at}  Vol {past.number}: {past.status}{tries}{report}{reply}"


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "what": entry.what,
        "detail": entry.detail,
        "actor": entry.actor,
        "ip": entry.ip,
        "page": entry.page,
    }
