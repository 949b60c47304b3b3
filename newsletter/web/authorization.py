"""Who may use what is not public: keys with scopes, sent as "Authorization: Bearer nk_…"."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from newsletter.audience.api_keys import ApiKey, Scope, find_key

if TYPE_CHECKING:
    from newsletter.web.context import Context

_bearer = HTTPBearer(
    auto_error=False, description="A key of `newsletter api-key create`, with the scope it needs."
)


def needs(context: Context, scope: Scope) -> Callable[..., ApiKey]:
    """A dependency: the key of the request. 401 without one that is known, 403 without *scope*."""

    def key_of(
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> ApiKey:
        found = None
        if given is not None:
            with context.store.read() as conn:
                found = find_key(conn, given.credentials)
        if found is None:
            raise HTTPException(
                401, "a valid key is needed", headers={"www-authenticate": "Bearer"}
            )
        if scope not in found.scopes:
            raise HTTPException(403, f"the key has no scope “{scope}”")
        return found

    return key_of
