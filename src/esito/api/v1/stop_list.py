"""The STOP list: numbers that an account must not send to (contract 4.2)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_message_id, as_number_text
from esito.api.http.response import Response, success_with_list
from esito.api.http.schema import E164, AnswerPart, Count, GoodAnswer, Parameters, ParisTime, names_a
from esito.api.http.xml import Value
from esito.domain.errors import PhoneNumberMissing, StopIdMissing, StopNotFound, StopNumberInvalid
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.timing import PARIS, SECOND_MS
from esito.store.interface.account_store import Stop

AT_ONCE = 500
"""Numbers that are read and written at a time."""

StopId = Annotated[int, Meta(ge=1, description="Of the number on the list.")]

# -- list --------------------------------------------------------------------------------------


class StopItem(AnswerPart):
    """One number on the list."""

    id: StopId
    phone_number: E164 = field(name="phoneNumber")
    created_at: ParisTime = field(name="createdAt")


class StopList(GoodAnswer):
    """Every number on the list."""

    count: Count = field(name="nbData")
    items: list[StopItem] = field(name="data")


async def list_stops(request: AccountRequest) -> Response:
    """The numbers that are not sent to any more, oldest first."""
    stops, account = request.services.store.stops, request.account.id
    first = await stops.list(account, limit=AT_ONCE)
    if len(first) < AT_ONCE:
        return request.answer(StopList(count=len(first), items=[_item(stop) for stop in first]))
    count = await stops.count(account)
    pages = _pages(request, first, count)
    return success_with_list({"nbData": count}, "data", pages, xml=request.xml, aside=request.aside)


async def _pages(request: AccountRequest, page: list[Stop], count: int) -> AsyncGenerator[list[Value], None]:
    """Yield the list as it was when it was counted, less the numbers that are taken off meanwhile."""
    stops, account = request.services.store.stops, request.account.id
    async with request.stream():
        while page:
            yield msgspec.to_builtins([_item(stop) for stop in page[:count]])
            count -= len(page)
            if count <= 0:
                return
            page = await stops.list(account, after=page[-1].id, limit=AT_ONCE)


def _item(stop: Stop) -> StopItem:
    moment = datetime.fromtimestamp(stop.created_at // SECOND_MS, UTC).astimezone(PARIS)
    return StopItem(id=stop.id, phone_number=stop.msisdn, created_at=moment.strftime("%Y-%m-%d %H:%M:%S"))


LIST_STOPS = Endpoint(
    "GET",
    "/v1/stop-sms/list",
    list_stops,
    answer=StopList(count=1, items=[StopItem(id=1, phone_number="+33611111111", created_at="2020-09-13 14:26:40")]),
)

# -- add ---------------------------------------------------------------------------------------


class StopRequest(Parameters):
    """Which number."""

    phone_number: Annotated[
        str, Meta(min_length=1, description="French or international.", examples=["+33611111111"])
    ] = field(name="phoneNumber")


class StopAdded(GoodAnswer):
    """Where it stands on the list."""

    stop_id: StopId = field(name="stopId")


async def add_stop(request: AccountRequest) -> Response:
    """Put a number on the STOP list; one that is on it keeps its id."""
    if not request.inputs.has("phoneNumber"):
        raise PhoneNumberMissing
    try:
        msisdn = normalise(as_number_text(request.inputs.raw("phoneNumber")))
    except InvalidMsisdn:
        raise StopNumberInvalid from None
    number = await request.services.store.stops.add(
        request.account.id, int(msisdn[1:]), at=request.services.clock.now()
    )
    return request.answer(StopAdded(stop_id=number))


ADD_STOP = Endpoint(
    "POST",
    "/v1/stop-sms/add",
    add_stop,
    body=StopRequest(phone_number="+33699999999"),
    takes_form=True,
    answer=StopAdded(stop_id=1),
    refusals=(PhoneNumberMissing, StopNumberInvalid),
)

# -- delete ------------------------------------------------------------------------------------


class StopDeleteQuery(Parameters):
    """Which number."""

    id: Annotated[int, Meta(ge=1, description="As the list shows it."), names_a("stop")]


class StopDeleted(GoodAnswer):
    """Nothing but that it is off the list."""


async def delete_stop(request: AccountRequest) -> Response:
    """Take a number off the STOP list."""
    if not request.inputs.has("id"):
        raise StopIdMissing
    number = as_message_id(request.inputs.raw("id"))
    if number is None:
        raise StopNotFound
    await request.services.store.stops.delete(request.account.id, number)
    return request.answer(StopDeleted())


DELETE_STOP = Endpoint(
    "GET",
    "/v1/stop-sms/delete",
    delete_stop,
    parameters=StopDeleteQuery(id=1),
    answer=StopDeleted(),
    refusals=(StopIdMissing, StopNotFound),
)
