"""Is it alive, can it work, and how much of what: for supervisors, proxies and Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from newsletter.audience.api_keys import Scope
from newsletter.errors import NewsletterError
from newsletter.store.tables import setting
from newsletter.web.authorization import needs
from newsletter.web.metrics import CONTENT_TYPE
from newsletter.web.pages import get_and_post

if TYPE_CHECKING:
    from newsletter.web.context import Context


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, _ = get_and_post(router)

    @page("/healthz")
    async def alive() -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    @page("/readyz")
    def ready() -> Response:
        """The database answers, and every edition of the archive is what was frozen."""
        problems = len(context.site.problems)
        try:
            with context.store.read() as conn:
                conn.execute(sa.select(setting.c.name).limit(1))
            is_there = context.store.dialect != "sqlite" or Path(context.store.name).exists()
        except NewsletterError:
            is_there = False
        if not is_there:  # SQLite goes on in a file that was deleted
            return JSONResponse({"status": "the database does not answer"}, 503)
        if context.site.current_or_none is None:
            return JSONResponse({"status": "the pages are not made yet"}, 503)
        return JSONResponse({"status": "ok", "editions_left_out": problems})

    @router.get(
        "/metrics",
        include_in_schema=False,
        dependencies=[Depends(needs(context, Scope.METRICS))],
    )
    def metrics() -> Response:
        text = context.metrics.text(context.store, context.workspace, context.clock())
        return Response(text, headers={"content-type": CONTENT_TYPE})

    return router
