"""The JSON API: subscribe readers from another site, and see how a campaign goes.

Each call needs a key with its scope. Subscribing answers everybody alike, as the form does.
A key that names origins may be used by the scripts of those pages, and so anybody may read
it there: calls with such a key are limited by network, as the form is, others by key.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from newsletter.audience.api_keys import ApiKey, Scope
from newsletter.delivery.campaign import audience_of, campaigns
from newsletter.delivery.ledger import counts
from newsletter.delivery.model import State
from newsletter.issue.number import IssueNumber
from newsletter.web.authorization import needs
from newsletter.web.cors import PREFLIGHT, is_known
from newsletter.web.limits import client_of, network_of
from newsletter.web.routes.subscribe import in_whole_quanta
from newsletter.web.sign_up import NotUsable, checked

if TYPE_CHECKING:
    import sqlalchemy as sa

    from newsletter.delivery.campaign import Campaign
    from newsletter.web.context import Context

_HOUR = "3600"  # seconds


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


class Fault(BaseModel):
    """One value of a request that cannot be used; the value itself is not repeated."""

    where: list[str] = Field(examples=[["body", "email"]])
    what: str


class Malformed(BaseModel):
    """All that cannot be used."""

    detail: list[Fault]


def router_of(context: Context) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    may_see_status = Depends(needs(context, Scope.STATUS))

    def may_subscribe(
        request: Request,
        key: ApiKey = Depends(needs(context, Scope.SUBSCRIBE)),  # noqa: B008 - local
    ) -> ApiKey:
        _check_origin(request, key)
        if not _admits(context, request, key):
            context.metrics.sign_ups.labels("limited").inc()
            raise HTTPException(
                429, "too many requests; try again in an hour", {"retry-after": _HOUR}
            )
        return key

    @router.post(
        "/subscriptions",
        status_code=202,
        summary="Ask for the newsletter in somebody's name",
        responses=_answers(400, 401, 403, 413, 422, 429, 503),
    )
    async def subscribe(
        asked: Annotated[SubscriptionRequest, Body()],
        request: Request,
        key: ApiKey = Depends(may_subscribe),  # noqa: B008 - FastAPI sees no local names
    ) -> SubscriptionAnswer:
        """Send the person a mail to confirm by; nothing else comes before they do.

        Needs the scope `subscribe`. The answer does not tell whether the address was known.
        """
        if not context.config.subscribe.open:
            raise HTTPException(403, "sign-up is closed")
        try:
            found = checked(
                asked.email,
                name=asked.name,
                language=asked.language,
                timezone=asked.timezone,
                # Of a server's call the address is the other site's, not the reader's.
                ip=client_of(request) if _is_in_a_page(request, key) else None,
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
        if not is_known(context, request.headers.get("origin", "")):
            raise HTTPException(403, "no key allows this origin")
        return Response(status_code=204, headers=PREFLIGHT)

    @router.get(
        "/campaigns/{number}",
        summary="How a campaign goes, or went",
        responses=_answers(401, 403, 404, 422, 503),
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


def _answers(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What a call can be answered besides what it asked for."""
    found: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in codes}
    if 422 in found:
        found[422] = {"model": Malformed}
    if 413 in found:  # Starlette says it, in a line of text, before anything is read
        found[413]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    for code in {429, 503} & set(codes):
        seconds = {"description": "Seconds to wait.", "schema": {"type": "string"}}
        found[code]["headers"] = {"Retry-After": seconds}
    return found


def _printable(page: str) -> str:
    return "".join(char for char in page if char.isprintable()).strip()


def _check_origin(request: Request, key: ApiKey) -> None:
    origin = request.headers.get("origin")
    if origin is not None and key.origins and origin not in key.origins:
        raise HTTPException(403, "the key is not for pages of this origin")


def _admits(context: Context, request: Request, key: ApiKey) -> bool:
    now = context.clock().timestamp()
    if _is_in_a_page(request, key):
        return context.sign_ups.admits(network_of(client_of(request)), now)
    return context.api_calls.admits(str(key.id), now)


def _is_in_a_page(request: Request, key: ApiKey) -> bool:
    """Whether anybody may know the key; who left Origin out would else get round the limit."""
    return bool(key.origins) or "origin" in request.headers


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
