"""The servers that callbacks go to, and how that goes (design 6)."""

import re
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import Endpoint
from esito.api.http.paging import MOST, cursor_like, page_limit
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, Count, GoodAnswer, Milliseconds, Parameters, words
from esito.api.v2.member_types import Cursor, PageLimit
from esito.domain.callback import GONE_SHOWN, Destination
from esito.domain.errors import InvalidFields

_ORIGIN = re.compile(r"https?://[^\s/?#]{1,260}")


class DestinationItem(AnswerPart):
    """One server."""

    origin: Annotated[str, Meta(description="Scheme, host and port.")]
    state: Annotated[str, words(["good", "failing", "disabled"])]
    reason: Annotated[str, Meta(description="Why it is disabled.")]
    last_success_at: Milliseconds | None
    failing_since: Milliseconds | None
    disabled_at: Milliseconds | None
    waiting: Count
    dead: Count
    gone_paths: Annotated[
        list[Annotated[str, Meta(description="A path that answered with HTTP 410.")]], Meta(max_length=GONE_SHOWN)
    ]


class DestinationPage(GoodAnswer):
    """A page of servers."""

    destinations: Annotated[list[DestinationItem], Meta(max_length=MOST)]
    next_cursor: Annotated[str, Meta(description="`cursor` of the next page; null on the last.")] | None


class DestinationsQuery(Parameters):
    """Which page."""

    cursor: Cursor | UnsetType = UNSET
    limit: PageLimit | UnsetType = UNSET


async def destinations(request: AccountRequest) -> Response:
    """The servers your callbacks go to, and how that goes."""
    limit, spot = page_limit(request), cursor_like(request, _ORIGIN)
    after = "" if spot is None else spot[0]
    found = await request.services.store.callbacks.destinations(request.account.id, after=after, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    cursor = page[-1].origin if more else None
    return await request.work(
        lambda: request.answer(DestinationPage(destinations=[_item(one) for one in page], next_cursor=cursor)),
        items=len(page),
    )


def _item(one: Destination) -> DestinationItem:
    state = "disabled" if one.disabled_at is not None else "failing" if one.failing_since is not None else "good"
    return DestinationItem(
        origin=one.origin,
        state=state,
        reason=one.reason,
        last_success_at=one.last_success,
        failing_since=one.failing_since,
        disabled_at=one.disabled_at,
        waiting=one.due,
        dead=one.dead,
        gone_paths=list(one.gone),
    )


DESTINATIONS = Endpoint(
    "GET",
    "/v2/callbacks/destinations",
    destinations,
    parameters=DestinationsQuery(limit=100),
    answer=DestinationPage(
        destinations=[
            DestinationItem(
                origin="https://example.org:443",
                state="failing",
                reason="",
                last_success_at=None,
                failing_since=1_795_430_400_000,
                disabled_at=None,
                waiting=1,
                dead=0,
                gone_paths=["/dlr/old"],
            )
        ],
        next_cursor=None,
    ),
    refusals=(InvalidFields,),
)
