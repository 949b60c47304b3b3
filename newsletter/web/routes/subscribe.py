"""Sign up: the form, and what follows when it is sent. Answers everybody alike.

Whether an address is known, new, paused or suppressed shows neither in the answer nor in
the time that it takes; whoever owns the mailbox learns it there.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.audience.fields import MAX_NAME
from newsletter.web.limits import client_of, network_of
from newsletter.web.pages import get_and_post, html_page, see_other
from newsletter.web.proof_of_work import WAIT, Verdict
from newsletter.web.sign_up import Asked, NotUsable, ask, checked

if TYPE_CHECKING:
    from newsletter.web.context import Context

SENT = "/subscribe/sent/"
HONEYPOT = "website"  # a field that people do not see
QUANTUM = 0.25  # seconds; answers take a whole number of them
_MAX_FIELDS = 20


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, post = get_and_post(router)

    @page("/subscribe/")
    def form() -> Response:
        return _form(context)

    @page(SENT)
    def sent() -> Response:
        days = context.config.subscribe.confirm_within_days
        return html_page(context, "sent.html.j2", {"days": days})

    if context.proof_of_work is not None:

        @page("/proof-of-work.js")
        def script() -> Response:
            text = context.site.current.render("site/proof-of-work.js.j2")
            return Response(text, media_type="text/javascript; charset=utf-8")

    @post("/subscribe/")
    async def take(request: Request) -> Response:
        if not context.config.subscribe.open:
            return _form(context, status=403)
        fields = await fields_of(request)
        client = client_of(request)
        if not context.sign_ups.admits(network_of(client), context.clock().timestamp()):
            context.metrics.sign_ups.labels("limited").inc()
            raise HTTPException(429, headers={"retry-after": "3600"})
        if fields.get(HONEYPOT):
            context.metrics.sign_ups.labels("honeypot").inc()
            await asyncio.sleep(QUANTUM)
            return see_other(context, SENT)
        try:
            asked = checked(
                fields.get("email", ""),
                name=fields.get("name", ""),
                ip=client,
                page=f"{context.config.site_url}/subscribe/",
                source="page",
            )
        except NotUsable as error:
            context.metrics.sign_ups.labels("invalid").inc()
            return _form(context, fields, problem=error, status=422)
        if (unworked := _unworked(context, fields)) is not None:
            context.metrics.sign_ups.labels("unworked").inc()
            return unworked
        await in_whole_quanta(context, asked)
        context.metrics.sign_ups.labels("taken").inc()
        return see_other(context, SENT)

    return router


async def in_whole_quanta(context: Context, asked: Asked) -> None:
    """Note the request; take as long as everybody else, so that the time tells nothing.

    Raises:
        StorageError: the database refused, and nothing was noted.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with context.turns:
            await run_in_threadpool(ask, context, asked)
    finally:
        taken = loop.time() - started
        await asyncio.sleep(math.ceil(taken / QUANTUM) * QUANTUM - taken)


async def fields_of(request: Request) -> dict[str, str]:
    """The text fields of a form, urlencoded or multipart. Raises HTTPException 400."""
    try:
        form = await request.form(max_files=0, max_fields=_MAX_FIELDS, max_part_size=4096)
    except (ValueError, UnicodeError) as error:
        raise HTTPException(400) from error
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _form(
    context: Context,
    fields: dict[str, str] | None = None,
    *,
    problem: NotUsable | None = None,
    status: int = 200,
) -> Response:
    fields = fields or {}
    values = {
        "email": fields.get("email", "")[:320],
        "name": fields.get("name", "")[:MAX_NAME],
        "error": "" if problem is None else str(problem),
        "wrong": "" if problem is None else problem.field,
    }
    return html_page(context, "subscribe.html.j2", values, status=status)


def _unworked(context: Context, fields: dict[str, str]) -> Response | None:
    """The page that does the work, or waits, where it was not done; None where it was."""
    work = context.proof_of_work
    if work is None:
        return None
    now = context.clock().timestamp()
    challenge = fields.get("challenge", "")
    verdict = work.judge(challenge, fields.get("solution", ""), now)
    if verdict is Verdict.DONE:
        return None
    if verdict is Verdict.VOID:
        challenge = work.challenge(now)
    values = {
        "challenge": challenge,
        "email": fields.get("email", "")[:320],
        "name": fields.get("name", "")[:MAX_NAME],
        "seconds": WAIT,
    }
    return html_page(context, "wait.html.j2", values, scripts=True)
