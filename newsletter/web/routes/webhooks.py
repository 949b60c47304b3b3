"""SendGrid's signed events. Verified over the raw bytes before anything parses them.

Answers 2xx only when all of a request is recorded: what is not, SendGrid sends again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.feedback.recording import record
from newsletter.feedback.sendgrid_events import (
    PROVIDER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    WebhookRefused,
    parse,
    verify,
)

if TYPE_CHECKING:
    from newsletter.web.context import Context

MAX_BODY = 16 * 1024 * 1024  # bytes; 10,000 events are 5 to 8 MB
ROOM = 4 * MAX_BODY  # bytes of all bodies that are held at once: anybody may send them


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    held = 0  # bytes

    @router.post("/webhooks/sendgrid", include_in_schema=False, max_body_size=MAX_BODY)
    async def sendgrid(request: Request) -> Response:
        key = context.config.feedback.sendgrid_key
        if key is None:
            raise HTTPException(404)
        nonlocal held
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                held += len(piece)
                if held > ROOM:
                    raise HTTPException(503, headers={"retry-after": "30"})
            await run_in_threadpool(
                _take,
                context,
                key,
                request.headers.get(SIGNATURE_HEADER),
                request.headers.get(TIMESTAMP_HEADER),
                bytes(body),
            )
        finally:
            held -= len(body)
        return Response(status_code=204)

    return router


def _take(
    context: Context, key: str, signature: str | None, timestamp: str | None, body: bytes
) -> None:
    now = context.clock()
    count = context.metrics.events.labels
    try:
        verify(key, signature=signature, timestamp=timestamp, body=body, now=now)
    except WebhookRefused as error:
        count("refused").inc()
        raise HTTPException(403) from error
    events, others = parse(body)
    recorded = record(context.store, events, links=context.links, now=now, actor=PROVIDER)
    count("new").inc(recorded.new)
    count("known").inc(recorded.known)
    count("unknown").inc(recorded.unknown)
    count("not used").inc(sum(others.values()))
