"""The JSON API: subscribe readers from another site, and see how a campaign goes.

Each call needs a key with its scope. Subscribing answers everybody alike, as the form does.
A key that names origins may be used by the scripts of those pages (Fetch Standard, CORS).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from newsletter.audience.api_keys import ApiKey, Scope, list_keys
from newsletter.delivery.campaign import audience_of, campaigns
from newsletter.delivery.ledger import counts
from newsletter.delivery.model import State
from newsletter.issue.number import IssueNumber
from newsletter.web.authorization import needs
from newsletter.web.routes.subscribe import in_whole_quanta
from newsletter.web.sign_up import NotUsable, checked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.delivery.campaign import Campaign
    from newsletter.web.context import Context

_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


class SubscriptionRequest(BaseModel):
    """Somebody who asks for the newsletter."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=320, examples=["alex@example.org"])]
    name: Annotated[str, Field(max_length=200)] = ""
    language: Annotated[str, Field(max_length=35, description="As in BCP 47.")] = ""
    timezone: Annotated[str, Field(max_length=64, description="As in America/New_York.")] = ""
    page: Annotated[
        str,
        Field(max_length=500, description="The address of the page with the form, for the record."),
    ] = ""


class SubscriptionAnswer(BaseModel):
    """The same for every address: whoever owns it learns the rest by mail."""

    status: str = Field(examples=["check your mail"])


class CampaignStatus(BaseModel):
    """intended = accepted + failed + suppressed + uncertain + pending."""

    issue: str
    tag: str | None
    subject: str
    state: State
    reason: str
    intended: int
    accepted: int
    failed: int
    suppressed: int
    uncertain: int
    pending: int
    created_at: datetime
    updated_at: datetime


class Problem(BaseModel):
    """What is the matter."""

    detail: str


def router_of(context: Context) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    may_subscribe = Depends(needs(context, Scope.SUBSCRIBE))
    may_see_status = Depends(needs(context, Scope.STATUS))
    answers: dict[int | str, dict[str, Any]] = {
        code: {"model": Problem} for code in (401, 403, 503)
    }

    @router.post(
        "/subscriptions",
        status_code=202,
        summary="Ask for the newsletter in somebody's name",
        responses={**answers, 400: {"model": Problem}, 413: {"model": Problem}},
    )
    async def subscribe(
        asked: Annotated[SubscriptionRequest, Body()],
        request: Request,
        response: Response,
        key: ApiKey = may_subscribe,
    ) -> SubscriptionAnswer:
        """Send the person a mail to confirm by; nothing else comes before they do.

        Needs the scope `subscribe`. The answer does not tell whether the address was known.
        """
        _allow_origin(request, response, key)
        if not context.config.subscribe.open:
            raise HTTPException(403, "sign-up is closed")
        try:
            found = checked(
                asked.email,
                name=asked.name,
                language=asked.language,
                timezone=asked.timezone,
                ip=None,  # the caller's is the other site's, not the reader's
                page=_printable(asked.page) or f"api: {key.name}",
                source="api",
            )
        except NotUsable as error:
            raise HTTPException(400, str(error)) from error
        await in_whole_quanta(context, found)
        context.metrics.sign_ups.labels("taken").inc()
        return SubscriptionAnswer(status="check your mail")

    @router.options("/subscriptions", include_in_schema=False)
    def preflight(request: Request) -> Response:
        with context.store.read() as conn:
            keys = [key for key in list_keys(conn) if key.revoked_at is None]
        known = {origin for key in keys for origin in key.origins}
        origin = request.headers.get("origin", "")
        if origin not in known:
            raise HTTPException(403, "no key allows this origin")
        fields = {**_PREFLIGHT, "access-control-allow-origin": origin, "vary": "origin"}
        return Response(status_code=204, headers=fields)

    @router.get(
        "/campaigns/{number}",
        summary="How a campaign goes, or went",
        responses={**answers, 404: {"model": Problem}},
        dependencies=[may_see_status],
    )
    def status(
        number: Annotated[str, Path(max_length=20, examples=["2.20"])],
        tag: Annotated[str | None, Query(max_length=64)] = None,
    ) -> CampaignStatus:
        """Count where its deliveries are. Needs the scope `status`."""
        with context.store.read() as conn:
            found = _campaign(conn, number, tag)
            return _status(conn, found)

    return router


def _printable(page: str) -> str:
    return "".join(char for char in page if char.isprintable()).strip()


def _allow_origin(request: Request, response: Response, key: ApiKey) -> None:
    origin = request.headers.get("origin")
    if origin is None:
        return
    if key.origins and origin not in key.origins:
        raise HTTPException(403, "the key is not for pages of this origin")
    if key.origins:
        response.headers["access-control-allow-origin"] = origin
        response.headers["vary"] = "origin"


def _campaign(conn: sa.Connection, number: str, tag: str | None) -> Campaign:
    try:
        name = str(IssueNumber.parse(number))
    except ValueError as error:
        raise HTTPException(404, "this is no number of an issue; write it as in 2.20") from error
    known = [one for one in campaigns(conn, name) if one.audience == audience_of(tag)]
    going = [one for one in known if one.state is not State.CANCELLED]
    if not known:
        raise HTTPException(404, f"Vol {name} was not sent")
    return (going or known)[0]


def _status(conn: sa.Connection, found: Campaign) -> CampaignStatus:
    now = counts(conn, found.id)
    return CampaignStatus(
        issue=found.number,
        tag=found.tag,
        subject=found.frozen.headers.subject,
        state=found.state,
        reason=found.reason,
        intended=now.intended,
        accepted=now.accepted,
        failed=now.failed,
        suppressed=now.suppressed,
        uncertain=now.uncertain,
        pending=now.pending,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )
