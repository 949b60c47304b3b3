"""A reader's own page, by the signed link in each mail: what is kept, and what shall change.

Looking changes nothing. Each button is a form of its own; afterwards the page is shown
again with what was done, so that reloading repeats nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.audience import subscribers
from newsletter.audience.asking import SUBSCRIBER
from newsletter.audience.fields import MAX_NAME
from newsletter.audience.leaving import erase_by_id
from newsletter.audience.links import PREFERENCES
from newsletter.audience.model import Status, Subscriber
from newsletter.audience.pausing import MAX_ISSUES, issues_left, pause_for
from newsletter.audience.profile import change
from newsletter.audience.time_zones import common_time_zones
from newsletter.errors import UsageError
from newsletter.web.pages import get_and_post, html_page, see_other
from newsletter.web.routes.subscribe import fields_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.web.context import Context

_PAUSES = frozenset(map(str, range(1, MAX_ISSUES + 1)))  # as the form sends them
_DONE = frozenset(("saved", "paused", "resumed"))  # what the page can be asked to say


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, post = get_and_post(router)

    @page("/preferences/{token}")
    def show(token: str, request: Request) -> Response:
        return _page(context, token, done=request.query_params.get("done", ""))

    @post("/preferences/{token}")
    async def save(token: str, request: Request) -> Response:
        fields = await fields_of(request)
        return await run_in_threadpool(_save, context, token, fields)

    @post("/preferences/{token}/pause")
    async def pause(token: str, request: Request) -> Response:
        wanted = (await fields_of(request)).get("issues", "")
        if wanted not in _PAUSES:
            raise HTTPException(422)

        def work(conn: sa.Connection, person: Subscriber) -> None:
            pause_for(conn, person.id, int(wanted), now=context.clock(), actor=SUBSCRIBER)

        return await run_in_threadpool(_do, context, token, work, "paused")

    @post("/preferences/{token}/resume")
    def resume(token: str) -> Response:
        def work(conn: sa.Connection, person: Subscriber) -> None:
            subscribers.resume(conn, person.id, now=context.clock(), actor=SUBSCRIBER)

        return _do(context, token, work, "resumed")

    @post("/preferences/{token}/export")
    def export(token: str) -> Response:
        with context.store.read() as conn:
            person = _person(context, conn, token)
            record = subscribers.record(conn, person.email)
        return Response(
            json.dumps(record, ensure_ascii=False, indent=2).encode() + b"\n",
            headers={
                "content-type": "application/json",
                "content-disposition": 'attachment; filename="my-data.json"',
                "cache-control": "no-store",
            },
        )

    @post("/preferences/{token}/erase")
    async def erase(token: str, request: Request) -> Response:
        fields = await fields_of(request)
        return await run_in_threadpool(_erase, context, token, fields)

    return router


def _save(context: Context, token: str, fields: dict[str, str]) -> Response:
    names = ("name", "language", "timezone", "format")
    wanted = {name: fields[name] for name in names if name in fields}
    try:
        with context.store.begin() as conn:
            person = _person(context, conn, token)
            change(conn, person.id, **wanted, now=context.clock(), actor=SUBSCRIBER)
    except UsageError as error:
        problem = f"Nothing was saved: {error.message}."
        return _page(context, token, given=wanted, problem=problem, status=422)
    return see_other(context, f"/preferences/{token}?done=saved")


def _do(context: Context, token: str, work: Any, done: str) -> Response:
    with context.store.begin() as conn:
        work(conn, _person(context, conn, token))
    return see_other(context, f"/preferences/{token}?done={done}")


def _erase(context: Context, token: str, fields: dict[str, str]) -> Response:
    if fields.get("sure") != "yes":
        return _page(context, token, problem=_NOT_SURE, status=422)
    with context.store.begin() as conn:
        person = _person(context, conn, token)
        erase_by_id(conn, person.id, now=context.clock(), actor=SUBSCRIBER)
    return html_page(context, "erased.html.j2", {})


_NOT_SURE = "Nothing was erased. Please tick the box beside the button if you are sure."


def _person(context: Context, conn: sa.Connection, token: str) -> Subscriber:
    number = context.links.tokens.verify(PREFERENCES, token)
    person = None if number is None else subscribers.get(conn, number)
    if person is None:
        raise HTTPException(404)
    if person.status is Status.ERASED:
        raise HTTPException(410)
    return person


def _page(
    context: Context,
    token: str,
    *,
    done: str = "",
    given: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    with context.store.read() as conn:
        person = _person(context, conn, token)
        left = issues_left(conn, person.id)
        suppressed = subscribers.suppression_of(conn, person.email)
    values = {
        "person": {
            "email": person.email,
            "name": person.name,
            "language": person.language,
            "timezone": person.timezone,
            "format": person.format,
            **{key: value[:MAX_NAME] for key, value in (given or {}).items()},
        },
        "status": person.status.value,
        "is_suppressed": suppressed is not None,
        "issues_left": left,
        "max_issues": MAX_ISSUES,
        "time_zones": common_time_zones(),
        "default_timezone": context.config.schedule.timezone,
        "action": f"{context.prefix}/preferences/{token}",
        "unsubscribe": context.prefix + context.links.unsubscribe_path(person.id),
        "done": done if done in _DONE else "",
        "problem": problem,
    }
    return html_page(context, "preferences.html.j2", values, status=status)
