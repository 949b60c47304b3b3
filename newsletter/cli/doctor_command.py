"""`newsletter doctor`: everything that sending needs, looked at without sending."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime

import click

from newsletter.cli.campaign_view import transport_words
from newsletter.cli.shared import composed_issue, plural, workspace_at
from newsletter.config import Workspace
from newsletter.errors import ContentError, NewsletterError, StorageError, TransportError
from newsletter.issue.folder import newest_issue, shown

PROBE_SECONDS = 30.0

Check = Callable[[Workspace], str]


@click.command("doctor")
@click.pass_obj
def command(start: str) -> int:
    """See whether everything is ready to send.

    Looks at the database, the folders, the templates, the secrets (whether they are
    there; they are never shown), and asks the mail server as far as one can without
    sending. Each line is “ok” or “FAILED” with what to do; exits with 2 when one failed.
    """
    workspace = workspace_at(start)
    results = [_run(name, check, workspace) for name, check in CHECKS.items()]
    failed = results.count(False)
    if failed:
        click.echo(f"{plural(failed, 'check')} failed", err=True)
    return 2 if failed else 0


def _run(name: str, check: Check, workspace: Workspace) -> bool:
    try:
        click.echo(f"ok      {name:<11} {check(workspace)}")
    except NewsletterError as error:
        click.echo(f"FAILED  {name:<11} {error.message}")
        if error.hint:
            click.echo(f"{'':<19} hint: {error.hint}")
        return False
    return True


# ── checks: each says in a line what it found, or raises what is wrong ──────


def _database(workspace: Workspace) -> str:
    """Open it, and write into a transaction that is undone."""
    import sqlalchemy as sa

    from newsletter.store.engine import open_store
    from newsletter.store.migrate import MIGRATIONS, head_of
    from newsletter.store.tables import setting

    with open_store(workspace) as store:
        with store.begin() as conn:
            conn.execute(sa.insert(setting), {"name": "doctor", "value": "undone"})
            conn.rollback()
        kind = "PostgreSQL" if store.dialect == "postgresql" else "SQLite"
        owed = store.compact_owed()
        note = "; newsletter run has to compact it after an erasure" if owed else ""
        return f"{kind} {store.name}, version {head_of(MIGRATIONS)}, writable{note}"


def _audience(workspace: Workspace) -> str:
    from newsletter.audience.subscribers import count, eligible
    from newsletter.store.engine import open_store

    with open_store(workspace) as store, store.read() as conn:
        return f"{plural(count(conn, eligible()), 'subscriber')} may be mailed"


def _folder(workspace: Workspace) -> str:
    """Journals and frozen editions are written here: there must be room for one of each."""
    from newsletter.delivery.journal import SIZE

    folder = workspace.root / ".newsletter"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, SIZE + 1_000_000)
    except OSError as error:
        raise StorageError(
            f"{shown(folder)} cannot be written: {error.strerror}",
            hint="make it yours to write to, on a disk with room",
        ) from error
    return f"{shown(folder)} is writable"


def _secret(workspace: Workspace) -> str:
    """The key that signs the links; made on first use."""
    from newsletter.audience.tokens import VARIABLE, tokens_of

    tokens_of(workspace)
    where = VARIABLE if VARIABLE in os.environ else shown(workspace.root / ".newsletter/secret")
    return f"links are signed with the key in {where}; back it up"


def _templates(workspace: Workspace) -> str:
    """Compose the newest issue: what is wrong with its text is no fault of the templates."""
    folder = newest_issue(workspace)
    try:
        issue, _ = composed_issue(str(folder.path), workspace)
    except ContentError:
        return f"not tried: {shown(folder.path)} has errors; newsletter check lists them"
    return f"Vol {issue.number} can be composed"


def _dkim(workspace: Workspace) -> str:
    from newsletter.delivery.dkim import signer_of

    if signer_of(workspace) is None:
        return "not signed here: the server or provider has to"
    return f"signed for {workspace.config.dkim.domain}, selector {workspace.config.dkim.selector}"


def _transport(workspace: Workspace) -> str:
    """Secrets and configuration first, then the other side."""
    from newsletter.delivery.transports import transport_of

    transport = transport_of(workspace)
    words = transport_words(workspace, transport.name)
    try:
        answer = asyncio.run(asyncio.wait_for(transport.probe(), PROBE_SECONDS))
    except TimeoutError as error:
        raise TransportError(
            f"{words}: no answer within {PROBE_SECONDS:g} seconds",
            hint="look at host and port in newsletter.toml, and at the firewall",
        ) from error
    return f"{transport.name}: {answer}"


def _rates(workspace: Workspace) -> str:
    from newsletter.delivery.pace import Pace
    from newsletter.store.engine import open_store

    with open_store(workspace) as store, store.read() as conn:
        lines = Pace(workspace.config.rates).lines(conn, datetime.now(UTC))
    return "; ".join(f"{name}: {text}" for name, text in lines) or "no limits"


def _alerts(workspace: Workspace) -> str:
    number = len(workspace.config.delivery.alert)
    if not number:
        return "nobody is told when sending stops; delivery.alert in newsletter.toml names who"
    return f"{plural(number, 'editor')} will be told when sending stops"


def _feedback(workspace: Workspace) -> str:
    """Open the bounce mailbox, and read nothing."""
    from newsletter.feedback.looking import mailbox_of

    webhook = "SendGrid’s events are taken" if workspace.config.feedback.sendgrid_key else ""
    if workspace.config.feedback.mailbox == "none":
        return webhook or "bounces are not read: feedback.mailbox in newsletter.toml says where"
    with mailbox_of(workspace) as mailbox:
        return "; ".join(filter(None, (f"bounces are read from {mailbox.name}", webhook)))


CHECKS: dict[str, Check] = {
    "database": _database,
    "folder": _folder,
    "secret": _secret,
    "audience": _audience,
    "templates": _templates,
    "DKIM": _dkim,
    "transport": _transport,
    "rates": _rates,
    "feedback": _feedback,
    "alerts": _alerts,
}
