"""The STOP list: numbers that an account must not send to (contract 4.2)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from esito.api.http.request import AccountRequest, as_message_id, as_number_text
from esito.api.http.response import Response, success_with_list
from esito.api.http.xml import Value
from esito.domain.errors import PhoneNumberMissing, StopIdMissing, StopNotFound, StopNumberInvalid
from esito.domain.months import PARIS
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.timing import SECOND_MS
from esito.store.stops import Stop

AT_ONCE = 500
"""Numbers that are read and written at a time."""


async def list_stops(request: AccountRequest) -> Response:
    """GET /v1/stop-sms/list: every number on the list, oldest first; a long one is written page by page."""
    stops, account = request.services.store.stops, request.account.id
    first = await stops.list(account, limit=AT_ONCE)
    if len(first) < AT_ONCE:
        return request.answer({"nbData": len(first), "data": [_shown(stop) for stop in first]})
    count = await stops.count(account)
    return success_with_list(
        {"nbData": count}, "data", _pages(request, first, count), xml=request.xml, aside=request.aside
    )


async def _pages(request: AccountRequest, page: list[Stop], count: int) -> AsyncGenerator[list[Value], None]:
    """Yield the list as it was when it was counted; what is taken off meanwhile is missing."""
    stops, account = request.services.store.stops, request.account.id
    async with request.stream():
        while page:
            yield [_shown(stop) for stop in page[:count]]
            count -= len(page)
            if count <= 0:
                return
            page = await stops.list(account, after=page[-1].id, limit=AT_ONCE)


async def add_stop(request: AccountRequest) -> Response:
    """POST /v1/stop-sms/add: put a number on the list; one that is on it keeps its id."""
    if not request.inputs.has("phoneNumber"):
        raise PhoneNumberMissing
    try:
        msisdn = normalise(as_number_text(request.inputs.raw("phoneNumber")))
    except InvalidMsisdn:
        raise StopNumberInvalid from None
    number = await request.services.store.stops.add(
        request.account.id, int(msisdn[1:]), at=request.services.clock.now()
    )
    return request.answer({"stopId": number})


async def delete_stop(request: AccountRequest) -> Response:
    """GET /v1/stop-sms/delete: take a number off the list."""
    if not request.inputs.has("id"):
        raise StopIdMissing
    number = as_message_id(request.inputs.raw("id"))
    if number is None:
        raise StopNotFound
    await request.services.store.stops.delete(request.account.id, number)
    return request.answer({})


def _shown(stop: Stop) -> dict[str, Value]:
    moment = datetime.fromtimestamp(stop.created_at // SECOND_MS, UTC).astimezone(PARIS)
    return {"id": stop.id, "phoneNumber": stop.msisdn, "createdAt": moment.strftime("%Y-%m-%d %H:%M:%S")}
