"""Confirm: the link shows a button, the button confirms. A scanner's GET confirms nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.audience import asking
from newsletter.notices import queue
from newsletter.notices.model import Kind
from newsletter.web.limits import client_of
from newsletter.web.pages import get_and_post, html_page

if TYPE_CHECKING:
    from newsletter.web.context import Context


def router_of(context: Context) -> APIRouter:
    router = APIRouter()
    page, post = get_and_post(router)

    @page("/confirm/{token}")
    def show(token: str) -> Response:
        with context.store.read() as conn:
            state = asking.confirmation_state(conn, token, now=context.clock())
        if state is asking.ConfirmationState.VOID:
            raise HTTPException(410)
        if state is asking.ConfirmationState.DONE:
            return _done(context, None)
        return html_page(context, "confirm.html.j2", {"wording": context.config.consent_wording})

    @post("/confirm/{token}")
    def confirm(token: str, request: Request) -> Response:
        now = context.clock()
        with context.store.begin() as conn:
            person = asking.confirm(
                conn,
                token,
                now=now,
                ip=client_of(request),
                page=f"{context.config.site_url}/confirm/",
            )
            if person is not None:
                queue.enqueue(conn, person.id, Kind.WELCOME, now=now)
            # A button that is pressed twice has done its work all the same.
            elif asking.confirmation_state(conn, token, now=now) is (asking.ConfirmationState.DONE):
                return _done(context, None)
        if person is None:
            raise HTTPException(410)
        return _done(context, person.id)

    return router


def _done(context: Context, subscriber_id: int | None) -> Response:
    preferences = None if subscriber_id is None else context.links.preferences_path(subscriber_id)
    values = {"preferences": None if preferences is None else context.prefix + preferences}
    return html_page(context, "confirmed.html.j2", values)
