"""The application: which routes there are, what stands before them, and how errors look.

Every route is named in one of the routers below; `tests/web/test_routes.py` holds the list
of them all, with who may use each. What no router knows is looked up in the archive, and
is not there if it is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from newsletter import __version__
from newsletter.errors import NewsletterError
from newsletter.web.archive import Archive, is_to_come
from newsletter.web.context import Context
from newsletter.web.cors import CrossOrigin
from newsletter.web.headers import SecurityHeaders
from newsletter.web.logs import log
from newsletter.web.observed import Observed
from newsletter.web.pages import error_page
from newsletter.web.prefix import PathPrefix
from newsletter.web.routes import (
    api,
    calendar,
    confirm,
    health,
    preferences,
    subscribe,
    unsubscribe,
    webhooks,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp

MAX_BODY = 16 * 1024  # bytes of a form or an API call; webhooks have their own bound
API = "/api/"
_ROUTERS = (subscribe, confirm, preferences, unsubscribe, calendar, api, webhooks, health)


def make_app(context: Context) -> ASGIApp:
    """The whole server as an ASGI application."""
    return PathPrefix(
        Observed(
            SecurityHeaders(
                CrossOrigin(make_routes(context), context),
                https=context.config.site_url.startswith("https"),
            ),
            context.metrics,
        ),
        context.prefix,
    )


def make_routes(context: Context) -> FastAPI:
    """The routes, without what stands before them."""
    app = FastAPI(
        title=f"{context.config.newsletter.title}: API",
        description="Subscribe readers from another site, and see how a campaign goes.",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # they would load scripts from somebody else
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MAX_BODY,
        servers=[{"url": context.prefix or "/"}],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # they would hold addresses
    )
    for part in _ROUTERS:
        app.include_router(part.router_of(context))
    app.router.default = Archive(context)
    _answer_errors(app, context)
    return app


def _answer_errors(app: FastAPI, context: Context) -> None:
    def answer(request: Request, status: int, title: str, text: str, **fields: str) -> Response:
        path = request.scope["path"]
        if path.startswith((API, "/webhooks/")):
            return JSONResponse({"detail": text}, status, headers=fields)
        try:
            return error_page(context, status, title, text, fields)
        except NewsletterError:  # the templates are what is broken
            return PlainTextResponse(f"{title}\n\n{text}\n", status, headers=fields)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        path = request.scope["path"]
        title, text = _WORDS.get(error.status_code, ("This did not work", "Please try again."))
        if error.status_code == 404 and is_to_come(context, path):
            title, text = _TO_COME
        detail = error.detail if path.startswith(API) else text
        return answer(request, error.status_code, title, detail, **dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        # Where and what, never the value: it may be an address.
        found = [{"where": list(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
        if request.scope["path"].startswith(API):
            return JSONResponse({"detail": found}, 422)
        return answer(request, 422, *_WORDS[422])

    @app.exception_handler(ClientDisconnect)
    async def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it, and nobody made a mistake

    @app.exception_handler(NewsletterError)
    async def bad_world(request: Request, error: NewsletterError) -> Response:
        log().error("world", error=error)
        return answer(request, 503, *_WORDS[503], **{"retry-after": "30"})

    @app.exception_handler(Exception)
    async def mistake(request: Request, error: Exception) -> Response:
        log().error("mistake", error=error)
        return answer(request, 500, *_WORDS[500])


_TO_COME = ("This issue is not out yet", "Its page appears here when it is sent.")
_WORDS = {
    400: ("This did not work", "The request could not be read. Please go back and try again."),
    404: (
        "There is no such page",
        "The address may be mistyped, or the page has moved. All issues are in the archive.",
    ),
    405: ("This does not work this way", "Please open the page and use its button."),
    410: (
        "This link has done its work",
        "It is too old, was used before, or what it led to is erased. You can start anew below.",
    ),
    413: ("That is too much", "The request is larger than anything that is wanted here."),
    422: ("This did not work", "Something in the form is missing or cannot be used."),
    429: (
        "That was a bit much",
        "There were many requests from your network. Please try again in an hour.",
    ),
    500: ("A mistake of ours", "Something went wrong here. Please try again in a while."),
    503: (
        "Not just now",
        "This cannot be done at the moment; nothing was lost. Please try again in a minute.",
    ),
}
