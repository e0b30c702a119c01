"""The STOP list: numbers that an account must not send to (contract 4.2)."""

from datetime import UTC, datetime

from esito.api.answer import Answer
from esito.api.call import Call, as_message_id, as_number_text
from esito.api.xml import Value
from esito.domain.errors import PhoneNumberMissing, StopIdMissing, StopNotFound, StopNumberInvalid
from esito.domain.months import PARIS
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.timing import SECOND_MS
from esito.store.stops import Stop


async def list_stops(call: Call) -> Answer:
    """GET /v1/stop-sms/list: every number on the list, oldest first."""
    stops = await call.services.store.stops.list(call.account.id)
    return call.answer({"nbData": len(stops), "data": [_shown(stop) for stop in stops]})


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
