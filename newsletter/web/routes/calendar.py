"""`/calendar.ics`: when issues come, to subscribe to in a calendar (RFC 5545)."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import Response

from newsletter.calendar.ical import calendar_of
from newsletter.calendar.public_slots import public_slots
from newsletter.web.pages import get_and_post

if TYPE_CHECKING:
    from newsletter.web.context import Context

_FRESH = 300  # seconds that one answer is given again
_MEDIA_TYPE = "text/calendar; charset=utf-8"


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, _ = get_and_post(router)
    lock = threading.Lock()
    made: tuple[datetime, bytes] | None = None

    @page("/calendar.ics")
    def calendar() -> Response:
        nonlocal made
        now = context.clock()
        with lock:
            if made is None or not 0 <= (now - made[0]).total_seconds() < _FRESH:
                made = (now, _calendar(context, now))
            body = made[1]
        fields = {"cache-control": f"public, max-age={_FRESH}"}
        return Response(body, headers={**fields, "content-type": _MEDIA_TYPE})

    return router


def _calendar(context: Context, now: datetime) -> bytes:
    published = [str(edition.number) for edition in context.site.current.editions]
    with context.store.read() as conn:
        entries = public_slots(conn, context.config.schedule, now, published=published)
    return calendar_of(entries, config=context.config, stamp=now)
