"""Leave: one button, or a mail program's POST (RFC 8058). Without cookies, login or redirect.

A GET shows the button and changes nothing: scanners follow every link. What a POST holds
does not matter: the address alone says who leaves, so no mail program can get it wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.audience import subscribers
from newsletter.audience.asking import SUBSCRIBER
from newsletter.audience.links import UNSUBSCRIBE
from newsletter.audience.model import Status, Subscriber
from newsletter.web.pages import get_and_post, html_page

if TYPE_CHECKING:
    from newsletter.web.context import Context


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, post = get_and_post(router)

    @page("/unsubscribe/{token}")
    def show(token: str) -> Response:
        number = _named(context, token)
        with context.store.read() as conn:
            person = subscribers.get(conn, number)
        if _is_gone(person):
            return html_page(context, "left.html.j2", {})
        preferences = context.prefix + context.links.preferences_path(number)
        return html_page(context, "unsubscribe.html.j2", {"preferences": preferences})

    @post("/unsubscribe/{token}")
    def leave(token: str) -> Response:
        number = _named(context, token)
        with context.store.begin() as conn:
            person = subscribers.unsubscribe(
                conn, number, source="one-click", now=context.clock(), actor=SUBSCRIBER
            )
        if person is None:
            raise HTTPException(404)
        return html_page(context, "left.html.j2", {})

    return router


def _named(context: Context, token: str) -> int:
    number = context.links.tokens.verify(UNSUBSCRIBE, token)
    if number is None:
        raise HTTPException(404)
    return number


def _is_gone(person: Subscriber | None) -> bool:
    if person is None:
        raise HTTPException(404)
    return person.status in (Status.UNSUBSCRIBED, Status.ERASED)
