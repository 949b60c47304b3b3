"""Let the notices leave that are due, through the configured transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.calendar.slot_rows import following
from newsletter.delivery.transports import transport_of
from newsletter.notices import post, queue
from newsletter.notices.compose import Latest

if TYPE_CHECKING:
    from newsletter.delivery.transport import Transport
    from newsletter.web.context import Context


class NoticePost:
    """Used by one thread."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._transport: Transport | None = None

    def send_due(self, *, is_over: Callable[[], bool]) -> None:
        """Send what is due until *is_over*. Raises NewsletterError where nothing can be sent."""
        context = self._context
        now = context.clock()
        with context.store.read() as conn:
            if not queue.is_due(conn, now):
                return
            slot = following(conn, context.config.schedule, now) if self._is_scheduled else None
        if self._transport is None:
            self._transport = transport_of(context.workspace)
        post.send_due(
            context.store,
            context.workspace,
            self._transport,
            now=now,
            latest=self._latest(),
            next_at=None if slot is None else slot.starts_at,
            is_over=is_over,
        )

    @property
    def _is_scheduled(self) -> bool:
        return self._context.config.schedule.is_set

    def _latest(self) -> Latest | None:
        site = self._context.site.current
        if not site.editions:
            return None
        newest = site.editions[0]
        url = f"{self._context.config.site_url}/{newest.path}"
        return Latest(
            label=newest.label,
            url=url,
            pdf_url=f"{url}issue.pdf",
            headlines=tuple(headline.text for headline in newest.headlines),
        )
