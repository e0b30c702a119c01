"""The STOP list: numbers that an account must not send to (contract 4.2)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from esito.api.answer import Answer, success_with_list
from esito.api.call import Call, as_message_id, as_number_text
from esito.api.xml import Value
from esito.domain.errors import PhoneNumberMissing, StopIdMissing, StopNotFound, StopNumberInvalid
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.timing import PARIS, SECOND_MS
from esito.store.stops import Stop

AT_ONCE = 500
"""Numbers that are read and written at a time."""


async def list_stops(call: Call) -> Answer:
    """GET /v1/stop-sms/list: every number on the list, oldest first; a long one is written page by page."""
    stops, account = call.services.store.stops, call.account.id
    first = await stops.list(account, limit=AT_ONCE)
    if len(first) < AT_ONCE:
        return call.answer({"nbData": len(first), "data": [_shown(stop) for stop in first]})
    count = await stops.count(account)
    return success_with_list({"nbData": count}, "data", _pages(call, first, count), xml=call.xml, aside=call.aside)


async def _pages(call: Call, page: list[Stop], count: int) -> AsyncGenerator[list[Value], None]:
    """Yield the list as it was when it was counted; what is taken off meanwhile is missing."""
    stops, account = call.services.store.stops, call.account.id
    async with call.stream():
        while page:
            yield [_shown(stop) for stop in page[:count]]
            count -= len(page)
            if count <= 0:
                return
            page = await stops.list(account, after=page[-1].id, limit=AT_ONCE)


async def add_stop(call: Call) -> Answer:
    """POST /v1/stop-sms/add: put a number on the list; one that is on it keeps its id."""
    if not call.inputs.has("phoneNumber"):
        raise PhoneNumberMissing
    try:
        msisdn = normalise(as_number_text(call.inputs.raw("phoneNumber")))
    except InvalidMsisdn:
        raise StopNumberInvalid from None
    number = await call.services.store.stops.add(call.account.id, int(msisdn[1:]), at=call.services.clock.now())
    return call.answer({"stopId": number})


async def delete_stop(call: Call) -> Answer:
    """GET /v1/stop-sms/delete: take a number off the list."""
    if not call.inputs.has("id"):
        raise StopIdMissing
    number = as_message_id(call.inputs.raw("id"))
    if number is None:
        raise StopNotFound
    await call.services.store.stops.delete(call.account.id, number)
    return call.answer({})


def _shown(stop: Stop) -> dict[str, Value]:
    moment = datetime.fromtimestamp(stop.created_at // SECOND_MS, UTC).astimezone(PARIS)
    return {"id": stop.id, "phoneNumber": stop.msisdn, "createdAt": moment.strftime("%Y-%m-%d %H:%M:%S")}
