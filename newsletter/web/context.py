"""What the routes share: one newsletter, its database, its pages, and what counts and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from newsletter.web.limits import Limiter
from newsletter.web.metrics import Metrics
from newsletter.web.prefix import prefix_of
from newsletter.web.views import Views

if TYPE_CHECKING:
    from newsletter.audience.links import Links
    from newsletter.config import Config, Workspace
    from newsletter.store.engine import Store
    from newsletter.web.current_site import CurrentSite
    from newsletter.web.proof_of_work import ProofOfWork

_HOUR = 3600.0
_AT_ONCE = 8  # sign-ups that PostgreSQL takes at the same time
PER_KEY = 10  # times what one network may: a server asks for many readers


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Context:
    """Made once for a server. *clock* gives aware UTC times."""

    workspace: Workspace
    store: Store
    links: Links = field(repr=False)
    site: CurrentSite
    proof_of_work: ProofOfWork | None
    sign_ups: Limiter  # by network: the form, and keys that stand in pages
    api_calls: Limiter  # by key: those that servers keep to themselves
    # Of sign-ups that write: whoever waits for SQLite's own lock waits in no order.
    turns: asyncio.Semaphore
    metrics: Metrics
    views: Views
    clock: Callable[[], datetime] = now

    @property
    def config(self) -> Config:
        return self.workspace.config

    @property
    def prefix(self) -> str:
        """The path that the site lives below: "" or "/digest"."""
        return prefix_of(self.config.site_url)


def context_of(
    workspace: Workspace, store: Store, *, clock: Callable[[], datetime] = now
) -> Context:
    """Assemble a Context.

    Raises:
        ConfigError, StorageError: the signing key cannot be used.
        TemplateError: a template is missing or broken.
    """
    from newsletter.audience.links import links_of
    from newsletter.web.current_site import CurrentSite
    from newsletter.web.proof_of_work import ProofOfWork

    links = links_of(workspace)
    config = workspace.config.subscribe
    work = ProofOfWork(links.tokens, config.proof_of_work) if config.proof_of_work else None
    return Context(
        workspace=workspace,
        store=store,
        links=links,
        site=CurrentSite(workspace, store),
        proof_of_work=work,
        sign_ups=Limiter(config.per_ip_per_hour, _HOUR),
        api_calls=Limiter(config.per_ip_per_hour * PER_KEY, _HOUR),
        turns=asyncio.Semaphore(1 if store.dialect == "sqlite" else _AT_ONCE),
        metrics=Metrics(),
        views=Views(),
        clock=clock,
    )
