"""What happened to the account's messages, in the order in which we took note: `GET /v2/events`."""

from esito.api.http.app import Operation
from esito.api.http.area import Area
from esito.api.http.pages import KEY, EndpointDoc
from esito.api.http.paging import page_cursor, page_limit
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schemas import array, constant, integer, record, text
from esito.api.http.xml import Value
from esito.api.v2.schemas_v2 import CURSOR, PAGE_LIMIT
from esito.domain import errors as e
from esito.domain.receipt import Verdict
from esito.domain.states import PUBLIC_WORDS, MessageState, public_word
from esito.store.records import Event

FROM_NOW_ON = -1


async def events(request: AccountRequest) -> Response:
    """GET /v2/events: receipts and conclusions beyond a cursor; without one, where the next will be."""
    after = page_cursor(request, first=FROM_NOW_ON)
    found, following = await request.services.store.events(
        request.account.id, after=None if after == FROM_NOW_ON else after, limit=page_limit(request)
    )
    return await request.work(
        lambda: request.answer({"events": [_event(one) for one in found], "next_cursor": str(following)}),
        items=len(found),
    )


def _event(one: Event) -> dict[str, Value]:
    return {
        "message_id": one.message_id,
        "msisdn": one.msisdn,
        "part": one.part,
        "received_at": one.received_at,
        "verdict": one.verdict,
        "stat": one.stat,
        "error": one.error,
        "state": "" if one.state is None else MessageState(one.state).name,
        "status": public_word(one.recipient_state),
    }


_VERDICTS = [verdict.value for verdict in Verdict]
AREA = Area(
    operations=(Operation("GET", "/v2/events", events, bearer=True),),
    pages={
        ("GET", "/v2/events"): EndpointDoc(
            summary="Every receipt of the account's messages, oldest first; ask again with `next_cursor` to follow.",
            answer="Events",
            parameters={"cursor": (CURSOR, False), "limit": (PAGE_LIMIT, False)},
            refusals=(*KEY, e.InvalidFields),
        )
    },
    schemas={
        "Event": record(
            {
                "message_id": integer(minimum=1),
                "msisdn": text("With plus."),
                "part": integer("Segment, from 1.", minimum=1),
                "received_at": integer("Milliseconds since the epoch, UTC."),
                "verdict": {"enum": _VERDICTS},
                "stat": text("The operator's word."),
                "error": text("Its code."),
                "state": {"enum": ["", *[state.name for state in MessageState]]},
                "status": {"enum": list(dict.fromkeys(PUBLIC_WORDS.values())), "description": "Of the recipient, now."},
            }
        ),
        "Events": record(
            {
                "success": constant(True),
                "code": constant(200),
                "events": array({"$ref": "#/components/schemas/Event"}),
                "next_cursor": text("Of the next request; the same again: nothing has come."),
            }
        ),
    },
    samples={
        "Events": {
            "success": True,
            "code": 200,
            "events": [
                {
                    "message_id": 4711,
                    "msisdn": "+33611111111",
                    "part": 1,
                    "received_at": 1_600_000_010_000,
                    "verdict": "moved",
                    "stat": "DELIVRD",
                    "error": "000",
                    "state": "DELIVERED",
                    "status": "Delivered",
                }
            ],
            "next_cursor": "815",
        }
    },
)
