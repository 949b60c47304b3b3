"""How mail leaves: one file each. `transport_of` makes the configured one."""

from __future__ import annotations

from newsletter.config import Workspace
from newsletter.delivery.transport import Transport


def transport_of(workspace: Workspace, kind: str | None = None) -> Transport:
    """Make the transport that newsletter.toml names, or *kind*: its configuration and secrets.

    Raises:
        ConfigError: a secret is missing, or the configuration cannot work.
    """
    kind = kind or workspace.config.transport.kind
    if kind == "smtp":
        from newsletter.delivery.transports.smtp import smtp_of

        return smtp_of(workspace)
    if kind == "sendgrid":
        from newsletter.delivery.transports.sendgrid import sendgrid_of

        return sendgrid_of(workspace)
    from newsletter.delivery.transports.outbox import outbox_of

    return outbox_of(workspace)
