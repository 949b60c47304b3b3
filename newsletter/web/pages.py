"""Pages that are made for one request: never cached, never indexed, under a strict policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from starlette.responses import RedirectResponse, Response

from newsletter.site.pages import HTML, style_hashes
from newsletter.web.headers import content_security_policy

if TYPE_CHECKING:
    from fastapi import APIRouter

    from newsletter.web.context import Context

_OF_ONE = {"cache-control": "no-store", "x-robots-tag": "noindex"}


Answerer = TypeVar("Answerer", bound=Callable[..., Any])


class Route(Protocol):
    """A decorator that puts a function at a path."""

    def __call__(self, path: str, /) -> Callable[[Answerer], Answerer]: ...


def get_and_post(router: APIRouter) -> tuple[Route, Route]:
    """Decorators for pages: GET (and HEAD: link scanners ask so), and POST."""
    page = partial(router.api_route, methods=["GET", "HEAD"], include_in_schema=False)
    return page, partial(router.post, include_in_schema=False)


def html_page(
    context: Context,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    scripts: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Render *template* of `templates/site`."""
    body = context.site.current.render(f"site/{template}", **values).encode()
    policy = content_security_policy(style_hashes(body), scripts=scripts)
    fields = {**_OF_ONE, "content-security-policy": policy, **(headers or {})}
    return Response(body, status, media_type=HTML, headers=fields)


def error_page(
    context: Context, status: int, title: str, text: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Say in plain words what is the matter; a link that has done its work offers the form."""
    values = {"status": status, "title": title, "text": text, "offers_form": status == 410}
    return html_page(context, "error.html.j2", values, status=status, headers=headers)


def see_other(context: Context, path: str) -> Response:
    """After a form: show *path* ("/subscribe/sent/") by GET, so that reloading repeats nothing."""
    return RedirectResponse(context.prefix + path, 303, headers={"cache-control": "no-store"})
